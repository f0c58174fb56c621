"""What the web layer needs of the rest of the service: Protocols, joined by the application.

All methods that take a `tenant_id` see that tenant alone and raise `NotFound` for what is another's.
All raise `DatabaseError` where PostgreSQL cannot be reached.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Generic, Protocol, TypeVar
from uuid import UUID

from prometheus_client import CollectorRegistry

from callcenter.accounts.roles import Principal
from callcenter.accounts.scope import Scope
from callcenter.accounts.values import Extension, OpenSession, Person
from callcenter.backfill.report import Reconciliation
from callcenter.callrecord import CallRecord
from callcenter.model import CallStatus, Direction, QueueExit
from callcenter.web.account_services import Administration, ApiKeys, Idempotency, Sightings, Trail
from callcenter.web.desk_services import Desk, Duty
from callcenter.web.phones import Phones
from callcenter.web.rates import KEYS, PEOPLE
from callcenter.web.report_services import Reports
from callcenter.web.schemas.calls import Dialing
from callcenter.web.schemas.customers import Customer, CustomerChange, Erasure, Match, NewCustomer
from callcenter.web.schemas.floor import MemberChange, NewMember, QueueLimits, SpyMode, SpyView
from callcenter.web.schemas.people import AgentState, Queue
from callcenter.web.schemas.problems import PartHealth
from callcenter.web.schemas.webhooks import (
    Delivery,
    DeliveryState,
    NewWebhook,
    Webhook,
    WebhookChange,
    WebhookSecret,
)
from callcenter.web.turns import AT_ONCE

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """Items in order, and the store's own cursor for the page after them; None on the last page."""

    items: Sequence[Item]
    next_cursor: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFilter:
    """Which calls; None is no condition.

    `number` is E.164 (`+…`) or, of an internal number, its digits. `since` ≤ started < `until`.
    """

    customer: UUID | None = None
    agent: str | None = None
    number: str | None = None
    status: CallStatus | None = None
    direction: Direction | None = None
    queue: str | None = None
    exit: QueueExit | None = None
    did: str | None = None
    outcome: str | None = None
    campaign: str | None = None
    text: str | None = None
    within: Scope = None
    """Those that were in no queue, or in one of these (`pbx/name`)."""
    since: datetime | None = None
    until: datetime | None = None


class Accounts(Protocol):
    """People, sessions, API keys and seats: `callcenter.accounts`."""

    async def log_in(self, login: str, password: str, address: str, replaces: str | None) -> OpenSession:
        """Open a session with a new token; the session of the token `replaces` ends.

        Raises `Unauthenticated` for a wrong login or password alike, `TooMany` where tried too often.
        """
        ...

    async def session(self, token: str) -> OpenSession:
        """The session that `token` opens; raises `Unauthenticated`."""
        ...

    async def log_out(self, principal: Principal) -> None:
        """End the session of `principal`."""
        ...

    async def api_key(self, key: str) -> Principal:
        """The integration that `key` is for; raises `Unauthenticated`."""
        ...

    async def change_password(self, principal: Principal, current: str, new: str, address: str) -> OpenSession:
        """Choose another password; all sessions end, and this opens a new one. Raises `BadInput`, `TooMany`."""
        ...

    async def set_language(self, principal: Principal, language: str) -> None:
        """Keep the language that a person reads."""
        ...

    async def extensions(self, tenant_id: int) -> Sequence[Extension]:
        """All extensions and who sits there, in order."""
        ...

    async def seat(self, principal: Principal) -> Extension | None:
        """Where the person sits."""
        ...

    async def take_seat(self, principal: Principal, pbx: str, extension: str, *, force: bool) -> Extension:
        """Sit down there, leaving any other seat.

        Raises `NotFound`, `Conflict` where another sits there, `Forbidden` for a `force` that is not allowed.
        """
        ...

    async def leave_seat(self, principal: Principal) -> None:
        """Leave the seat, if there is one."""
        ...

    async def agents(self, tenant_id: int) -> Sequence[Person]:
        """All people who can take calls, and their seats."""
        ...


