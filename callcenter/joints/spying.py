"""The supervisors' phones that listen: from the ring to the end, known by the ids that we gave their channels."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Final
from uuid import UUID, uuid4

from callcenter import events as ev
from callcenter.accounts.values import Extension
from callcenter.ami import actions
from callcenter.errors import AmiActionFailed, AmiError, BadInput, Conflict, NotFound
from callcenter.pbx import NO_CHANNEL, Pbx
from callcenter.tracking import ids
from callcenter.web.schemas.floor import SpyMode, SpyState, SpyView

RING: Final = timedelta(seconds=30)
"""How long the supervisor's phone rings."""
OPTIONS: Final = {SpyMode.LISTEN: "", SpyMode.WHISPER: "w", SpyMode.BARGE: "B"}
KEYS: Final = {SpyMode.LISTEN: "4", SpyMode.WHISPER: "5", SpyMode.BARGE: "6"}
"""What ChanSpy's option `d` makes of the keys."""


class _Spy:
    def __init__(self, pbx: str, spy_id: str, by: str, call_id: UUID, agent: str, mode: SpyMode) -> None:
        self.pbx, self.spy_id, self.by = pbx, spy_id, by
        self.call_id, self.agent, self.mode = call_id, agent, mode
        self.action_id = ""
        self.channel: str | None = None
        self.over = False
        self.turned = asyncio.Event()
        """Set when the phone was picked up, or when it is over."""

    def view(self) -> SpyView:
        state = SpyState.LISTENING if self.channel is not None else SpyState.RINGING
        return SpyView(spy_id=self.spy_id, call_id=self.call_id, agent=self.agent, mode=self.mode, state=state)


class Spying:
    """All listening that goes on by our doing."""

    def __init__(self, pbxs: Mapping[str, Pbx]) -> None:
        self._pbxs = pbxs
        self._spies: dict[str, _Spy] = {}

    def of(self, by: str) -> list[SpyView]:
        """What a supervisor listens to."""
        return [spy.view() for spy in self._spies.values() if spy.by == by]

    def own(self, by: str, spy_id: str) -> SpyView:
        """One of a supervisor's; raises `NotFound` for anybody else's."""
        spy = self._spies.get(spy_id)
        if spy is None or spy.by != by:
            raise NotFound("you do not listen any more")
        return spy.view()

    def heard(self, event: ev.SpyStarted | ev.SpyStopped) -> None:
        """Asterisk says that a channel begins, or ends, to listen."""
        spy = self._spies.get(event.uniqueid)
        if spy is None:
            return
        if isinstance(event, ev.SpyStarted):
            spy.channel = event.channel
            spy.turned.set()
        else:
            self._end(spy)

    def failed(self, action_id: str) -> None:
        """The supervisor's phone could not be reached, or was not picked up."""
        for spy in [one for one in self._spies.values() if one.action_id == action_id]:
            self._end(spy)

    async def begin(
        self, pbx: str, seat: Extension, spied: str, by: str, call_id: UUID, agent: str, mode: SpyMode
    ) -> SpyView:
        """Ring the supervisor; one who listens already is put to the new call."""
        for other in [one for one in self._spies.values() if one.by == by]:
            if other.call_id == call_id and other.agent == agent:
                return await self.change(other.spy_id, mode)
            await self.stop(other.spy_id)
        spy = _Spy(pbx, f"{ids.SPY}{uuid4().hex}", by, call_id, agent, mode)
        self._spies[spy.spy_id] = spy
        client = self._pbxs[pbx].client
        spy.action_id = client.next_action_id()
        try:
            await client.action(
                actions.Spy(
                    channel=seat.interface,
                    spied=spied,
                    options=OPTIONS[mode],
                    caller_id=f'"{mode.value.capitalize()}: {_plain(agent)}" <{seat.extension}>',
                    timeout=RING,
                    channel_id=spy.spy_id,
                ),
                action_id=spy.action_id,
            )
        except (AmiError, BadInput):
            self._end(spy)
            raise
        return spy.view()

    async def change(self, spy_id: str, mode: SpyMode) -> SpyView:
        """Another way of listening, without a new call."""
        spy = self._spies.get(spy_id)
        if spy is None:
            raise NotFound("you do not listen any more")
        if spy.channel is None:
            raise Conflict("pick up your phone first")
        if mode is not spy.mode:
            await self._pbxs[spy.pbx].client.action(actions.PlayDTMF(channel=spy.channel, digit=KEYS[mode]))
            spy.mode = mode
        return spy.view()

    async def stop(self, spy_id: str) -> None:
        """Hang up the supervisor's phone."""
        spy = self._spies.get(spy_id)
        if spy is None:
            return
        pbx = self._pbxs[spy.pbx]
        # A channel that only rings has no name that we were told; its id does for Asterisk as well.
        try:
            await pbx.client.action(actions.Hangup(channel=spy.channel or spy.spy_id))
        except AmiActionFailed as problem:
            if NO_CHANNEL not in str(problem):
                raise
        self._end(spy)

    async def up(self, pbx: str, seat: Extension, spied: str, by: str, call_id: UUID, agent: str) -> str:
        """The channel of a supervisor who listens to this call: at once, or when they have picked up.

        Raises:
            Conflict: they did not.
        """
        view = next((one for one in self.of(by) if one.call_id == call_id and one.agent == agent), None)
        if view is None:
            view = await self.begin(pbx, seat, spied, by, call_id, agent, SpyMode.LISTEN)
        spy = self._spies.get(view.spy_id)
        if spy is not None:
            with suppress(TimeoutError):
                async with asyncio.timeout(RING.total_seconds()):
                    await spy.turned.wait()
        if spy is None or spy.channel is None or spy.over:
            raise Conflict("your phone was not picked up")
        return spy.channel

    def _end(self, spy: _Spy) -> None:
        self._spies.pop(spy.spy_id, None)
        spy.over = True
        spy.turned.set()


def _plain(text: str) -> str:
    """Nothing that would end a quoted name."""
    return "".join(sign for sign in text if sign.isalnum() or sign in " ._-")
