"""Browser phones: their passwords brought to Asterisk, and ended with the log-in that they were given to."""

import asyncio
from collections.abc import Callable, Collection, Sequence
from uuid import UUID

from callcenter.accounts.access import SessionListener
from callcenter.accounts.roles import Principal
from callcenter.accounts.tickets import Grant
from callcenter.accounts.values import Extension
from callcenter.ami import actions
from callcenter.ami.client import AmiClient
from callcenter.ami.state import AmiState, Phase
from callcenter.errors import AmiUnreachable, Forbidden
from callcenter.joints.dialing import Switchboard
from callcenter.pbx import Pbx
from callcenter.settings import PbxSettings
from callcenter.softphone.keyring import Keyring
from callcenter.web.schemas.phone import ParkedCall, PhoneCredential, PhoneKind


class AsteriskCabinets:
    """`callcenter.softphone.keyring.Cabinet`: a second AMI user for each PBX, who may write there and not place calls.

    One user with both rights could start programs on the PBX (Originate of the application System).
    """

    def __init__(self, settings: Sequence[PbxSettings]) -> None:
        self.on_connected: Callable[[str], None] | None = None
        """Told of each PBX that is connected, again and again."""
        self._clients = {one.id: self._client(one) for one in settings if one.softphone is not None}

    async def put(self, pbx: str, family: str, key: str, value: str) -> None:
        """Write a value. Raises `AmiError`."""
        client = self._clients.get(pbx)
        if client is None:
            raise AmiUnreachable(f"{pbx} has no [pbx.softphone] in the configuration")
        await client.action(actions.DBPut(family=family, key=key, value=value))

    async def run(self, pbx: str) -> None:
        """Keep a PBX connected; returns at once where it has no browser phones."""
        if pbx in self._clients:
            await self._clients[pbx].run()

    def _client(self, settings: PbxSettings) -> AmiClient:
        phones = settings.softphone
        assert phones is not None
        other = settings.model_copy(update={"username": phones.username, "secret": phones.secret})
        return AmiClient(other, lambda block: None, self._changed)

    def _changed(self, state: AmiState) -> None:
        if state.phase is Phase.LOGGED_IN and self.on_connected is not None:
            self.on_connected(state.pbx)


class PhoneEviction:
    """`callcenter.accounts.access.SessionListener`: with a session the password of its phone ends."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring

    def session_ended(self, tenant_id: int, agent: str, session: str) -> None:
        """Its password is worthless from now on."""
        self._keyring.session_ended(session)

    def connected(self) -> Collection[Grant]:
        """Who has a phone now."""
        return self._keyring.leased()


class Evictions:
    """Several `SessionListener`s as one."""

    def __init__(self, *listeners: SessionListener) -> None:
        self._listeners = listeners

    def session_ended(self, tenant_id: int, agent: str, session: str) -> None:
        """Tell all of them."""
        for listener in self._listeners:
            listener.session_ended(tenant_id, agent, session)

    def connected(self) -> Collection[Grant]:
        """What any of them keeps open."""
        return [grant for listener in self._listeners for grant in listener.connected()]


class WebPhones:
    """`callcenter.web.services.Phones`."""

    def __init__(self, keyring: Keyring, switchboard: Switchboard) -> None:
        self._keyring = keyring
        self._switchboard = switchboard

    def kind(self, seat: Extension) -> PhoneKind:
        """Where the phone is."""
        return PhoneKind.BROWSER if self._keyring.is_browser(seat) else PhoneKind.DESK

    async def open(self, who: Principal, seat: Extension, *, take_over: bool) -> PhoneCredential:
        """A password for the phone in the browser."""
        if who.session is None or who.agent is None:
            raise Forbidden("only a person who is logged in has a phone")
        grant = Grant(tenant_id=who.tenant_id, agent=who.agent, role=who.role, session=who.session)
        issued = await self._keyring.issue(grant, seat, take_over=take_over)
        return PhoneCredential(
            pbx=seat.pbx,
            extension=seat.extension,
            name=seat.name,
            url=issued.url,
            realm=issued.realm,
            password=issued.password,
            expires_at=issued.expires_at,
            ice_servers=issued.ice_servers,
        )

    def close(self, who: Principal) -> None:
        """The password of this session is worthless."""
        if who.session is not None:
            self._keyring.session_ended(who.session)

    async def parked(self, seat: Extension) -> Sequence[ParkedCall]:
        """Everybody who is parked at the seat's PBX."""
        return [
            ParkedCall(
                call_id=call_id,
                space=one.space,
                number=one.number,
                name=one.name,
                mine=one.parked_by == seat.interface,
                waited_s=one.waited.total_seconds(),
                left_s=one.left.total_seconds(),
            )
            for call_id, one in await self._switchboard.parked(seat)
        ]

    def dialable(self, seat: Extension, number: str) -> str:
        """What the phone would dial to reach a number."""
        return self._switchboard.dialable(seat, number)

    async def transfer(self, seat: Extension, call_id: UUID, number: str, *, attended: bool) -> None:
        """Hand a call on."""
        await self._switchboard.transfer(seat, call_id, number, attended=attended)

    async def cancel_transfer(self, seat: Extension, call_id: UUID) -> None:
        """Give an attended transfer up."""
        await self._switchboard.cancel_transfer(seat, call_id)

    async def park(self, seat: Extension, call_id: UUID) -> None:
        """Park the other side."""
        await self._switchboard.park(seat, call_id)

    async def fetch(self, seat: Extension, call_id: UUID) -> None:
        """Ring the phone and give it a parked call."""
        await self._switchboard.fetch(seat, call_id)


async def follow(pbx: Pbx, cabinets: AsteriskCabinets) -> None:
    """Follow a PBX, and keep its browser phones' passwords; only the process that follows it does either."""
    async with asyncio.TaskGroup() as group:
        group.create_task(pbx.run(), name=f"pbx {pbx.settings.id}")
        group.create_task(cabinets.run(pbx.settings.id), name=f"softphones {pbx.settings.id}")
