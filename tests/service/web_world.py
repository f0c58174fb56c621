"""The web application on a real socket and a real PostgreSQL, with stand-ins for the other packages.

Accounts are the real ones. The stand-ins hold plain lists; they obey the Protocols of `callcenter.web.services`.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

import msgspec
from aiohttp import web
from argon2 import PasswordHasher

from callcenter.accounts.access import Access
from callcenter.accounts.idempotency import Idempotency
from callcenter.accounts.passwords import Passwords
from callcenter.accounts.roles import SCOPES, Role
from callcenter.accounts.seats import Seats
from callcenter.accounts.store import People
from callcenter.accounts.tickets import Grant
from callcenter.accounts.trail import Sightings, Trail
from callcenter.accounts.values import Extension
from callcenter.calllog.feed import ChangeKind, FeedItem, FeedPage
from callcenter.callrecord import CallRecord, CustomerRef, NoteRecord, PartyRecord
from callcenter.db.engine import Database
from callcenter.errors import AmiUnreachable, Conflict, Forbidden, NotFound
from callcenter.joints.desk import WebDesk, WebDuty
from callcenter.joints.deskwords import DeskWords
from callcenter.joints.duty import Duty
from callcenter.joints.numbers import Numbers
from callcenter.joints.reports import WebReports
from callcenter.joints.seating import Seating
from callcenter.joints.shifts import Shifts
from callcenter.live.agents import Activity, Stretch
from callcenter.live.board import Board
from callcenter.model import CallStatus, Direction, PartyKind, Source
from callcenter.web.application import build
from callcenter.web.port import BoundedRunner
from callcenter.web.schemas.calls import Dialing
from callcenter.web.schemas.customers import (
    Customer,
    CustomerChange,
    Erasure,
    Match,
    MatchStatus,
    NewCustomer,
    NewPhone,
    Phone,
)
from callcenter.web.schemas.people import AgentState, Queue, QueueMember
from callcenter.web.schemas.problems import PartHealth
from callcenter.web.services import CallFilter, Page, ReadNumber, Services
from callcenter.web.telemetry import Meter, build_registry, one
from tests.service.web_client import Client
from tests.service.web_comparisons import Comparisons
from tests.service.web_hooks import Hooks
from tests.service.web_orders import Orders
from tests.service.web_phones import SeatPhones

SPACE = UUID("6ba7b810-9dad-11d1-80b4-00c04fd430c8")
NOW = datetime(2026, 3, 4, 9, 0, tzinfo=UTC)
PASSWORD = "correct horse battery"
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@dataclass(frozen=True)
class Number:
    """A number as a reader understood it."""

    raw: str
    e164: str | None
    kind: str


class Reader:
    """Understands `+…` and up to four digits."""

    def read(self, text: str, pbx: str | None = None) -> ReadNumber:
        if pbx not in (None, "pbx"):
            raise NotFound(f"there is no PBX {pbx!r}")
        digits = "".join(c for c in text if c.isdigit())
        if len(digits) >= 7:
            return Number(text, f"+{digits}", "public")
        return Number(text, None, "internal" if digits else "invalid")


def stamp(at: datetime) -> str:
    """A time as the call log writes it."""
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def make_call(number: int, **changes: Any) -> CallRecord:
    """The call number `number`, started so many minutes after nine."""
    party = PartyRecord(number="+15551234567", e164="+15551234567", name=None, channel=None, kind=PartyKind.EXTERNAL)
    record = CallRecord(
        call_id=uuid5(SPACE, f"call {number}"),
        tenant="default",
        pbx="pbx",
        linkedids=(f"1.{number}",),
        direction=Direction.INBOUND,
        caller=party,
        callee=party,
        did=None,
        status=CallStatus.ANSWERED,
        started_at=stamp(NOW + timedelta(minutes=number)),
        answered_at=None,
        ended_at=None,
        queue_visits=(),
        offers=(),
        connections=(),
        transfers=(),
        wait_s=None,
        ring_s=1.5,
        talk_s=10.0,
        hold_s=0.0,
        wrapup_s=None,
        duration_s=12.0,
        hangup_by=None,
        hangup_cause=16,
        recordings=(),
        customer=None,
        campaign=None,
        outcome=None,
        notes=(),
        tags=(),
        complete=True,
        source=Source.LIVE,
        version=1,
        seq=number,
    )
    return msgspec.structs.replace(record, **changes)


@dataclass
class Calls:
    """A call log of ten calls of tenant 1."""

    records: dict[UUID, CallRecord] = field(
        default_factory=lambda: {call.call_id: call for call in map(make_call, range(10))}
    )
    asked: list[CallFilter] = field(default_factory=list)
    by: list[str] = field(default_factory=list)

    async def page(self, tenant_id: int, wanted: CallFilter, *, cursor: str | None, limit: int) -> Page[CallRecord]:
        self.asked.append(wanted)
        found = sorted(self.records.values(), key=lambda call: call.started_at, reverse=True)
        if wanted.status is not None:
            found = [call for call in found if call.status == wanted.status]
        if cursor is not None:
            found = [call for call in found if call.started_at < cursor]
        rest = found[:limit]
        return Page(rest, rest[-1].started_at if len(found) > limit else None)

    async def get(self, tenant_id: int, call_id: UUID) -> CallRecord:
        if call_id not in self.records:
            raise NotFound(f"there is no call {call_id}")
        return self.records[call_id]

    async def set_note(self, tenant_id: int, call_id: UUID, text: str, by: str) -> CallRecord:
        return await self._change(tenant_id, call_id, by, notes=(NoteRecord(by=by, at=stamp(NOW), text=text),))

    async def set_customer(self, tenant_id: int, call_id: UUID, customer_id: UUID | None, by: str) -> CallRecord:
        customer = CustomerRef(id=customer_id, name="Ada") if customer_id else None
        return await self._change(tenant_id, call_id, by, customer=customer)

    async def changes(self, tenant_id: int, after: str | None, *, limit: int, wait: timedelta) -> FeedPage:
        items = [
            FeedItem(seq=call.seq or 0, kind=ChangeKind.CHANGED, call_id=call.call_id, call=call)
            for call in self.records.values()
        ]
        return FeedPage(items=items[:limit], cursor="c", more=len(items) > limit)

    async def export(
        self,
        tenant_id: int,
        wanted: CallFilter,
        layout: str,
        write: Callable[[bytes], Awaitable[None]],
        *,
        by: str,
        bom: bool,
    ) -> int:
        self.asked.append(wanted)
        for call in self.records.values():
            await write(msgspec.json.encode(call) + b"\n")
        return len(self.records)

    async def set_outcome(self, tenant_id: int, call_id: UUID, outcome: str | None, by: str) -> CallRecord:
        return await self._change(tenant_id, call_id, by, outcome=outcome)

    async def _change(self, tenant_id: int, call_id: UUID, by: str, **changes: Any) -> CallRecord:
        before = await self.get(tenant_id, call_id)
        self.by.append(by)
        self.records[call_id] = msgspec.structs.replace(before, version=before.version + 1, **changes)
        return self.records[call_id]


def _phones(phones: tuple[NewPhone, ...]) -> tuple[Phone, ...]:
    return tuple(Phone(number=phone.number, e164=None, label=phone.label) for phone in phones)


@dataclass
class Book:
    """The customers, in the order in which they were added."""

    items: dict[UUID, Customer] = field(default_factory=dict)
    asked: list[tuple[str | None, str | None]] = field(default_factory=list)

    async def page(
        self, tenant_id: int, text: str | None, number: str | None, *, cursor: str | None, limit: int
    ) -> Page[Customer]:
        self.asked.append((text, number))
        found = sorted(self.items.values(), key=lambda customer: (customer.name, customer.id))
        if cursor is not None:
            found = [customer for customer in found if customer.name > cursor]
        rest = found[:limit]
        return Page(rest, rest[-1].name if len(found) > limit else None)

    async def get(self, tenant_id: int, customer_id: UUID) -> Customer:
        if customer_id not in self.items:
            raise NotFound(f"there is no customer {customer_id}")
        return self.items[customer_id]

    async def create(self, tenant_id: int, new: NewCustomer, by: str) -> Customer:
        values = msgspec.structs.asdict(new)
        customer = Customer(
            **{**values, "phones": _phones(new.phones)},
            id=uuid5(SPACE, f"customer {len(self.items)}"),
            version=1,
            created_at=NOW,
            updated_at=NOW,
        )
        self.items[customer.id] = customer
        return customer

    async def change(self, tenant_id: int, customer_id: UUID, change: CustomerChange, by: str) -> Customer:
        before = await self.get(tenant_id, customer_id)
        if before.version != change.version:
            raise Conflict("somebody else changed this customer meanwhile: look at it again")
        values = {k: v for k, v in msgspec.structs.asdict(change).items() if v is not msgspec.UNSET}
        if not isinstance(change.phones, msgspec.UnsetType):
            values["phones"] = _phones(change.phones)
        after = msgspec.structs.replace(before, **{**values, "version": before.version + 1})
        self.items[customer_id] = after
        return after

    async def erase(self, tenant_id: int, customer_id: UUID, by: str) -> Erasure:
        await self.get(tenant_id, customer_id)
        del self.items[customer_id]
        return Erasure(customer_id=customer_id, calls=0, recordings=())


class Finder:
    """Knows nobody."""

    async def match(self, tenant_id: int, number: str, pbx: str | None, agent: str | None) -> Match:
        return Match(status=MatchStatus.NONE, number=number, candidates=())


@dataclass
class Phones:
    """A PBX that notes what it was asked; `down` makes it unreachable."""

    dialed: list[tuple[str, str, str]] = field(default_factory=list)
    ended: list[tuple[UUID, str | None]] = field(default_factory=list)
    down: bool = False

    async def dial(self, tenant_id: int, agent: str, seat: Extension, number: str) -> Dialing:
        if self.down:
            raise AmiUnreachable("no connection to 10.1.2.3:5038")
        self.dialed.append((agent, seat.interface, number))
        return Dialing(call_id=uuid5(SPACE, number), action_id="a1", pbx=seat.pbx)

    async def hang_up(self, tenant_id: int, call_id: UUID, agent: str | None, *, anybodys: bool) -> None:
        if agent != "li" and not anybodys:
            raise Forbidden("you have no part in this call")
        self.ended.append((call_id, agent))


class NowBoard:
    """Li is busy; one queue."""

    def agent_states(self, tenant_id: int) -> Mapping[str, tuple[AgentState, datetime | None]]:
        return {"li": (AgentState.BUSY, NOW)}

    def queues(self, tenant_id: int) -> Sequence[Queue]:
        member = QueueMember(interface="PJSIP/1001", name=None, agent="li", state=AgentState.READY, paused=False)
        return [Queue(pbx="pbx", name="support", waiting=1, longest_wait_s=2.5, members=(member,))]


@dataclass
class Parts:
    """The health of one part, as the test sets it."""

    ok: bool = True

    async def parts(self) -> Sequence[PartHealth]:
        return [PartHealth(name="pbx", kind="pbx", ok=self.ok, state="connected" if self.ok else "lost")]


class Clock:
    """The time, which passes when the test says so."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.now

    def seconds(self) -> float:
        return self.now.timestamp()