class Tickets(Protocol):
    """Tickets for the screen-pop."""

    def issue(self, principal: Principal) -> tuple[str, datetime]:
        """A ticket that opens the screen-pop once, and until when."""
        ...


class ReadNumber(Protocol):
    """A number as it was understood; `kind` is `public`, `internal`, `anonymous` or `invalid`."""

    @property
    def raw(self) -> str: ...
    @property
    def e164(self) -> str | None: ...
    @property
    def kind(self) -> str: ...


class NumberReader(Protocol):
    """Reads a number in any spelling by the rules of a PBX; None: the first PBX."""

    def read(self, text: str, pbx: str | None = None) -> ReadNumber:
        """Never raises for a text of phone-number length; raises `NotFound` for an unknown PBX."""
        ...


class CallNews(Protocol):
    """One change of the feed; `kind` is `changed`, `merged` or `deleted`."""

    @property
    def seq(self) -> int: ...
    @property
    def kind(self) -> str: ...
    @property
    def call_id(self) -> UUID: ...
    @property
    def call(self) -> CallRecord | None: ...
    @property
    def merged_into(self) -> UUID | None: ...


class CallChanges(Protocol):
    """A page of the change feed."""

    @property
    def items(self) -> Sequence[CallNews]: ...
    @property
    def cursor(self) -> str: ...
    @property
    def more(self) -> bool: ...


class CallLog(Protocol):
    """The call log's queries and the few things that people add to a call."""

    async def changes(self, tenant_id: int, after: str | None, *, limit: int, wait: timedelta) -> CallChanges:
        """What changed after a cursor (None: all, `now`: nothing yet); waits for so long where there is nothing.

        Raises `BadInput` for a cursor that the feed did not give, `TooMany` where many wait.
        """
        ...

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
        """Write calls as `csv` or `ndjson`, the oldest first, and give their number; raises `TooMany`."""
        ...

    async def page(self, tenant_id: int, wanted: CallFilter, *, cursor: str | None, limit: int) -> Page[CallRecord]:
        """Calls, the newest first; raises `BadInput` for a cursor that no page of its own gave."""
        ...

    async def get(self, tenant_id: int, call_id: UUID) -> CallRecord:
        """One call, raises `NotFound`."""
        ...

    async def set_note(self, tenant_id: int, call_id: UUID, text: str, by: str) -> CallRecord:
        """Replace what `by` wrote about the call. Raises `NotFound`."""
        ...

    async def set_customer(self, tenant_id: int, call_id: UUID, customer_id: UUID | None, by: str) -> CallRecord:
        """Say who it was; raises `NotFound` for call and customer."""
        ...

    async def set_outcome(self, tenant_id: int, call_id: UUID, outcome: str | None, by: str) -> CallRecord:
        """Say what it came to. Raises `NotFound`."""
        ...


class CustomerBook(Protocol):
    """The customers."""

    async def page(
        self, tenant_id: int, text: str | None, number: str | None, *, cursor: str | None, limit: int
    ) -> Page[Customer]:
        """Customers in the store's order; `number` as in `CallFilter`."""
        ...

    async def get(self, tenant_id: int, customer_id: UUID) -> Customer:
        """One customer, raises `NotFound`."""
        ...

    async def create(self, tenant_id: int, new: NewCustomer, by: str) -> Customer:
        """Add a customer; raises `BadInput` for a number that is none."""
        ...

    async def change(self, tenant_id: int, customer_id: UUID, change: CustomerChange, by: str) -> Customer:
        """Change one; raises `Conflict` where `change.version` is not the stored one any more."""
        ...

    async def erase(self, tenant_id: int, customer_id: UUID, by: str) -> Erasure:
        """Take the person out of customers and calls; raises `NotFound` for one who never was."""
        ...


class Matcher(Protocol):
    """Whose number it is."""

    async def match(self, tenant_id: int, number: str, pbx: str | None, agent: str | None) -> Match:
        """Candidates for a number in any spelling; `agent` is preferred as owner."""
        ...


