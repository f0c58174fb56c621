"""The connection to one PBX, kept for ever: log-in, rights, filters, keep-alive, actions, reconnection.

Several clients live side by side without knowing of each other. The reader hands each event block to
`on_block` and each change of the connection to `on_state`, in order and synchronously; `inbox.Inbox` offers
both.
"""

import asyncio
import random
import ssl
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import msgspec
import structlog

from callcenter.ami import wire
from callcenter.ami.actions import Action, Response
from callcenter.ami.backoff import backoff
from callcenter.ami.dialogue import Dialogue, action_ids, seconds_of
from callcenter.ami.link import open_link
from callcenter.ami.state import AmiState, Phase
from callcenter.errors import AmiError, AmiLoginFailed, AmiMissingRight, AmiTimeout, AmiUnreachable
from callcenter.settings import PbxSettings

_STEADY_S = 30.0
"""Seconds after which a connection counts as one that held."""

Backoff = Callable[[], Iterator[timedelta]]


def _transient() -> Iterator[timedelta]:
    return backoff(random.random)


def _permanent() -> Iterator[timedelta]:
    return backoff(random.random, first=timedelta(seconds=30), longest=timedelta(minutes=5))


class AmiClient:
    """Keeps one PBX connected and logged in. `await run()` in a task of the service; it ends by cancellation
    only.

    Where `on_block` or `on_state` raises an `AmiError` the connection is ended and made anew; any other
    exception of theirs is a fault of ours and comes out of `run()`.
    """

    def __init__(
        self,
        settings: PbxSettings,
        on_block: Callable[[bytes], None],
        on_state: Callable[[AmiState], None],
        *,
        transient: Backoff = _transient,
        permanent: Backoff = _permanent,
    ) -> None:
        self.settings = settings
        self.state = AmiState(pbx=settings.id, phase=Phase.CONNECTING, at=datetime.now(UTC))
        self._oversized = 0
        self._on_block = on_block
        self._on_state = on_state
        self._transient = transient
        self._permanent = permanent
        self._log = structlog.get_logger().bind(pbx=settings.id)
        self._dialogue: Dialogue | None = None
        self._ready = asyncio.Event()
        self._ids = action_ids()
        self._up_at: float | None = None

    async def run(self) -> None:
        """Connect, and connect again whenever the connection ends."""
        told: type[AmiError] | None = None
        delays = self._transient()
        last: type[AmiError] = AmiUnreachable
        while True:
            try:
                await self._session(back=told is not None)
            except AmiError as problem:
                was_up = self.state.phase is Phase.LOGGED_IN
                permanent = isinstance(problem, AmiLoginFailed | AmiMissingRight)
                self._change(phase=Phase.DOWN, reason=str(problem), permanent=permanent)
                if self._was_steady() or type(problem) is not last:
                    delays = self._permanent() if permanent else self._transient()
                if was_up or told is not type(problem):
                    told = type(problem)
                    self._log.warning("ami_down", reason=str(problem))
                last = type(problem)
            await asyncio.sleep(next(delays).total_seconds())

    def _was_steady(self) -> bool:
        """Return whether the last connection held long enough for the next attempt to be made at once.

        One that breaks right after each log-in must not be tried twice a second for ever.
        """
        up_at, self._up_at = self._up_at, None
        return up_at is not None and asyncio.get_running_loop().time() - up_at > _STEADY_S

    @property
    def oversized(self) -> int:
        """Blocks that were too long to be read, since the start."""
        return self._oversized + (self._dialogue.oversized if self._dialogue is not None else 0)

    async def connected(self, deadline: timedelta | None = None) -> None:
        """Wait until the PBX is connected and logged in.

        Raises:
            AmiTimeout: it was not within `deadline` (none: `action_timeout_s`).
        """
        try:
            async with asyncio.timeout(seconds_of(self.settings, deadline)):
                await self._ready.wait()
        except TimeoutError:
            raise AmiTimeout(f"{self.settings.id} is not connected: {self.state.reason or 'still trying'}") from None

    def next_action_id(self) -> str:
        """Return an ActionID that no other action has, for who must know it before the answer."""
        return next(self._ids)

    async def action(self, action: Action, deadline: timedelta | None = None, action_id: str | None = None) -> Response:
        """Do an action and return its answer, for a list action with all its events.

        Raises:
            BadInput: a value has a line break; nothing was sent. AmiUnreachable: not connected, or the
                connection was lost before the answer. AmiTimeout: no answer within `deadline` (none:
                `action_timeout_s`); whether it was done is unknown. AmiMissingRight: the AMI user may not do
                this; names the right. AmiActionFailed: Asterisk refused, with its own words.
        """
        if self._dialogue is None or not self._ready.is_set():
            raise AmiUnreachable(f"{self.settings.id} is not connected: {self.state.reason or 'still trying'}")
        return await self._dialogue.ask(action, deadline, action_id)

    async def _session(self, back: bool) -> None:
        """Hold one connection from the first packet to the last. Always ends by raising."""
        settings = self.settings
        self._change(phase=Phase.CONNECTING)
        dialer, link = await open_link(
            settings.host, settings.port, _tls(settings), self._hear, settings.action_timeout_s
        )
        dialogue = self._dialogue = Dialogue(settings, link, self._ids)
        try:
            await dialogue.log_in()
            learned = await dialogue.learn()
            if not learned.filtered:
                self._log.info(
                    "ami_unfiltered",
                    hint="this AMI user may not set filters: eventfilter lines in manager.conf keep unused events away",
                )
            self._change(phase=Phase.LOGGED_IN, **msgspec.structs.asdict(learned))
            self._ready.set()
            self._up_at = asyncio.get_running_loop().time()
            self._log.info(
                "ami_back" if back else "ami_connected",
                asterisk=self.state.version,
                filtered=self.state.filtered,
                missing_rights=list(self.state.missing_rights),
            )
            await dialogue.watch()
        except AmiError:
            if link.failure is not None:
                raise link.failure from None
            raise
        finally:
            self._ready.clear()
            self._dialogue = None
            self._oversized += dialogue.oversized
            dialogue.leave()
            dialer.close()

    def _hear(self, block: bytes) -> None:
        event = wire.name(block)
        if event == b"FullyBooted":
            self._booted(wire.fields(block))
        self._on_block(block)
        if event == b"Shutdown":
            raise AmiUnreachable(f"{self.settings.id} says that it is shutting down")

    def _booted(self, headers: dict[str, str]) -> None:
        uptime = headers.get("Uptime", "")
        now = datetime.now(UTC)
        booted_at = now - timedelta(seconds=int(uptime)) if uptime.isdecimal() and len(uptime) < 10 else None
        self._change(phase=self.state.phase, fully_booted=True, booted_at=booted_at)

    def _change(self, *, phase: Phase, **known: object) -> None:
        """Tell a new state. What was learned of the PBX is kept until it is connected again."""
        values = {name: getattr(self.state, name) for name in AmiState.__struct_fields__}
        if phase is Phase.CONNECTING:
            values["fully_booted"] = False
        values.update(reason="", permanent=False)
        values.update(known, phase=phase, at=datetime.now(UTC))
        self.state = AmiState(**values)
        self._on_state(self.state)


def _tls(settings: PbxSettings) -> ssl.SSLContext | None:
    """Return the context for a verified connection, or None for a plain one.

    Raises:
        AmiUnreachable: the file of the CA cannot be read.
    """
    if not settings.tls:
        return None
    try:
        return ssl.create_default_context(cafile=settings.tls_ca)
    except (OSError, ssl.SSLError) as problem:
        raise AmiUnreachable(f"tls_ca of {settings.id} cannot be read ({problem}): give a PEM file") from None
