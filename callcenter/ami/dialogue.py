"""What is said to a PBX on one connection: log-in, rights, filters, signs of life, and any action with its answer.

Waits for answers with a deadline, and turns refusals into errors that say how to mend them.
"""

import asyncio
import hashlib
import itertools
import secrets
from collections.abc import Iterator
from datetime import timedelta

import msgspec

from callcenter.ami import actions
from callcenter.ami.actions import Action, Response
from callcenter.ami.filters import FILTERS
from callcenter.ami.link import Link
from callcenter.errors import (
    AmiActionFailed,
    AmiLoginFailed,
    AmiMissingRight,
    AmiTimeout,
    AmiUnreachable,
    BadInput,
)
from callcenter.settings import PbxSettings

_NEEDED: tuple[type[Action], ...] = (actions.CoreShowChannels,)
"""Actions without which no true picture of the calls can be had."""

_WANTED: tuple[type[Action], ...] = (actions.Originate, actions.QueuePause, actions.Redirect, actions.Hangup)
"""Actions that single functions need; the service works without them."""


class Learned(msgspec.Struct, frozen=True, kw_only=True):
    """What a PBX tells of itself after the log-in; see `state.AmiState`."""

    version: str
    system_name: str
    boot: str
    filtered: bool
    missing_rights: tuple[str, ...]


def action_ids() -> Iterator[str]:
    """Yield ActionIDs that no other action of this or another client has."""
    prefix = secrets.token_hex(4)
    return (f"{prefix}-{number}" for number in itertools.count(1))


class Dialogue:
    """The talk with one PBX over one link."""

    def __init__(self, settings: PbxSettings, link: Link, ids: Iterator[str]) -> None:
        self._settings = settings
        self._link = link
        self._ids = ids

    @property
    def oversized(self) -> int:
        """Blocks of this connection that were too long to be read."""
        return self._link.decoder.oversized

    async def ask(self, action: Action, deadline: timedelta | None = None, action_id: str | None = None) -> Response:
        """Do an action and return its answer; see `AmiClient.action`."""
        action_id = action_id or next(self._ids)
        future = self._link.request(action, action_id)
        seconds = seconds_of(self._settings, deadline)
        try:
            async with asyncio.timeout(seconds):
                response = await future
        except TimeoutError:
            raise AmiTimeout(f"{self._settings.id} did not answer {action.name} within {seconds:g} seconds") from None
        finally:
            self._link.forget(action_id)
        if response.success:
            return response
        if "permission denied" in response.message.lower():
            raise AmiMissingRight(self._mend(action))
        raise AmiActionFailed(f"{self._settings.id} refused {action.name}: {response.message or 'without a reason'}")

    def _mend(self, action: Action | type[Action]) -> str:
        rights = " or ".join(action.rights) or "a right"
        return (
            f"the AMI user {self._settings.username!r} of {self._settings.id} may not use {action.name}: "
            f"add {rights} to its write = line in manager.conf, then run: asterisk -rx 'manager reload'"
        )

    async def log_in(self) -> None:
        """Log in.

        Raises:
            AmiLoginFailed: the PBX refused user and secret.
        """
        settings = self._settings
        secret = settings.secret.get_secret_value()
        try:
            if settings.tls:
                login = actions.Login(username=settings.username, secret=secret)
            else:
                challenge = (await self.ask(actions.Challenge())).fields.get("Challenge", "")
                # MD5 is what Asterisk offers: it keeps the secret off an unencrypted wire, and no more.
                key = hashlib.md5(f"{challenge}{secret}".encode(), usedforsecurity=False).hexdigest()
                login = actions.Login(username=settings.username, key=key)
            await self.ask(login)
        except (AmiActionFailed, BadInput) as problem:
            raise AmiLoginFailed(
                f"{settings.id} refused the AMI user {settings.username!r} ({problem}): compare "
                "username and secret with its section in manager.conf, and its permit and deny lines with this "
                "machine's address"
            ) from None

    async def learn(self) -> Learned:
        """After the log-in: ask what we may do and who it is, set the filters, and switch the events on.

        Raises:
            AmiMissingRight: without this right there is no true picture of the calls.
        """
        allowed = (await self.ask(actions.ListCommands())).fields
        for needed in _NEEDED:
            if needed.name not in allowed:
                raise AmiMissingRight(self._mend(needed))
        missing = {wanted.rights[0] for wanted in _WANTED if wanted.name not in allowed}
        core = (await self.ask(actions.CoreSettings())).fields
        status = (await self.ask(actions.CoreStatus())).fields
        filtered = await self._filter() if actions.Filter.name in allowed else False
        await self.ask(actions.Events(mask="on"))
        return Learned(
            version=core.get("AsteriskVersion", ""),
            system_name=core.get("SystemName", ""),
            boot=f"{status.get('CoreStartupDate', '')} {status.get('CoreStartupTime', '')}".strip(),
            filtered=filtered,
            missing_rights=tuple(sorted(missing)),
        )

    async def _filter(self) -> bool:
        try:
            for expression in FILTERS:
                await self.ask(actions.Filter(expression=expression))
        except (AmiActionFailed, AmiMissingRight):
            # One filter that was taken would hide the events of those that were not.
            raise AmiUnreachable(f"{self._settings.id} took a part of the event filters only") from None
        return True

    async def watch(self) -> None:
        """Return never: raise when the connection ends, or when the peer is silent for two intervals."""
        link, interval = self._link, self._settings.keepalive_s
        loop = asyncio.get_running_loop()
        asked_at: float | None = None
        while True:
            now = loop.time()
            # Not `>`: uvloop's clock ticks in milliseconds, and a PBX on this machine answers within one.
            if asked_at is not None and link.received_at >= asked_at:
                asked_at = None
            due = (link.received_at if asked_at is None else asked_at) + interval
            if now >= due:
                if asked_at is not None:
                    problem = AmiUnreachable(
                        f"{self._settings.id} is connected but has been silent for {now - link.received_at:.1f} seconds"
                    )
                    link.fail(problem)
                    raise problem
                asked_at = now
                self._tell(actions.Ping())
                continue
            try:
                async with asyncio.timeout(due - now):
                    await link.lost.wait()
            except TimeoutError:
                continue
            raise link.failure or AmiUnreachable(f"{self._settings.id} closed the connection")

    def leave(self) -> None:
        """Say good-bye, if anybody is there to hear it."""
        if not self._link.lost.is_set() and self._link.failure is None:
            self._tell(actions.Logoff())

    def _tell(self, action: Action) -> None:
        """Send an action of which nobody waits for the answer."""
        self._link.request(action, next(self._ids)).add_done_callback(_settle)


def seconds_of(settings: PbxSettings, deadline: timedelta | None) -> float:
    """Return a deadline in seconds; without one the PBX's own."""
    return settings.action_timeout_s if deadline is None else deadline.total_seconds()


def _settle(future: "asyncio.Future[Response]") -> None:
    """Take note of how it ended, so that asyncio does not warn of an exception nobody looked at."""
    if not future.cancelled():
        future.exception()
