"""One PBX as the service sees it: its connection, its tracker, and what may be asked of it.

The reader of the connection only fills the inbox; the worker here takes events from it in order, has the tracker say
what they mean, and publishes that. After each (re)connection a snapshot comes first, because AMI replays nothing.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final
from uuid import UUID, uuid4

import msgspec
import structlog

from callcenter import events as ev
from callcenter.ami import actions, parse
from callcenter.ami.client import AmiClient
from callcenter.ami.inbox import Inbox
from callcenter.ami.snapshot import clock, queue_list, queue_names, snapshot
from callcenter.ami.state import AmiState, Phase
from callcenter.changes import Anomaly, CallChange, Change
from callcenter.deskphone import DeskPhones
from callcenter.errors import AmiActionFailed, AmiError, BadInput, NotFound, ProtocolError
from callcenter.model import Call
from callcenter.settings import PbxSettings
from callcenter.tracking.directory import Directory
from callcenter.tracking.tracker import Tracker

NO_CHANNEL: Final = "No such channel"
"""Asterisk's words where a channel that is to be hung up is gone (`action_hangup` in main/manager.c)."""

QUEUES_EVERY: Final = timedelta(seconds=15)
"""How often it is looked whether a queue came or went."""
LISTED_EVERY: Final = 20
"""Of how many such looks one asks for all: members that the configuration changed, callers in another order."""

Publish = Callable[[CallChange, datetime], None]
"""Takes a change and the time at which its event was read; must be quick and must not wait."""


class Originated(msgspec.Struct, frozen=True):
    """A call that Asterisk was asked for."""

    call_id: UUID
    action_id: str
    pbx: str


class Counters(msgspec.Struct):
    """What has passed, since the start of the service."""

    events: int = 0
    changes: int = 0
    anomalies: int = 0
    unreadable: int = 0
    failed: int = 0
    """Events on which the tracker itself failed."""
    resyncs: int = 0


