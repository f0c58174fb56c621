"""The table of roles: who may do what."""

import re
from pathlib import Path
from typing import get_args

import pytest

from callcenter.accounts.roles import (
    PEOPLE,
    PERMISSIONS,
    SCOPES,
    VERBS,
    Permission,
    Principal,
    Role,
    may_say,
    permissions_of,
    read_role,
    read_scopes,
)
from callcenter.errors import BadInput
from screenpop.messages import Verb


def test_each_role_of_people_may_do_what_the_one_below_may() -> None:
    assert PERMISSIONS[Role.AGENT] < PERMISSIONS[Role.SUPERVISOR] < PERMISSIONS[Role.ADMIN]


def test_an_agent_may_neither_unseat_another_nor_end_foreign_calls() -> None:
    agent = PERMISSIONS[Role.AGENT]
    assert not agent & {Permission.SEAT_FORCE, Permission.CALLS_HANGUP_ANY, Permission.AGENTS_READ}


def test_a_key_may_only_what_its_scopes_name() -> None:
    assert permissions_of(Role.INTEGRATION, ["calls:read", "nonsense"]) == {Permission.CALLS_READ}
    assert permissions_of(Role.INTEGRATION) == frozenset()


def test_no_scope_gives_a_key_what_only_people_may() -> None:
    everything = permissions_of(Role.INTEGRATION, [permission.value for permission in Permission])
    assert not everything & {Permission.SESSION, Permission.SCREENPOP, Permission.CALLS_DIAL}
    assert {permission.value for permission in everything} == set(SCOPES)


def test_scopes_of_people_are_not_read() -> None:
    assert permissions_of(Role.AGENT, ["metrics:read"]) == PERMISSIONS[Role.AGENT]


@pytest.mark.parametrize("scopes", [[], [" "], ["calls:read", "everything"], ["session"]])
def test_wrong_scopes_are_refused_with_the_right_ones(scopes: list[str]) -> None:
    with pytest.raises(BadInput, match="customers:read"):
        read_scopes(scopes)


def test_scopes_are_sorted_and_each_once() -> None:
    assert read_scopes(["calls:read", " agents:read ", "calls:read"]) == ("agents:read", "calls:read")


def test_a_person_cannot_be_an_integration() -> None:
    assert read_role("admin") is Role.ADMIN
    with pytest.raises(BadInput, match="agent, supervisor, admin"):
        read_role("integration")


def test_the_actor_tells_people_from_keys() -> None:
    person = Principal(tenant_id=1, role=Role.AGENT, name="Li Na", permissions=frozenset(), agent="li")
    key = Principal(tenant_id=1, role=Role.INTEGRATION, name="1a2b3c4d", permissions=frozenset())
    assert (person.actor, key.actor) == ("li", "key:1a2b3c4d")


def test_the_documented_table_is_this_one() -> None:
    page = (Path(__file__).parents[3] / "docs" / "rest-api.md").read_text()
    rows = re.findall(r"^\| `([a-z:_]+)` \| (.+?) \| (.+?) \| (.+?) \| (.+?) \|$", page, re.MULTILINE)
    documented = {name: [cell == "yes" for cell in cells] for name, *cells in rows}
    assert documented == {
        permission.value: [permission in PERMISSIONS[role] for role in Role] for permission in Permission
    }


def test_every_verb_of_the_websocket_needs_a_right() -> None:
    verbs = {str(kind.__struct_config__.tag) for kind in get_args(Verb)}
    assert verbs == set(VERBS)
    for verb in verbs:
        assert all(may_say(role.value, verb) is (VERBS[verb] in PERMISSIONS[role]) for role in PEOPLE)
        assert not may_say("integration", verb) and not may_say("nobody", verb)
    assert not may_say("admin", "reboot")