class Dialer(Protocol):
    """Makes the PBX call and hang up."""

    async def dial(self, tenant_id: int, agent: str, seat: Extension, number: str) -> Dialing:
        """Ring the seat and then the number (E.164, or digits of an extension); raises `AmiError`."""
        ...

    async def hang_up(self, tenant_id: int, call_id: UUID, agent: str | None, *, anybodys: bool) -> None:
        """End the part of `agent` in a call. Without one: the whole call if `anybodys`, else raises `Forbidden`."""
        ...


class Board(Protocol):
    """What happens at this moment."""

    def agent_states(self, tenant_id: int) -> Mapping[str, tuple[AgentState, datetime | None]]:
        """What each agent does since when; who is missing is offline."""
        ...

    def queues(self, tenant_id: int) -> Sequence[Queue]:
        """All queues in order."""
        ...


class Steering(Protocol):
    """What supervisors do, within the queues that they are given.

    All raise `Forbidden` for what is in none of their queues, `NotFound` for what is gone, `Conflict` for what cannot
    be as things stand, `AmiError` where the PBX refuses; all but the last two are noted in the audit trail.
    """

    async def to_front(self, by: Principal, call_id: UUID) -> None:
        """Let a caller be the next of their queue."""
        ...

    async def move(self, by: Principal, call_id: UUID, queue: str | None, agent: str | None) -> None:
        """Send a caller who waits to another queue, or to an agent's phone."""
        ...

    async def pause(self, by: Principal, agent: str, paused: bool, reason: str | None) -> None:
        """Pause an agent in all queues, or end the pause."""
        ...

    async def log_out(self, by: Principal, agent: str) -> None:
        """Take an agent out of all queues, and off their seat."""
        ...

    async def add_member(self, by: Principal, new: NewMember) -> None:
        """Make an agent's phone a member of a queue."""
        ...

    async def change_member(self, by: Principal, change: MemberChange) -> None:
        """Change a member's penalty or pause in one queue."""
        ...

    async def remove_member(self, by: Principal, pbx: str, queue: str, interface: str) -> None:
        """Take a member out of a queue."""
        ...

    async def set_queue_limits(self, by: Principal, wanted: QueueLimits) -> None:
        """Say what a queue is measured by, and when to be told."""
        ...

    async def spy(self, by: Principal, call_id: UUID, agent: str, mode: SpyMode) -> SpyView:
        """Ring the supervisor's phone, to listen to an agent's call."""
        ...

    async def take_over(self, by: Principal, call_id: UUID, agent: str) -> None:
        """Put the customer through to the supervisor."""
        ...

    async def change_spying(self, by: Principal, spy_id: str, mode: SpyMode) -> SpyView:
        """Listen, whisper or talk to both from now on."""
        ...

    async def stop_spying(self, by: Principal, spy_id: str) -> None:
        """Hang up the supervisor's phone."""
        ...

    def spies(self, by: Principal) -> Sequence[SpyView]:
        """To whom the supervisor listens."""
        ...


