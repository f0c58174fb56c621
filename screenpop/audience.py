"""Who is told what about which call: changes in, messages for agents out.

This module alone decides when a pop is shown and withdrawn. It keeps, for each call in progress, what each
agent has to do with it (a `Part`): rings open on their devices, whether they placed or answered it, and
whether a pop is shown or waits for the match. Matching itself is somebody else's: a `Lookup` goes out as the call
begins, so that `matched` or `overdue` has come back, where it can, before a phone rings.
"""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import msgspec

from callcenter import changes
from callcenter.changes import Change
from callcenter.engagement import dialer_holds_on
from callcenter.model import CallStatus, Direction, Offer, OfferResult
from screenpop import views
from screenpop.messages import (
    AgentState,
    CallChanged,
    Match,
    Numbered,
    Pop,
    PopUpdate,
    PopWithdrawn,
    Reason,
)
from screenpop.presence import Presence, Seat
from screenpop.talk import Part, Ring, Talk


class Delivery(msgspec.Struct, frozen=True, gc=False):
    """A message that an agent is to get."""

    agent: str
    message: Numbered


class Lookup(msgspec.Struct, frozen=True, gc=False):
    """A wish to know whose number this is: once per call and number however many phones ring, and again where one
    rings late."""

    call_id: UUID
    number: str
    pbx: str
    trunk: str | None


Effect = Delivery | Lookup
INTERNAL = Match(status="ignored")
"""Colleagues are not looked up."""
FRESH: Final = timedelta(seconds=10)
"""How old an answer may be as the first phone rings. A caller may wait for minutes, and be entered meanwhile."""


