"""Who may register a browser phone, and until when."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr

from callcenter.accounts.roles import Role
from callcenter.accounts.tickets import Grant
from callcenter.accounts.values import Extension
from callcenter.errors import AmiUnreachable, Conflict, NotFound
from callcenter.settings import SoftphoneSettings
from callcenter.softphone import credential
from callcenter.softphone.keyring import Keyring

SEAT = Extension(pbx="pbx", extension="1011", interface="PJSIP/1011", name="Karim", agent="karim")
DESK = Extension(pbx="pbx", extension="1001", interface="PJSIP/1001", name=None, agent="karim")
START = datetime(2026, 3, 4, 9, 0, tzinfo=UTC)


def grant(session: str = "one") -> Grant:
    return Grant(tenant_id=1, agent="karim", role=Role.AGENT, session=session)


class Asterisk:
    """Its database, which can be away."""

    def __init__(self) -> None:
        self.values: dict[str, str] = {}
        self.away = False

    async def put(self, pbx: str, family: str, key: str, value: str) -> None:
        if self.away:
            raise AmiUnreachable("pbx is not connected")
        self.values[f"{pbx}/{family}/{key}"] = value

    def takes(self, password: str) -> bool:
        return self.values.get("pbx/callcenter/auth/1011") == credential.auth("1011", "callcenter", password)


class House:
    """A keyring whose time and seats the test moves."""

    def __init__(self) -> None:
        self.asterisk = Asterisk()
        self.now = START
        self.seat: Extension | None = SEAT
        self.open = {"one", "two"}
        settings = SoftphoneSettings(
            extensions=("1011-1013",), url="wss://calls.example.com/ws", secret=SecretStr("x"), secret_s=600
        )
        self.keyring = Keyring(
            {"pbx": settings},
            self.asterisk,
            lambda agent: self.seat,
            lambda session: session in self.open,
            clock=lambda: self.now,
        )


@pytest.fixture
def house() -> House:
    return House()


async def test_each_password_replaces_the_one_before(house: House) -> None:
    first = await house.keyring.issue(grant(), SEAT, take_over=False)
    assert house.asterisk.takes(first.password)
    assert first.expires_at == START + timedelta(minutes=10)
    second = await house.keyring.issue(grant(), SEAT, take_over=False)
    assert second.password != first.password
    assert (house.asterisk.takes(first.password), house.asterisk.takes(second.password)) == (False, True)


async def test_a_password_is_in_no_text_of_what_was_issued(house: House) -> None:
    issued = await house.keyring.issue(grant(), SEAT, take_over=False)
    assert issued.password not in repr(issued)


async def test_it_ends_with_its_time(house: House) -> None:
    issued = await house.keyring.issue(grant(), SEAT, take_over=False)
    house.now += timedelta(seconds=599)
    await house.keyring.close_due()
    assert house.asterisk.takes(issued.password)
    house.now += timedelta(seconds=1)
    await house.keyring.close_due()
    assert not house.asterisk.takes(issued.password)
    assert house.keyring.leased() == []


async def test_it_ends_with_its_session_and_no_other(house: House) -> None:
    issued = await house.keyring.issue(grant(), SEAT, take_over=False)
    house.keyring.session_ended("another")
    await house.keyring.close_due()
    assert house.asterisk.takes(issued.password)
    house.keyring.session_ended("one")
    await house.keyring.close_due()
    assert not house.asterisk.takes(issued.password)


async def test_it_ends_when_the_agent_leaves_the_seat(house: House) -> None:
    issued = await house.keyring.issue(grant(), SEAT, take_over=False)
    house.seat = DESK
    await house.keyring.close_due()
    assert not house.asterisk.takes(issued.password)


async def test_another_log_in_has_to_say_that_it_takes_the_phone_over(house: House) -> None:
    first = await house.keyring.issue(grant(), SEAT, take_over=False)
    with pytest.raises(Conflict, match="another browser"):
        await house.keyring.issue(grant("two"), SEAT, take_over=False)
    assert house.asterisk.takes(first.password)
    second = await house.keyring.issue(grant("two"), SEAT, take_over=True)
    assert house.asterisk.takes(second.password)
    # The first log-in's end no longer concerns the phone.
    house.keyring.session_ended("one")
    await house.keyring.close_due()
    assert house.asterisk.takes(second.password)


async def test_a_browser_that_was_closed_is_in_nobodys_way(house: House) -> None:
    first = await house.keyring.issue(grant(), SEAT, take_over=False)
    house.open.remove("one")
    await house.keyring.issue(grant("two"), SEAT, take_over=False)
    assert not house.asterisk.takes(first.password)


async def test_a_password_that_is_over_is_in_nobodys_way(house: House) -> None:
    await house.keyring.issue(grant(), SEAT, take_over=False)
    house.now += timedelta(minutes=11)
    assert (await house.keyring.issue(grant("two"), SEAT, take_over=False)).seat == SEAT


async def test_a_phone_on_the_desk_gets_none(house: House) -> None:
    with pytest.raises(NotFound, match="1001"):
        await house.keyring.issue(grant(), DESK, take_over=False)
    assert house.asterisk.values == {}


async def test_what_could_not_be_closed_is_closed_when_asterisk_is_back(house: House) -> None:
    issued = await house.keyring.issue(grant(), SEAT, take_over=False)
    house.asterisk.away = True
    house.keyring.session_ended("one")
    await house.keyring.close_due()
    assert house.asterisk.takes(issued.password)
    house.asterisk.away = False
    await house.keyring.close_due()
    assert not house.asterisk.takes(issued.password)


async def test_a_connection_that_comes_replaces_what_is_not_known_here(house: House) -> None:
    house.asterisk.values["pbx/callcenter/auth/1011"] = credential.auth("1011", "callcenter", "of an earlier run")
    house.keyring.settle("pbx")
    await house.keyring.close_due()
    assert not house.asterisk.takes("of an earlier run")
    # Phones that nobody has are not left without a password: Asterisk would answer them with an error of its own.
    assert len(house.asterisk.values) == 3


async def test_a_connection_that_comes_leaves_those_that_are_known(house: House) -> None:
    issued = await house.keyring.issue(grant(), SEAT, take_over=False)
    house.keyring.settle("pbx")
    await house.keyring.close_due()
    assert house.asterisk.takes(issued.password)


async def test_the_keeper_closes_at_once_what_ended(house: House) -> None:
    issued = await house.keyring.issue(grant(), SEAT, take_over=False)
    async with asyncio.TaskGroup() as group:
        keeper = group.create_task(house.keyring.run())
        house.keyring.session_ended("one")
        async with asyncio.timeout(5):
            while house.asterisk.takes(issued.password):  # noqa: ASYNC110 - Asterisk's database has no event
                await asyncio.sleep(0.01)
        keeper.cancel()