class Webhooks(Protocol):
    """Other systems that are told of calls; all raise `NotFound` for a subscription that is not there."""

    async def listed(self, tenant_id: int) -> Sequence[Webhook]:
        """All subscriptions, oldest first."""
        ...

    async def get(self, tenant_id: int, webhook_id: UUID) -> Webhook:
        """One subscription."""
        ...

    async def create(self, tenant_id: int, new: NewWebhook, by: str) -> WebhookSecret:
        """Add one; raises `BadInput` for a URL that is not allowed."""
        ...

    async def change(self, tenant_id: int, webhook_id: UUID, change: WebhookChange, by: str) -> Webhook:
        """Change one; raises `BadInput` for a URL that is not allowed."""
        ...

    async def delete(self, tenant_id: int, webhook_id: UUID, by: str) -> None:
        """Delete one, with its delivery log."""
        ...

    async def rotate(self, tenant_id: int, webhook_id: UUID, keep: timedelta, by: str) -> WebhookSecret:
        """Give it a new secret; for `keep` both sign."""
        ...

    async def test(self, tenant_id: int, webhook_id: UUID, by: str) -> Delivery:
        """Send a test event now, and say what came of it."""
        ...

    async def deliveries(
        self, tenant_id: int, webhook_id: UUID, state: DeliveryState | None, *, before: int | None, limit: int
    ) -> Sequence[Delivery]:
        """Its delivery log, the newest first, before the event with the number `before`."""
        ...

    async def delivery(self, tenant_id: int, webhook_id: UUID, event_id: UUID) -> tuple[Delivery, bytes | None]:
        """One delivery and what is sent; raises `NotFound`."""
        ...

    async def replay(self, tenant_id: int, webhook_id: UUID, after: int | None, by: str) -> int:
        """Send all dead letters again, or all events after a cursor; gives their number."""
        ...

    async def replay_one(self, tenant_id: int, webhook_id: UUID, event_id: UUID, by: str) -> Delivery:
        """Send one event again; raises `NotFound`."""
        ...


class Reconciler(Protocol):
    """Compares the call log with what a PBX wrote down itself."""

    @property
    def current(self) -> Reconciliation | None:
        """The comparison that is under way, or is the next."""
        ...

    @property
    def nightly_at(self) -> time | None:
        """When one is done each night, by the service's clock; None: never."""
        ...

    def able(self) -> Sequence[str]:
        """The PBXs whose records can be read."""
        ...

    def ask(self, pbx: str, since: datetime, until: datetime | None, *, dry_run: bool) -> UUID:
        """Have one done, and give its id; raises `NotFound`, `Conflict` where the records are not known, `BadInput`."""
        ...

    async def get(self, reconciliation_id: UUID) -> Reconciliation:
        """One that waits, goes on or has ended; raises `NotFound`."""
        ...

    async def newest(self, limit: int) -> Sequence[Reconciliation]:
        """What came of the newest."""
        ...


class Health(Protocol):
    """Whether the parts work."""

    async def parts(self) -> Sequence[PartHealth]:
        """Ask all parts, within a deadline of its own. The service is ready when all are ok."""
        ...


LOOPBACK: tuple[IPv4Network | IPv6Network, ...] = (ip_network("127.0.0.0/8"), ip_network("::1/128"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Everything that the web application is built from."""

    accounts: Accounts
    administration: Administration
    keys: ApiKeys
    trail: Trail
    sightings: Sightings
    idempotency: Idempotency
    tickets: Tickets
    numbers: NumberReader
    calls: CallLog
    customers: CustomerBook
    matcher: Matcher
    dialer: Dialer
    board: Board
    steering: Steering
    desk: Desk
    duty: Duty
    webhooks: Webhooks
    reports: Reports
    phones: Phones
    reconciler: Reconciler
    health: Health
    registry: CollectorRegistry
    screenpop_port: Callable[[], int]
    """The port where the WebSocket server listens, known once it does."""
    screenpop_url: str | None = None
    """Where browsers find it (`wss://…/screenpop`); None: same host as the page, `screenpop_port`."""
    public_url: str | None = None
    """Origin that browsers use where a proxy stands in front; https makes cookies Secure."""
    origins: tuple[str, ...] = ()
    """More origins whose pages may use the API with a cookie."""
    connect_sources: tuple[str, ...] = ()
    """More servers that the front end may connect to, for its Content-Security-Policy (SIP over WebSocket)."""
    static: Path | None = None
    """The built front end; None: only the API is served."""
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...] = field(default=LOOPBACK)
    """Peers whose X-Forwarded-For is believed."""
    deadline: timedelta = timedelta(seconds=20)
    """How long one request may take."""
    at_once: int = AT_ONCE
    """How many requests of one principal may be in progress."""
    people_rate: int = PEOPLE
    """How many requests of a person are answered in a minute."""
    key_rate: int = KEYS
    """How many of an API key."""