class Pbx:
    """Follows one PBX for ever. `await run()` in a task of the service; it ends by cancellation only."""

    def __init__(
        self,
        settings: PbxSettings,
        directory: Directory,
        publish: Publish,
        on_member: Callable[[ev.QueueMemberState], None],
        on_first_sync: Callable[[frozenset[UUID], datetime], None],
        recall: Callable[[], Awaitable[Sequence[Call]]] | None = None,
        on_queues: Callable[[ev.QueueList, bool], None] | None = None,
        on_spy: Callable[[ev.SpyStarted | ev.SpyStopped], None] | None = None,
        on_unanswered: Callable[[str], None] | None = None,
    ) -> None:
        self.settings = settings
        self.tracker = Tracker(directory)
        self.inbox = Inbox()
        self.client = AmiClient(settings, self.inbox.on_block, self.inbox.on_state)
        self.phones = DeskPhones(self.client, self.tracker, settings)
        self.counters = Counters()
        self.synced = False
        """Whether a snapshot was taken on this connection."""
        self._publish = publish
        self._on_member = on_member
        self._on_first_sync = on_first_sync
        self._recall = recall
        """What an earlier run of the service knew of calls that may go on."""
        self._on_queues = on_queues
        """Told what Asterisk says of its queues, and whether that is all of them."""
        self._on_spy = on_spy
        self._on_unanswered = on_unanswered
        """Told the ActionID of an originate that failed: where no phone was reached there is no channel to name."""
        self._queue_names: frozenset[str] = frozenset()
        self._dialing: dict[str, str] = {}
        self._log = structlog.get_logger().bind(pbx=settings.id)

    async def run(self) -> None:
        """Connect, follow, connect again."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.client.run(), name=f"ami {self.settings.id}")
            group.create_task(self._work(), name=f"tracker {self.settings.id}")
            group.create_task(self._watch_queues(), name=f"queues {self.settings.id}")

    @property
    def state(self) -> AmiState:
        """Where the connection stands."""
        return self.client.state

    async def dial(self, interface: str, extension: str, number: str) -> Originated:
        """Ring a phone of ours and, when it is picked up, have it call `number`: one outbound call.

        Raises:
            AmiError: the PBX cannot be asked, or refused. BadInput: a value cannot be sent.
        """
        return await self._originate(interface, extension, number, self.settings.dial_context)

    async def fetch(self, call_id: UUID, interface: str, extension: str) -> None:
        """Ring a phone of ours and, when it is picked up, give it a call that is parked.

        Raises:
            NotFound: the call is not parked any more. AmiError: the PBX cannot be asked, or refused.
        """
        context = self.settings.parking_context or self.settings.dial_context

        async def ring(device: str, own: str, space: str) -> None:
            await self._originate(device, own, space, context)

        await self.phones.fetch(call_id, interface, extension, ring)

    async def _originate(self, interface: str, extension: str, number: str, context: str) -> Originated:
        settings = self.settings
        channel_id = f"cc-{uuid4().hex}"
        action_id = self.client.next_action_id()
        self.tracker.originate(channel_id, number)
        self._dialing[action_id] = channel_id
        try:
            await self.client.action(
                actions.Originate(
                    channel=interface,
                    context=context,
                    exten=number,
                    # The agent's own number: the dialplan sends it, or what it makes of it, to the customer.
                    caller_id=f"<{extension}>",
                    timeout=timedelta(seconds=settings.dial_timeout_s),
                    channel_id=channel_id,
                    other_channel_id=f"{channel_id}-2",
                ),
                action_id=action_id,
            )
        except (AmiError, BadInput):
            # It is gone already where the result came and only the answer was late.
            self.tracker.forget(self._dialing.pop(action_id, channel_id))
            raise
        return Originated(self.tracker.call_id(channel_id), action_id, settings.id)

    async def hang_up(self, call_id: UUID, interface: str | None = None) -> None:
        """Hang up a call at one device, or if no device is named or it is not in the call, altogether.

        Raises:
            NotFound: the call does not go on here. AmiError: the PBX cannot be asked, or refused.
        """
        channels = self.tracker.channels(call_id)
        if not channels:
            raise NotFound(f"call {call_id} does not go on at {self.settings.id}")
        chosen = [channel for at, channel in channels.items() if at == interface] or list(channels.values())
        for channel in chosen:
            try:
                await self.client.action(actions.Hangup(channel=channel))
            except AmiActionFailed as problem:
                # It ended by itself meanwhile, or with the leg before it: that is what was asked for.
                if NO_CHANNEL not in str(problem):
                    raise

    async def list_queues(self, queue: str | None = None) -> ev.QueueList:
        """Ask Asterisk for its queues, or for one, and tell whoever follows them.

        Raises:
            AmiError: the PBX cannot be asked, or refused.
        """
        answer = await self.client.action(actions.QueueStatus(queue=queue))
        listed = queue_list(answer.events, datetime.now(UTC))
        if queue is None:
            self._queue_names = frozenset(one.name for one in listed.queues)
        self._tell_queues(listed, queue is None)
        return listed

    async def _watch_queues(self) -> None:
        """See queues come and go: Asterisk tells nobody what a reload of its configuration did to them."""
        rounds = 0
        while True:
            await asyncio.sleep(QUEUES_EVERY.total_seconds())
            if not self.synced:
                continue
            rounds += 1
            try:
                names = queue_names((await self.client.action(actions.QueueSummary())).events)
                if names != self._queue_names or rounds % LISTED_EVERY == 0:
                    await self.list_queues()
            except AmiError as problem:
                self._log.info("queues_unseen", reason=str(problem))

    def _tell_queues(self, listed: ev.QueueList, whole: bool) -> None:
        if self._on_queues is None:
            return
        try:
            self._on_queues(listed, whole)
        except Exception:
            self.counters.failed += 1
            self._log.exception("queues_not_told")

    async def _work(self) -> None:
        while True:
            batch = await self.inbox.batch()
            last = len(batch) - 1
            for place, (arrived, item) in enumerate(batch):
                if isinstance(item, AmiState):
                    await self._connection_changed(item)
                elif self._take(item, arrived) and (place < last or self.inbox):
                    # What a change began, a pop above all, leaves before the rest of what came with it is looked at.
                    await asyncio.sleep(0)

    def _take(self, block: bytes, arrived: datetime) -> bool:
        """Follow one event; says whether it changed a call."""
        counters = self.counters
        counters.events += 1
        try:
            event = parse.event(block, arrived)
        except ProtocolError as problem:
            counters.unreadable += 1
            # The first, the tenth, the hundredth …: a PBX that is broken must not fill the disk with lines.
            if str(counters.unreadable).strip("0") == "1":
                self._log.warning("ami_event_unreadable", reason=str(problem), so_far=counters.unreadable)
            return False
        if event is None:
            return False
        if isinstance(event, ev.QueueMemberState):
            self._tell_member(event)
            return False
        if isinstance(event, ev.OriginateResponse):
            # Where the phone could not be reached at all, no channel was ever made for the call noted.
            self.tracker.forget(self._dialing.pop(event.action_id or "", ""))
            if not event.success and event.action_id is not None and self._on_unanswered is not None:
                self._on_unanswered(event.action_id)
        if isinstance(event, ev.SpyStarted | ev.SpyStopped) and self._on_spy is not None:
            self._on_spy(event)
        changes = self._track(type(event).__name__, partial(self.tracker.apply, event))
        self._say(changes, arrived)
        return bool(changes)

    def _tell_member(self, state: ev.QueueMemberState) -> None:
        try:
            self._on_member(state)
        except Exception:
            self.counters.failed += 1
            self._log.exception("member_not_told", queue=state.queue)

    def _track(self, what: str, step: Callable[[], Sequence[Change]]) -> Sequence[Change]:
        try:
            return step()
        except Exception:
            # A fault of ours about one call: the others, and the service, go on.
            self.counters.failed += 1
            self._log.exception("tracker_failed", ami_event=what)
            return ()

    def _say(self, changes: Sequence[Change], arrived: datetime) -> None:
        for change in changes:
            self.counters.changes += 1
            if isinstance(change, Anomaly):
                self.counters.anomalies += 1
                self._log.debug("ami_anomaly", ami_event=change.event, reason=change.reason, channel=change.channel)
            elif isinstance(change, CallChange):
                self._publish(change, arrived)

    async def _connection_changed(self, state: AmiState) -> None:
        if state.phase is not Phase.LOGGED_IN:
            self.synced = False
        elif not self.synced:
            try:
                await self._resync()
            except AmiError as problem:
                # The connection broke again: its end stands in the inbox, and the next log-in tries anew.
                self._log.warning("resync_failed", reason=str(problem))

    async def _resync(self) -> None:
        noted = list(self._dialing.items())
        is_first = self.counters.resyncs == 0
        known = await self._recall() if is_first and self._recall is not None else ()
        now = clock((await self.client.action(actions.Ping())).fields, datetime.now(UTC))
        channels = await self.client.action(actions.CoreShowChannels())
        queues = await self._unless_refused(actions.QueueStatus())
        bridges = await self._unless_refused(actions.BridgeList())
        present = snapshot(channels.events, queues, now, bridges)
        self._say(self._track("snapshot", partial(self.tracker.resync, present, known)), datetime.now(UTC))
        for action_id, channel_id in noted:
            # What is not in the snapshot came to its end while nobody listened, and its result is not told again.
            self._dialing.pop(action_id, None)
            self.tracker.forget(channel_id)
        self.synced = True
        self.counters.resyncs += 1
        if is_first:
            self._on_first_sync(frozenset(call.call_id for call in self.tracker.calls()), now)
        listed = queue_list(queues, now)
        for member in listed.members:
            self._tell_member(member)
        self._queue_names = frozenset(one.name for one in listed.queues)
        self._tell_queues(listed, True)
        self._log.info("resynced", calls=self.tracker.open_calls, channels=self.tracker.open_channels)

    async def _unless_refused(self, action: actions.Action) -> tuple[bytes, ...]:
        """A list; nothing where Asterisk has no such thing, queues for example, or does not let us see it."""
        try:
            return (await self.client.action(action)).events
        except AmiError as problem:
            self._log.info("list_unseen", list=action.name, reason=str(problem))
            return ()
