"""Every message of the WebSocket, said by every role over a real socket: who may is done, who may not is refused.

The table stands here a second time on purpose: a verb that is added has to be declared in both.
"""

import json
from collections.abc import AsyncIterator
from typing import Any, get_args
from uuid import UUID

import pytest
from websockets.asyncio.client import connect

from callcenter.accounts.roles import VERBS, Role
from callcenter.joints.floorwatch import PopOverseer
from screenpop.messages import ClientMessage
from tests.service.screenpop_house import ORIGIN, House, running

CALL = str(UUID(int=7))
PEOPLE = {Role.AGENT, Role.SUPERVISOR, Role.ADMIN}
EXAMPLES: dict[str, dict[str, Any]] = {
    "dial": {"number": "02079460958"},
    "hangup": {"call_id": CALL},
    "pause": {"reason": "lunch"},
    "ready": {},
    "extend": {"seconds": 30},
    "queues": {"logged_in": True},
    "transfer": {"call_id": CALL, "number": "1002"},
    "transfer_cancel": {"call_id": CALL},
    "park": {"call_id": CALL},
    "fetch": {"call_id": CALL},
}
MAY: dict[str, set[Role]] = dict.fromkeys(EXAMPLES, PEOPLE)
"""Who may say what: verbs are of people with a desk, and no machine has one."""
OPENINGS = {"hello", "watch", "ack"}
"""The first words of a page and its thanks for a pop: no verbs. Who may watch is walked below."""


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with running(House(overseer=PopOverseer())) as house:
        yield house


def test_every_message_is_walked() -> None:
    kinds = {str(kind.__struct_config__.tag) for kind in get_args(ClientMessage)}
    assert kinds == {*OPENINGS, *EXAMPLES}, "a message is new or gone: say here who may send it"
    assert set(VERBS) == set(EXAMPLES), "a verb without a permission in accounts/roles.py is nobody's"


@pytest.mark.parametrize("role", [*(role.value for role in Role), "nobody"])
async def test_a_verb_is_done_for_those_who_may_and_for_nobody_else(house: House, role: str) -> None:
    async with house.page("li", role=role) as page:
        for number, (verb, more) in enumerate(EXAMPLES.items(), start=1):
            done = len(house.exchange.orders) + len(house.roster.said)
            await page.say({"type": verb, "id": f"v{number}", **more})
            notice = await page.next("notice")
            assert notice["id"] == f"v{number}"
            refused = notice["text"] == f"this is not allowed for the role {role}"
            assert refused is (role not in MAY[verb]), (verb, role, notice)
            reached = len(house.exchange.orders) + len(house.roster.said) > done
            # the exchange of this house has nobody to give up a consultation with
            assert reached is (role in MAY[verb] and verb != "transfer_cancel"), (verb, role)


async def test_a_verb_that_nobody_declared_ends_the_connection(house: House) -> None:
    async with house.page("li", role="admin") as page:
        await page.say({"type": "reboot", "id": "v1"})
        code, _ = await page.closed()
    assert code == 4400
    assert house.exchange.orders == []


@pytest.mark.parametrize("role", [role.value for role in Role])
async def test_the_floor_is_watched_by_those_who_may(house: House, role: str) -> None:
    async with connect(house.url, compression=None, origin=ORIGIN) as socket:  # type: ignore[arg-type]
        await socket.send(json.dumps({"type": "watch", "ticket": house.tickets.issue("li", role=role)}))
        may = role in (Role.SUPERVISOR, Role.ADMIN)
        if may:
            assert json.loads(await socket.recv())["type"] == "floor"
        else:
            await socket.wait_closed()
            assert socket.close_code == 4403