class Audience:
    """What the agents of one tenant know of their calls."""

    def __init__(self) -> None:
        self._talks: dict[UUID, Talk] = {}
        self._presence = Presence()

    @property
    def calls(self) -> int:
        """Calls in progress."""
        return len(self._talks)

    def state(self, agent: str) -> AgentState | None:
        """The agent's state as told last."""
        return self._presence.state(agent)

    def states(self) -> dict[str, AgentState]:
        """The state of every agent as told last."""
        return self._presence.states()

    def sit(self, seat: Seat, at: datetime) -> list[Effect]:
        """An agent's name, phone or pause changed."""
        return _tell(self._presence.sit(seat, at))

    def arrive(self, agent: str, at: datetime) -> list[Effect]:
        """The agent's first page connected."""
        return _tell(self._presence.arrive(agent, at))

    def leave(self, agent: str, at: datetime) -> list[Effect]:
        """The agent's last page is gone for good."""
        return _tell(self._presence.leave(agent, at))

    def apply(self, change: Change) -> list[Effect]:
        """Say who is to be told what because of a change."""
        if isinstance(change, changes.Anomaly):
            return []
        effects: list[Effect] = []
        call = change.call
        talk = self._talks.get(call.call_id)
        is_new = talk is None
        if talk is None:
            if call.ended_at is not None:
                return []  # a correction of a call that is over changes no screen
            talk = self._talks[call.call_id] = Talk(call)
        talk.call = call
        dialer = views.dialing_agent(call)
        if dialer is not None and not talk.placed:
            talk.placed = talk.part(dialer).dialed = True
        if is_new:
            self._adopt(talk, change.at, effects)
            self._look_up(talk, change.at, effects)
        match change:
            case changes.AgentRinging(offer=offer) if offer.agent is not None:
                self._ring(talk, offer.agent, offer, change.at, effects)
            case changes.OfferEnded(offer=offer) if offer.agent is not None:
                self._stop_ringing(talk, offer.agent, offer, change.at, effects)
            case changes.AgentRinging() | changes.OfferEnded():
                pass
            case changes.CallEnded():
                self._end(talk, change.at, effects)
            case _:
                if isinstance(change, changes.CallMerged):
                    self._merge(talk, change.merged, change.at, effects)
                elif isinstance(change, changes.CallAnswered) and change.connection.agent is not None:
                    connection = change.connection
                    self._connect(talk, change.connection.agent, connection.interface, change.at, effects)
                    internal = call.direction is Direction.INTERNAL
                    if dialer is not None and internal and dialer_holds_on(call, dialer):
                        # The colleague who called may have been left alone meanwhile, and talks again.
                        talk.part(dialer).dialed = True
                self._refresh(talk, change.at, effects)
        return effects

    def matched(self, call_id: UUID, number: str, answer: Match, at: datetime) -> list[Effect]:
        """The look-up answered: pops that waited go out, pops that did not wait are brought up to date."""
        talk = self._talks.get(call_id)
        if talk is None or talk.asked != number:
            return []
        talk.match = answer
        effects: list[Effect] = []
        for agent, part in list(talk.parts.items()):
            if part.wanted is not None:
                self._pop(talk, agent, part, answer, effects)
            elif part.popped is not None and part.match != answer:
                part.match = answer
                told = views.for_agent(answer, agent)
                effects.append(Delivery(agent, PopUpdate(call_id=part.popped, match=told)))
            self._show(talk, agent, part, at, effects)
        return effects

    def overdue(self, call_id: UUID, number: str, at: datetime) -> list[Effect]:
        """The look-up is late: pops go out without a name, and are brought up to date if it answers yet."""
        talk = self._talks.get(call_id)
        if talk is None or talk.match is not None:
            return []
        return self.matched(call_id, number, Match(status="incomplete", number=views.clip(number)), at)

    def _adopt(self, talk: Talk, at: datetime, effects: list[Effect]) -> None:
        """Take over a call whose beginning was not seen, as after a restart."""
        for offer in talk.call.offers:
            if offer.agent is not None and offer.ended_at is None:
                self._ring(talk, offer.agent, offer, at, effects)
        for connection in talk.call.connections:
            if connection.agent is not None and connection.to is None:
                self._connect(talk, connection.agent, connection.interface, at, effects)

    def _ring(self, talk: Talk, agent: str, offer: Offer, at: datetime, effects: list[Effect]) -> None:
        part = talk.part(agent)
        part.open[offer.interface] = offer
        # The pop first: it is what the person waits for.
        self._want(talk, agent, part, Ring(at, offer.rang_at, offer.interface, offer.queue), effects)
        self._show(talk, agent, part, at, effects)

    def _stop_ringing(self, talk: Talk, agent: str, offer: Offer, at: datetime, effects: list[Effect]) -> None:
        part = talk.parts.get(agent)
        if part is None:
            return
        part.open.pop(offer.interface, None)
        if offer.result is OfferResult.ANSWERED:
            part.answered = True
        if not part.is_kept(talk.call, agent):
            self._withdraw(agent, part, views.withdrawal(offer), effects)
        self._show(talk, agent, part, at, effects)

    def _connect(self, talk: Talk, agent: str, interface: str | None, at: datetime, effects: list[Effect]) -> None:
        """An agent talks; one who picked up without being rung is shown the pop now."""
        part = talk.part(agent)
        part.answered = part.connected = True
        self._want(talk, agent, part, Ring(at, at, interface, views.queue(talk.call)), effects)

    def _refresh(self, talk: Talk, at: datetime, effects: list[Effect]) -> None:
        """Bring everybody in the call up to date, and look again if the number became known or changed."""
        for agent, part in list(talk.parts.items()):
            if part.dialed and not part.connected:
                self._want(talk, agent, part, Ring(at, talk.call.started_at, None, None), effects)
            self._show(talk, agent, part, at, effects)
        if any(part.popped or part.wanted for part in talk.parts.values()):
            self._look_up(talk, at, effects)

    def _end(self, talk: Talk, at: datetime, effects: list[Effect]) -> None:
        gone = talk.call.status in (CallStatus.ABANDONED, CallStatus.CANCELED, CallStatus.NO_ANSWER)
        for agent, part in list(talk.parts.items()):
            if not (part.answered or part.dialed):
                self._withdraw(agent, part, "caller_gave_up" if gone else "ended", effects)
            self._show(talk, agent, part, at, effects)
        del self._talks[talk.call.call_id]

    def _merge(self, talk: Talk, merged: UUID, at: datetime, effects: list[Effect]) -> None:
        """Fold another call into this one.

        Its pops stay on the screen under the name they were shown by, but for those of a consultation: who was
        asked by a colleague now talks with the customer, and sees the customer.
        """
        other = self._talks.pop(merged, None)
        if other is None:
            return
        consulted = other.call.direction is Direction.INTERNAL and talk.call.direction is not Direction.INTERNAL
        for agent, old in other.parts.items():
            part = talk.part(agent)
            part.open |= old.open
            if consulted:
                self._withdraw(agent, old, "ended", effects)
                self._join(talk, agent, part, at, effects)
            else:
                self._inherit(talk, agent, part, old, effects)
            self._show(talk, agent, part, at, effects)  # first, so that nobody is seen as free in between
            if old.view is not None:
                other.left[agent] = msgspec.structs.replace(old.view, state="ended")
                effects += _tell(self._presence.engage(agent, merged, "ended", False, at))
        for agent, view in other.left.items():
            # Those for whom it was over already, as for who has handed the customer on, are told too: it is one call.
            ended = msgspec.structs.replace(view, merged_into=talk.call.call_id)
            effects.append(Delivery(agent, CallChanged(call=ended)))

    def _inherit(self, talk: Talk, agent: str, part: Part, old: Part, effects: list[Effect]) -> None:
        """An agent of a merged call goes on in this one, with the pop that they have."""
        part.answered |= old.answered
        part.connected |= old.connected
        part.dialed |= old.dialed
        if part.popped is not None or part.wanted is not None:
            self._withdraw(agent, old, "ended", effects)
            return
        part.popped, part.match = old.popped, old.match
        if old.wanted is not None:
            self._want(talk, agent, part, old.wanted, effects)

    def _join(self, talk: Talk, agent: str, part: Part, at: datetime, effects: list[Effect]) -> None:
        """An agent came into the call by a merge: pop where they talk or ring in it."""
        own = views.devices(talk.call, agent)
        part.answered |= bool(own)
        if own or part.open:
            interface = own[0] if own else next(iter(part.open))
            self._want(talk, agent, part, Ring(at, at, interface, views.queue(talk.call)), effects)

    def _want(self, talk: Talk, agent: str, part: Part, ring: Ring, effects: list[Effect]) -> None:
        """Pop, now or when the match is there, unless this agent has the pop already."""
        if part.popped is not None or part.wanted is not None:
            return
        part.wanted = ring
        if talk.call.direction is Direction.INTERNAL and part.dialed:
            part.wanted = None  # they know whom they call
        elif talk.call.direction is Direction.INTERNAL:
            self._pop(talk, agent, part, INTERNAL, effects)
        elif views.customer_party(talk.call) is None:
            part.wanted = None  # nobody to show yet: an outbound call whose far end is not known
        elif talk.number is None:
            self._pop(talk, agent, part, Match(status="none"), effects)
        else:
            self._look_up(talk, ring.at, effects)
            if talk.match is not None:
                self._pop(talk, agent, part, talk.match, effects)

    def _look_up(self, talk: Talk, at: datetime, effects: list[Effect]) -> None:
        number = talk.number
        if number is not None and (number != talk.asked or talk.is_stale(at - FRESH)):
            talk.asked, talk.asked_at, talk.match = number, at, None
            effects.append(Lookup(talk.call.call_id, number, talk.call.pbx, views.trunk(talk.call)))

    def _pop(self, talk: Talk, agent: str, part: Part, match: Match, effects: list[Effect]) -> None:
        ring, call = part.wanted, talk.call
        if ring is None:
            return
        part.wanted, part.popped, part.match = None, call.call_id, match
        pop = Pop(
            call_id=call.call_id,
            at=ring.at,
            rang_at=ring.rang_at,
            interface=ring.interface,
            queue=ring.queue,
            did=views.clip(call.did),
            direction=call.direction.value,
            caller=views.person(views.other_side(call, agent)),
            match=views.for_agent(match, agent),
        )
        effects.append(Delivery(agent, pop))

    def _withdraw(self, agent: str, part: Part, reason: Reason, effects: list[Effect]) -> None:
        if part.popped is not None:
            effects.append(Delivery(agent, PopWithdrawn(call_id=part.popped, reason=reason)))
        part.popped = part.wanted = part.match = None

    def _show(self, talk: Talk, agent: str, part: Part, at: datetime, effects: list[Effect]) -> None:
        """Tell the agent how the call looks now, if that differs; forget them when it is over for them."""
        part.connected |= bool(views.devices(talk.call, agent))
        state = views.state(talk.call, agent, part.rings, part.dialed and not part.connected)
        view = views.view(talk.call, agent, state, talk.match)
        if view != part.view and not (part.view is None and state == "ended"):
            part.view = view
            effects.append(Delivery(agent, CallChanged(call=view)))
            effects += _tell(self._presence.engage(agent, view.call_id, state, part.dialed, at))
        if state == "ended":
            talk.parts.pop(agent, None)
            if part.view is not None:
                talk.left[agent] = part.view


def _tell(state: AgentState | None) -> list[Effect]:
    return [] if state is None else [Delivery(state.agent, state)]