@dataclass
class Told:
    """What the accounts told their listeners."""

    seats: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    ended: list[tuple[int, str, str]] = field(default_factory=list)
    open: list[Grant] = field(default_factory=list)

    def seats_changed(self, pbx: str, seats: Mapping[str, Extension]) -> None:
        self.seats.append((pbx, {interface: seat.agent for interface, seat in seats.items()}))

    def session_ended(self, tenant_id: int, agent: str, session: str) -> None:
        self.ended.append((tenant_id, agent, session))
        self.open = [grant for grant in self.open if grant.session != session]

    def connected(self) -> Collection[Grant]:
        return self.open


@dataclass
class World:
    """The running application and all its parts."""

    url: str
    database: Database
    tenant_id: int
    access: Access
    people: People
    clock: Clock
    told: Told
    calls: Calls
    book: Book
    phones: Phones
    comparisons: Comparisons
    health: Parts
    duty: Duty
    sightings: Sightings
    idempotency: Idempotency

    async def busy_desk(self, agent: str, callback_id: UUID) -> None:
        """There is a callback with this id, and `agent` wraps up a call."""
        await self.database.pool.execute(
            "INSERT INTO callbacks (tenant_id, callback_id, number, due_at, created_by)"
            " VALUES ($1, $2, '+15551234567', now(), 'test')",
            *(self.tenant_id, callback_id),
        )
        now = datetime.now(UTC)
        until = now + timedelta(seconds=20)
        wrapup = Stretch(agent=agent, activity=Activity.WRAPUP, from_=now, until=until, call_id=callback_id)
        self.duty.agents.restore([wrapup])
        self.duty.agents.settle(agent, now)

    def client(self, **headers: str) -> "Client":
        """A browser without cookies, or with an API key where `Authorization` is given."""
        return Client(self.url, headers)

    @asynccontextmanager
    async def logged_in(self, login: str) -> AsyncIterator["Client"]:
        """A browser in which `login` has logged in."""
        async with self.client() as client:
            answer = await client.send("POST", "/api/v1/session", {"login": login, "password": PASSWORD})
            assert answer.status == 200, answer.text
            yield client

    async def key(self, *scopes: str) -> str:
        """A new API key with these scopes; with all where none is named."""
        return await self.access.keys.create(self.tenant_id, "test", scopes or SCOPES, None, by="admin")


