"""`callcenter user` and `callcenter apikey` on a real PostgreSQL."""

import asyncio
import re
from datetime import UTC, datetime, timedelta

import pytest
from typer import Typer
from typer.testing import CliRunner, Result

from callcenter.accounts.apikeys import ApiKeys
from callcenter.accounts.passwords import Passwords
from callcenter.accounts.roles import Permission, Principal, Role
from callcenter.accounts.store import Credentials, People
from callcenter.accounts.values import Person
from callcenter.cli import apikey, user
from callcenter.db.engine import connect
from callcenter.errors import BadInput, CallCenterError, Conflict, NotFound, Unauthenticated


@pytest.fixture
def url(database_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("CALLCENTER_DATABASE_URL", database_url)
    monkeypatch.setenv("COLUMNS", "200")
    return database_url


def run(app: Typer, *arguments: str, stdin: str | None = None) -> Result:
    """Run a command; an error of ours is raised, as `callcenter.cli.main` would see it."""
    result = CliRunner().invoke(app, list(arguments), input=stdin)
    if isinstance(result.exception, CallCenterError):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result


async def guess_wrong(url: str, login: str, times: int) -> None:
    """Somebody tries passwords."""
    database = await connect(url, pool_size=1)
    try:
        for _ in range(times):
            await People(database).note_login(await database.ensure_tenant("default"), login, right=False)
    finally:
        await database.close()


def people(url: str) -> dict[str, Person]:
    """Everybody in the database."""

    async def ask() -> dict[str, Person]:
        database = await connect(url, pool_size=1)
        try:
            tenant_id = await database.ensure_tenant("default")
            return {person.agent: person for person in await People(database).list(tenant_id)}
        finally:
            await database.close()

    return asyncio.run(ask())


def password_is(url: str, login: str, password: str) -> bool:
    """Whether a person could log in with this password."""

    async def ask() -> bool:
        database, passwords = await connect(url, pool_size=1), Passwords()
        try:
            found: Credentials | None = await People(database).credentials(
                await database.ensure_tenant("default"), login
            )
            return found is not None and await passwords.verify(password, found.password_hash)
        finally:
            passwords.close()
            await database.close()

    return asyncio.run(ask())


def key_opens(url: str, key: str) -> Principal:
    """Whom a key is for."""

    async def ask() -> Principal:
        database = await connect(url, pool_size=1)
        try:
            return await ApiKeys(database, apikey.now).find(await database.ensure_tenant("default"), key)
        finally:
            await database.close()

    return asyncio.run(ask())


def test_a_person_is_added_with_a_password_and_an_extension(url: str) -> None:
    arguments = ("add", "Li.Na", "--name", "Li Na", "--role", "supervisor", "--extension", "1001")
    said = run(user.app, *arguments, "--password-stdin", stdin="correct horse battery\n").output
    assert "added li.na at extension 1001" in said
    assert "correct horse" not in said
    person = people(url)["li.na"]
    assert (person.name, person.role) == ("Li Na", Role.SUPERVISOR)
    assert person.seat is not None
    assert (person.seat.pbx, person.seat.interface) == ("pbx", "PJSIP/1001")
    assert password_is(url, "li.na", "correct horse battery")
    with pytest.raises(Conflict, match="already"):
        run(user.app, "add", "li.na", "--generate")


def test_a_made_password_is_printed_and_works(url: str) -> None:
    said = run(user.app, "add", "li", "--generate").output
    found = re.search(r"^password: (\S+)$", said, re.MULTILINE)
    assert found
    assert password_is(url, "li", found[1])


def test_a_password_is_changed_and_a_person_disabled_and_enabled(url: str) -> None:
    run(user.app, "add", "li", "--generate")
    run(user.app, "passwd", "li", "--password-stdin", stdin="another good password\n")
    assert password_is(url, "li", "another good password")
    run(user.app, "disable", "li")
    assert people(url)["li"].disabled
    assert not password_is(url, "li", "another good password")
    listed = run(user.app, "list").output
    assert "disabled" in listed and "│ 3 " not in listed
    asyncio.run(guess_wrong(url, "li", times=3))
    assert "│ 3 " in run(user.app, "list").output
    run(user.app, "enable", "li")
    assert password_is(url, "li", "another good password")


@pytest.mark.parametrize(
    ("arguments", "stdin", "error", "says"),
    [
        (("add", "li", "--password-stdin"), "short\n", BadInput, "too short"),
        (("add", "li", "--role", "boss", "--generate"), None, BadInput, "choose from agent"),
        (("add", "-l i", "--generate"), None, BadInput, "cannot be a login"),
        (("add", "li"), "", BadInput, "--generate"),
        (("add", "li", "--generate", "--password-stdin"), "x\n", BadInput, "one of"),
        (("add", "li", "--generate", "--extension", "1", "--pbx", "other"), None, BadInput, "no PBX 'other'"),
        (("passwd", "nobody", "--generate"), None, NotFound, "no user 'nobody'"),
        (("disable", "nobody"), None, NotFound, "no user 'nobody'"),
    ],
)
def test_mistakes_are_told_plainly(
    url: str, arguments: tuple[str, ...], stdin: str | None, error: type[CallCenterError], says: str
) -> None:
    if arguments[1].startswith("-"):
        arguments = (
            (arguments[0], "--", arguments[1])
            if len(arguments) == 2
            else (arguments[0], *arguments[2:], "--", arguments[1])
        )
    with pytest.raises(error, match=says):
        run(user.app, *arguments, stdin=stdin)
    assert people(url) == {}


def test_a_key_is_made_listed_and_revoked(url: str) -> None:
    made = run(apikey.app, "create", "our CRM", "--scope", "calls:read", "--expires", "90d")
    key = made.stdout.strip()
    assert re.fullmatch(r"cck_[0-9a-f]{8}_[A-Za-z0-9_-]{43}", key)
    principal = key_opens(url, key)
    assert principal.role is Role.INTEGRATION
    assert principal.permissions == {Permission.CALLS_READ}
    listed = run(apikey.app, "list").output
    assert principal.name in listed and "our CRM" in listed
    assert key not in listed
    run(apikey.app, "revoke", principal.name)
    assert "revoked" in run(apikey.app, "list").output
    with pytest.raises(Unauthenticated):
        key_opens(url, key)
    with pytest.raises(NotFound):
        run(apikey.app, "revoke", principal.name)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("create", "crm"), "at least one scope"),
        (("create", "crm", "--scope", "everything"), "no scope"),
        (("create", " ", "--scope", "calls:read"), "give the key a name"),
        (("create", "crm", "--scope", "calls:read", "--expires", "2020-01-01"), "expired already"),
        (("create", "crm", "--scope", "calls:read", "--expires", "soon"), "no time"),
    ],
)
def test_wrong_keys_are_refused(url: str, arguments: tuple[str, ...], says: str) -> None:
    with pytest.raises(BadInput, match=says):
        run(apikey.app, *arguments)


def test_expiries() -> None:
    at = datetime(2026, 1, 1, 12, tzinfo=UTC)
    assert apikey.read_expiry("90d", at) == at + timedelta(days=90)
    assert apikey.read_expiry("2027-01-31", at) == datetime(2027, 2, 1, tzinfo=UTC)
    assert apikey.read_expiry("2027-01-31T12:00:00+08:00", at) == datetime(2027, 1, 31, 4, tzinfo=UTC)
    assert apikey.read_expiry("2027-01-31T12:00:00", at) == datetime(2027, 1, 31, 12, tzinfo=UTC)


def test_who_cannot_have_the_seat_is_not_added(url: str) -> None:
    run(user.app, "add", "li", "--extension", "1001", "--generate")
    with pytest.raises(Conflict, match="li sits at extension 1001: choose another one; bob is not added"):
        run(user.app, "add", "bob", "--extension", "1001", "--generate")
    assert list(people(url)) == ["li"]
    with pytest.raises(Conflict, match="there is a user 'li' already"):
        run(user.app, "add", "li", "--extension", "1001", "--generate")
