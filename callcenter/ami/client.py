"""The connection to one PBX, kept for ever: log-in, rights, filters, keep-alive, actions, reconnection.

Several clients live side by side without knowing of each other. The reader hands each event block to
`on_block` and each change of the connection to `on_state`, in order and synchronously; `inbox.Inbox` offers
both.
"""

import asyncio
import hashlib
import itertools
import random
import secrets
import ssl
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import structlog

from callcenter.ami import actions, wire
from callcenter.ami.actions import Action, Response
from callcenter.ami.backoff import backoff
from callcenter.ami.filters import FILTERS
from callcenter.ami.link import Dialer, Link, open_link
from callcenter.ami.state import AmiState, Phase
from callcenter.errors import (
    AmiActionFailed,
    AmiError,
    AmiLoginFailed,
    AmiMissingRight,
    AmiTimeout,
    AmiUnreachable,
)
from callcenter.settings import PbxSettings

_NEEDED: tuple[type[Action], ...] = (actions.CoreShowChannels,)
"""Actions without which no true picture of the calls can be had."""

_WANTED: tuple[type[Action], ...] = (actions.Originate, actions.QueuePause, actions.Redirect, actions.Hangup)
"""Actions that single functions need; the service works without them."""

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
        self.reconnects = 0
        self.blocks = 0
        self.oversized = 0
        self._on_block = on_block
        self._on_state = on_state
        self._transient = transient
        self._permanent = permanent
        self._log = structlog.get_logger().bind(pbx=settings.id)
        self._link: Link | None = None
        self._ready = asyncio.Event()
        self._prefix = secrets.token_hex(4)
        self._numbers = itertools.count(1)
        self._interval = settings.keepalive_s

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
                if was_up or type(problem) is not last:
                    delays = self._permanent() if permanent else self._transient()
                if was_up or told is not type(problem):
                    told = type(problem)
                    self._log.warning("ami_down", reason=str(problem))
                last = type(problem)
            self.reconnects += 1
            await asyncio.sleep(next(delays).total_seconds())

    async def connected(self, deadline: timedelta | None = None) -> None:
        """Wait until the PBX is connected and logged in.

        Raises:
            AmiTimeout: it was not within `deadline` (none: `action_timeout_s`).
        """
        try:
            async with asyncio.timeout(self._seconds(deadline)):
                await self._ready.wait()
        except TimeoutError:
            raise AmiTimeout(f"{self.settings.id} is not connected: {self.state.reason or 'still trying'}") from None

    def next_action_id(self) -> str:
        """Return an ActionID that no other action has, for who must know it before the answer."""
        return f"{self._prefix}-{next(self._numbers)}"

    async def action(self, action: Action, deadline: timedelta | None = None, action_id: str | None = None) -> Response:
        """Do an action and return its answer, for a list action with all its events.

        Raises:
            BadInput: a value has a line break; nothing was sent. AmiUnreachable: not connected, or the
                connection was lost before the answer. AmiTimeout: no answer within `deadline` (none:
                `action_timeout_s`); whether it was done is unknown. AmiMissingRight: the AMI user may not do
                this; names the right. AmiActionFailed: Asterisk refused, with its own words.
        """
        if self._link is None or not self._ready.is_set():
            raise AmiUnreachable(f"{self.settings.id} is not connected: {self.state.reason or 'still trying'}")
        return await self._ask(self._link, action, deadline, action_id)

    async def _ask(
        self, link: Link, action: Action, deadline: timedelta | None = None, action_id: str | None = None
    ) -> Response:
        action_id = action_id or self.next_action_id()
        future = link.request(action, action_id)
        seconds = self._seconds(deadline)
        try:
            async with asyncio.timeout(seconds):
                response = await future
        except TimeoutError:
            raise AmiTimeout(f"{self.settings.id} did not answer {action.name} within {seconds:g} seconds") from None
        finally:
            link.forget(action_id)
        if response.success:
            return response
        if "permission denied" in response.message.lower():
            raise AmiMissingRight(self._mend(action))
        raise AmiActionFailed(f"{self.settings.id} refused {action.name}: {response.message or 'without a reason'}")

    def _mend(self, action: Action | type[Action]) -> str:
        rights = " or ".join(action.rights) or "a right"
        return (
            f"the AMI user {self.settings.username!r} of {self.settings.id} may not use {action.name}: "
            f"add {rights} to its write = line in manager.conf, then run: asterisk -rx 'manager reload'"
        )

    def _seconds(self, deadline: timedelta | None) -> float:
        return self.settings.action_timeout_s if deadline is None else deadline.total_seconds()

    async def _session(self, back: bool) -> None:
        """Hold one connection from the first packet to the last. Always ends by raising."""
        settings = self.settings
        self._change(phase=Phase.CONNECTING)
        dialer, link = await open_link(
            settings.host, settings.port, _tls(settings), self._hear, settings.action_timeout_s
        )
        self._link = link
        try:
            await self._log_in(link)
            await self._learn(link)
            self._ready.set()
            self._log.info(
                "ami_back" if back else "ami_connected",
                asterisk=self.state.version,
                filtered=self.state.filtered,
                missing_rights=list(self.state.missing_rights),
            )
            await self._watch(link)
        except AmiError:
            if link.failure is not None:
                raise link.failure from None
            raise
        finally:
            self._ready.clear()
            self._link = None
            self.oversized += link.decoder.oversized
            self._leave(dialer, link)

    def _leave(self, dialer: Dialer, link: Link) -> None:
        if not link.lost.is_set() and link.failure is None:
            link.request(actions.Logoff(), self.next_action_id()).add_done_callback(_settle)
        dialer.close()

    def _hear(self, block: bytes) -> None:
        self.blocks += 1
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

    async def _log_in(self, link: Link) -> None:
        settings = self.settings
        secret = settings.secret.get_secret_value()
        try:
            if settings.tls:
                login = actions.Login(username=settings.username, secret=secret)
            else:
                challenge = (await self._ask(link, actions.Challenge())).fields.get("Challenge", "")
                # MD5 is what Asterisk offers: it keeps the secret off an unencrypted wire, and no more.
                key = hashlib.md5(f"{challenge}{secret}".encode(), usedforsecurity=False).hexdigest()
                login = actions.Login(username=settings.username, key=key)
            await self._ask(link, login)
        except AmiActionFailed as problem:
            raise AmiLoginFailed(
                f"{settings.id} refused the AMI user {settings.username!r} ({problem}): compare "
                "username and secret with its section in manager.conf, and its permit and deny lines with this "
                "machine's address"
            ) from None

    async def _learn(self, link: Link) -> None:
        """After the log-in: what we may do, who we talk to; then switch the events on."""
        allowed = (await self._ask(link, actions.ListCommands())).fields
        for needed in _NEEDED:
            if needed.name not in allowed:
                raise AmiMissingRight(self._mend(needed))
        missing = {wanted.rights[0] for wanted in _WANTED if wanted.name not in allowed}
        core = (await self._ask(link, actions.CoreSettings())).fields
        status = (await self._ask(link, actions.CoreStatus())).fields
        filtered = await self._filter(link) if actions.Filter.name in allowed else False
        if not filtered:
            self._log.info(
                "ami_unfiltered",
                hint="let the PBX send only what is used: eventfilter lines in manager.conf, or write = system",
            )
        await self._ask(link, actions.Events(mask="on"))
        self._change(
            phase=Phase.LOGGED_IN,
            version=core.get("AsteriskVersion", ""),
            system_name=core.get("SystemName", ""),
            boot=f"{status.get('CoreStartupDate', '')} {status.get('CoreStartupTime', '')}".strip(),
            filtered=filtered,
            missing_rights=tuple(sorted(missing)),
        )

    async def _filter(self, link: Link) -> bool:
        try:
            for expression in FILTERS:
                await self._ask(link, actions.Filter(expression=expression))
        except (AmiActionFailed, AmiMissingRight):
            # One filter that was taken would hide the events of those that were not.
            raise AmiUnreachable(f"{self.settings.id} took a part of the event filters only") from None
        return True

    async def _watch(self, link: Link) -> None:
        """Return never: raise when the connection ends, or when the peer is silent for two intervals."""
        loop = asyncio.get_running_loop()
        asked_at: float | None = None
        while True:
            now = loop.time()
            if asked_at is not None and link.received_at > asked_at:
                asked_at = None
            due = (link.received_at if asked_at is None else asked_at) + self._interval
            if now >= due:
                if asked_at is not None:
                    problem = AmiUnreachable(
                        f"{self.settings.id} is connected but has been silent for {now - link.received_at:.1f} seconds"
                    )
                    link.fail(problem)
                    raise problem
                asked_at = now
                link.request(actions.Ping(), self.next_action_id()).add_done_callback(_settle)
                continue
            try:
                async with asyncio.timeout(due - now):
                    await link.lost.wait()
            except TimeoutError:
                continue
            raise link.failure or AmiUnreachable(f"{self.settings.id} closed the connection")

    def _change(self, *, phase: Phase, **known: object) -> None:
        """Tell a new state. What was learned of the PBX is kept until it is connected again."""
        values = {name: getattr(self.state, name) for name in AmiState.__struct_fields__}
        if phase is Phase.CONNECTING:
            values["fully_booted"] = False
        values.update(reason="", permanent=False)
        values.update(known, phase=phase, at=datetime.now(UTC))
        self.state = AmiState(**values)
        self._on_state(self.state)


def _settle(future: "asyncio.Future[Response]") -> None:
    """Take note of a ping's end, so that asyncio does not warn of an exception nobody looked at."""
    if not future.cancelled():
        future.exception()


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
