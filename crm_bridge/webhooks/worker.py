"""Delivers webhooks: woken by NOTIFY or by the clock, it seals events, claims deliveries, sends them, notes the result.

Several may run on one database, in one process or in many: a claim is one worker's until its lease ends. A worker
that is killed in the middle leaves its claims to the others, or to its successor, until their lease ends; one that is
stopped gives them back at once. The event then comes a second time, under the same id. Nothing is sent in parallel for
one call and subscription.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, Final, TypeVar
from uuid import UUID

import asyncpg
import msgspec
import structlog

from callcenter.db.away import AWAY, until_done
from callcenter.db.engine import Database
from callcenter.db.unit import Unit
from callcenter.errors import Conflict, DatabaseError, NotFound
from crm_bridge.webhooks import log, queue
from crm_bridge.webhooks.connector import Lookup, system_lookup
from crm_bridge.webhooks.sender import Sender
from crm_bridge.webhooks.values import Answer, Delivery, Parcel, Target, TargetRules
from crm_bridge.webhooks.verdicts import Fate, Verdict, judge

POLL: Final = timedelta(seconds=2)
"""How often it is looked for what is due, when nobody wakes us."""
RECONNECT: Final = timedelta(seconds=5)
"""Between two attempts to listen, while PostgreSQL is away; the clock wakes us meanwhile."""
GIVE_BACK: Final = timedelta(seconds=2)
"""How long a worker that is stopped tries to give its claims back; after that their leases run out."""
PRUNE_EVERY: Final = timedelta(minutes=10)
AT_ONCE: Final = 64
"""Most requests of this process at a time."""
PRUNED_AT_ONCE: Final = 5000

Result = TypeVar("Result")

_log = structlog.get_logger("crm_bridge.webhooks")


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """How webhooks are delivered; the settings of `[webhooks]`."""

    rules: TargetRules = TargetRules()
    timeout: timedelta = timedelta(seconds=10)
    concurrency: int = 4
    """Requests to one subscription at a time."""
    attempts: int = 24
    keep: timedelta = timedelta(days=30)

    @property
    def lease(self) -> timedelta:
        """How long a claim is good for: longer than an attempt can take."""
        return self.timeout * 2 + timedelta(seconds=5)


class Counters(msgspec.Struct):
    """What the worker has done, for /metrics."""

    attempts: Counter[str] = msgspec.field(default_factory=Counter)
    """By what came of them: `delivered`, `again`, `dead`."""
    dead: int = 0
    removed: int = 0
    """Events that became too old."""
    waiting: int = 0
    dead_letters: int = 0


class Claim(msgspec.Struct):
    """A delivery that is ours: being sent, or answered and not noted yet."""

    target: Target
    parcel: Parcel
    answer: Answer | None = None


class WebhookWorker:
    """Delivers the webhooks of one tenant. `run` is a task of the application, which ends by being canceled."""

    def __init__(
        self,
        database: Database,
        tenant_id: int,
        records: queue.Records,
        policy: Policy,
        *,
        lookup: Lookup = system_lookup,
    ) -> None:
        self._database = database
        self._tenant_id = tenant_id
        self._records = records
        self._policy = policy
        self._sender = Sender(policy.rules, policy.timeout, connections=AT_ONCE + 4, lookup=lookup)
        self._open = False
        self._in_flight: Counter[UUID] = Counter()
        self._claims: dict[tuple[UUID, int], Claim] = {}
        """By subscription and event."""
        self._wake = asyncio.Event()
        self.counters = Counters()

    @property
    def policy(self) -> Policy:
        """How this worker delivers."""
        return self._policy

    @property
    def in_flight(self) -> int:
        """Requests that are being made now."""
        return self._in_flight.total()

    async def run(self) -> None:
        """Deliver until canceled, then give back what was being sent."""
        try:
            async with self._sender, asyncio.TaskGroup() as group:
                self._open = True
                try:
                    group.create_task(self._listen(), name="webhook wake-up")
                    group.create_task(self._tidy(), name="webhook retention")
                    while True:
                        self._wake.clear()
                        more = await until_done("webhooks", lambda: self._round(group), RECONNECT)
                        if not more:
                            await self._wait()
                finally:
                    self._open = False
        finally:
            await self._give_back()

    async def test(self, subscription_id: UUID, *, actor: str) -> Delivery:
        """Send a test event now, once, and say what came of it; a subscription that is paused is tested too.

        Raises:
            NotFound: there is no such subscription.
            Conflict: the service is just starting or stopping.
        """
        if not self._open:
            raise Conflict("the service is just starting or stopping: try again in a moment")
        async with self._database.unit(self._tenant_id) as unit:
            parcel = await log.begin_test(unit, subscription_id, actor=actor, lease=self._policy.lease)
            target = await queue.target_of(unit, subscription_id)
        if target is None:
            raise NotFound(f"there is no webhook {subscription_id}")
        answer = await self._sender.send(target, parcel)
        verdict = judge(answer)
        if verdict.fate is not Fate.DELIVERED:
            # nobody wants a test to come later, or to hold up what is not one
            verdict = Verdict(fate=Fate.DEAD, reason=verdict.reason)
        async with self._database.unit(self._tenant_id) as unit:
            await queue.record(unit, target, parcel, answer, verdict, attempts=1)
            delivery, _ = await log.get(unit, subscription_id, parcel.event_id)
        return delivery

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(POLL.total_seconds()):
                await self._wake.wait()
        except TimeoutError:
            return  # time to look by ourselves

    async def _round(self, group: asyncio.TaskGroup) -> bool:
        """Seal, claim and begin to send; gives whether there is more to do at once."""
        async with self._database.unit(self._tenant_id) as unit:
            sealed = await queue.seal(unit, self._records)
        for target in await self._in_unit(queue.ready):
            room = min(self._policy.concurrency - self._in_flight[target.subscription_id], AT_ONCE - self.in_flight)
            if target.failures:
                # one is enough to see whether the target is back
                room = min(room, 1 - self._in_flight[target.subscription_id])
            if room <= 0:
                continue
            async with self._database.unit(self._tenant_id) as unit:
                parcels = await queue.claim(unit, target, limit=room, lease=self._policy.lease)
            for parcel in parcels:
                self._in_flight[target.subscription_id] += 1
                self._claims[target.subscription_id, parcel.event_seq] = Claim(target, parcel)
                group.create_task(self._deliver(target, parcel), name=f"webhook {parcel.event_id}")
        return sealed >= queue.SEALED_AT_ONCE

    async def _deliver(self, target: Target, parcel: Parcel) -> None:
        name = target.subscription_id, parcel.event_seq
        try:
            answer = await self._sender.send(target, parcel)
            self._claims[name].answer = answer
            verdict = judge(answer)
            self._count(verdict)
            await until_done("webhook results", lambda: self._note(target, parcel, answer, verdict), RECONNECT)
            del self._claims[name]
        finally:
            self._in_flight[target.subscription_id] -= 1
            self._wake.set()

    async def _give_back(self) -> None:
        """Note what was answered, and let others send at once what was not."""
        claims, self._claims = self._claims, {}
        answered = [claim for claim in claims.values() if claim.answer is not None]
        broken_off = [(c.target.subscription_id, c.parcel) for c in claims.values() if c.answer is None]
        try:
            async with asyncio.timeout(GIVE_BACK.total_seconds()):
                if broken_off:
                    released = await self._in_unit(lambda unit: queue.release(unit, broken_off))
                    _log.info("webhooks_given_back", deliveries=released)
                for claim in answered:
                    assert claim.answer is not None
                    await self._note(claim.target, claim.parcel, claim.answer, judge(claim.answer))
        except (TimeoutError, DatabaseError, *AWAY) as problem:
            _log.warning("webhooks_not_given_back", deliveries=len(claims), reason=type(problem).__name__)

    async def _note(self, target: Target, parcel: Parcel, answer: Answer, verdict: Verdict) -> None:
        async with self._database.unit(self._tenant_id) as unit:
            dead = await queue.record(unit, target, parcel, answer, verdict, attempts=self._policy.attempts)
        if dead:
            self.counters.dead += 1
            # the reason may quote the URL, which may hold a password: the delivery log has it
            _log.warning("webhook_dead", webhook=str(target.subscription_id), event_id=str(parcel.event_id))
        if verdict.pause:
            _log.warning("webhook_paused", webhook=str(target.subscription_id), reason="gone")
        if verdict.target_down and not target.failures:
            _log.warning("webhook_target_down", webhook=str(target.subscription_id), status=answer.status)
        elif target.failures and not verdict.target_down:
            _log.info("webhook_target_back", webhook=str(target.subscription_id))

    def _count(self, verdict: Verdict) -> None:
        self.counters.attempts[verdict.fate.value] += 1

    async def _in_unit(self, work: Callable[[Unit], Awaitable[Result]]) -> Result:
        async with self._database.unit(self._tenant_id) as unit:
            return await work(unit)

    async def _listen(self) -> None:
        """Be woken when a call's transaction commits. A wake-up that is lost is made up for by the clock."""
        while True:
            try:
                connection = await self._database.dedicated()
            except DatabaseError:
                await asyncio.sleep(RECONNECT.total_seconds())
                continue
            try:
                await self._listen_on(connection)
            except AWAY:
                await asyncio.sleep(RECONNECT.total_seconds())
            finally:
                await _close(connection)

    async def _listen_on(self, connection: "asyncpg.Connection[asyncpg.Record]") -> None:
        """Until the connection is lost."""
        closed = asyncio.Event()
        connection.add_termination_listener(lambda _: closed.set())
        await connection.add_listener(queue.CHANNEL, self._notified)
        await closed.wait()

    def _notified(self, connection: Any, pid: int, channel: str, payload: object) -> None:
        if payload == str(self._tenant_id):
            self._wake.set()

    async def _tidy(self) -> None:
        """Remove what is too old, and look how much waits."""
        while True:
            removed = await until_done("webhook retention", self._prune, RECONNECT)
            self.counters.removed += removed
            if removed < PRUNED_AT_ONCE:
                await asyncio.sleep(PRUNE_EVERY.total_seconds())

    async def _prune(self) -> int:
        async with self._database.unit(self._tenant_id) as unit:
            return await queue.prune(unit, self._policy.keep, limit=PRUNED_AT_ONCE)

    async def measure(self) -> None:
        """Count what waits and what is dead, for /metrics; the application asks for it now and then."""
        waiting, dead = await self._in_unit(queue.waiting)
        self.counters.waiting, self.counters.dead_letters = waiting, dead


async def _close(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    try:
        await connection.close(timeout=RECONNECT.total_seconds())
    except AWAY:
        connection.terminate()