PEOPLE = {"li": Role.AGENT, "wang": Role.AGENT, "zhao": Role.SUPERVISOR, "admin": Role.ADMIN}
SEATS = ("1001", "1002", "1003")


@asynccontextmanager
async def run_world(database: Database, *, bounds: Any = None, **changes: Any) -> AsyncIterator[World]:
    """Four people, three extensions, and the application on a port of its own, with other `bounds` of the port."""
    tenant_id = await database.ensure_tenant("default")
    clock, told, calls, book, phones, health = Clock(), Told(), Calls(), Book(), Phones(), Parts()
    comparisons = Comparisons()
    people = People(database)
    hashed = CHEAP.hash(PASSWORD)
    for login, role in PEOPLE.items():
        await people.add(tenant_id, login, login.title(), role, hashed, by="test")
    for number in SEATS:
        await Seats(database).add(tenant_id, "pbx", number, f"PJSIP/{number}")
    access = Access(
        database,
        tenant_id,
        session_life=timedelta(hours=12),
        ticket_life=timedelta(seconds=30),
        seats_changed=told,
        session_ended=told,
        passwords=Passwords(CHEAP),
        clock=clock,
        ticker=clock.seconds,
    )
    await access.seat_book.refresh()
    told.seats.clear()
    meter = Meter(name="pops", kind="counter", help="Screen-pops sent.", read=lambda: one(3))
    words, seating = DeskWords(database, tenant_id), Seating("default", {}, Numbers(()))
    await words.refresh()
    duty = Duty({}, seating, Board(), words, Shifts(database, tenant_id), lambda seat: None)
    sightings, idempotency = Sightings(database, tenant_id, clock), Idempotency(database, clock)
    services = Services(
        **{
            "accounts": access,
            "administration": access.administration,
            "keys": access.keys,
            "trail": Trail(database),
            "sightings": sightings,
            "idempotency": idempotency,
            "tickets": access,
            "numbers": Reader(),
            "calls": calls,
            "customers": book,
            "desk": WebDesk(database, words),
            "duty": WebDuty(database, duty, seating),
            "webhooks": Hooks(),
            "reports": WebReports(database),
            "matcher": Finder(),
            "dialer": phones,
            "phones": SeatPhones(),
            "board": NowBoard(),
            "steering": Orders(),
            "reconciler": comparisons,
            "health": health,
            "registry": build_registry([meter]),
            "screenpop_port": lambda: 8081,
            **changes,
        }
    )
    runner = BoundedRunner(build(services), **(bounds or {}))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    try:
        yield World(
            url=f"http://{host}:{port}",
            database=database,
            tenant_id=tenant_id,
            access=access,
            people=people,
            clock=clock,
            told=told,
            calls=calls,
            book=book,
            phones=phones,
            comparisons=comparisons,
            health=health,
            duty=duty,
            sightings=sightings,
            idempotency=idempotency,
        )
    finally:
        await runner.cleanup()
        access.close()
