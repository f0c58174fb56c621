"""Which browser phone may register now: one password for an extension, given to one log-in, for a short time.

Kept in memory. Asterisk has the digests in its own database, and asks nobody: a service that hangs or is away never
holds a phone call up. What Asterisk has is put right whenever the connection to it comes (back): a password that is not
known here is replaced by one that nobody knows.
"""

import asyncio
import secrets
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

import msgspec
import structlog

from callcenter.accounts.roles import Role
from callcenter.accounts.tickets import Grant
from callcenter.accounts.values import Extension
from callcenter.errors import AmiError, Conflict, NotFound
from callcenter.settings import SoftphoneSettings
from callcenter.softphone import credential

LOOK_EVERY_S: Final = 1.0
PASSWORD_BYTES: Final = 24

_log = structlog.get_logger("softphone")


class Cabinet(Protocol):
    """Asterisk's own database, of any PBX."""

    async def put(self, pbx: str, family: str, key: str, value: str) -> None:
        """Write a value. Raises `AmiError`."""
        ...


class Issued(msgspec.Struct, frozen=True, kw_only=True):
    """What a page needs to register its phone. Never stored."""

    seat: Extension
    url: str
    realm: str
    password: str
    expires_at: datetime
    ice_servers: tuple[str, ...]

    def __repr__(self) -> str:
        return f"Issued({self.seat.extension} until {self.expires_at})"


class Lease(msgspec.Struct, frozen=True, kw_only=True):
    """Who has the password of an extension now, and until when."""

    tenant_id: int
    agent: str
    role: Role
    session: str
    expires_at: datetime


Place = tuple[str, str]
"""PBX and extension."""


class Keyring:
    """The passwords of all browser phones. `await run()` in a task of the service."""

    def __init__(
        self,
        phones: Mapping[str, SoftphoneSettings],
        cabinet: Cabinet,
        seat_of: Callable[[str], Extension | None],
        is_open: Callable[[str], bool],
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """`phones` are the settings of each PBX that has any; `is_open` says whether a log-in has a page open now."""
        self._settings = phones
        self._names = {pbx: frozenset(settings.names()) for pbx, settings in phones.items()}
        self._cabinet = cabinet
        self._seat_of = seat_of
        self._is_open = is_open
        self._clock = clock
        self._leases: dict[Place, Lease] = {}
        self._to_close: set[Place] = set()
        self._turn = asyncio.Lock()
        self._wake = asyncio.Event()

    def is_browser(self, seat: Extension) -> bool:
        """Whether the phone of a seat is one in the browser."""
        return seat.extension in self._names.get(seat.pbx, ())

    async def issue(self, grant: Grant, seat: Extension, *, take_over: bool) -> Issued:
        """Make a new password for the phone of a seat; the one before is worthless at once.

        Raises:
            NotFound: the seat's phone is not in the browser. Conflict: another log-in has it, and not `take_over`.
            AmiError: Asterisk cannot be told.
        """
        settings = self._settings.get(seat.pbx)
        if settings is None or not self.is_browser(seat):
            raise NotFound(f"extension {seat.extension} is no phone in the browser: use the phone on the desk")
        place = (seat.pbx, seat.extension)
        async with self._turn:
            now = self._clock()
            held = self._leases.get(place)
            if held is not None and self._is_kept(held, grant, now) and not take_over:
                raise Conflict("your phone is open in another browser: take it over here, or close it there")
            password = secrets.token_urlsafe(PASSWORD_BYTES)
            expires_at = now + timedelta(seconds=settings.secret_s)
            # Noted before it is written: what was written and is not noted would never be closed.
            self._leases[place] = Lease(
                tenant_id=grant.tenant_id,
                agent=grant.agent,
                role=grant.role,
                session=grant.session,
                expires_at=expires_at,
            )
            self._to_close.discard(place)
            await self._write(place, password)
        return Issued(
            seat=seat,
            url=settings.url,
            realm=settings.realm,
            password=password,
            expires_at=expires_at,
            ice_servers=settings.ice_servers,
        )

    def session_ended(self, session: str) -> None:
        """A log-in is over, or gives its phone back: its password is worthless from now on."""
        for place, lease in list(self._leases.items()):
            if lease.session == session:
                self._drop(place)

    def leased(self) -> Collection[Grant]:
        """The log-ins that have a phone now."""
        return [
            Grant(tenant_id=one.tenant_id, agent=one.agent, role=one.role, session=one.session)
            for one in self._leases.values()
        ]

    def settle(self, pbx: str) -> None:
        """A PBX is connected (again): whatever password it has that is not known here is to be replaced."""
        self._to_close |= {(pbx, name) for name in self._names.get(pbx, ()) if (pbx, name) not in self._leases}
        self._wake.set()

    async def run(self) -> None:
        """Close what is over, for ever."""
        while True:
            try:
                async with asyncio.timeout(LOOK_EVERY_S):
                    await self._wake.wait()
            except TimeoutError:
                pass
            self._wake.clear()
            await self.close_due()

    async def close_due(self) -> None:
        """Replace the passwords that are over by ones that nobody knows."""
        now = self._clock()
        for place, lease in list(self._leases.items()):
            seat = self._seat_of(lease.agent)
            if lease.expires_at <= now or seat is None or (seat.pbx, seat.extension) != place:
                self._drop(place)
        for place in sorted(self._to_close):
            async with self._turn:
                if place not in self._to_close:
                    continue
                try:
                    await self._write(place, secrets.token_urlsafe(PASSWORD_BYTES))
                except AmiError as problem:
                    # It stays to be done; a connection that comes back asks for all of them anyway.
                    _log.debug("softphone_not_closed", pbx=place[0], reason=str(problem))
                    return
                self._to_close.discard(place)

    def _is_kept(self, held: Lease, grant: Grant, now: datetime) -> bool:
        """Whether another log-in still uses the phone: a browser that was closed does not."""
        return held.session != grant.session and held.expires_at > now and self._is_open(held.session)

    def _drop(self, place: Place) -> None:
        del self._leases[place]
        self._to_close.add(place)
        self._wake.set()

    async def _write(self, place: Place, password: str) -> None:
        pbx, extension = place
        settings = self._settings[pbx]
        value = credential.auth(extension, settings.realm, password)
        await self._cabinet.put(pbx, settings.family, credential.key(extension), value)
