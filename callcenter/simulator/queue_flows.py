"""Calls through a queue: ring-all, linear and least-recent, with all that can go wrong. Pure generators.

Who is rung, for how long and again, and what is said of it, is that of Asterisk's app_queue as recorded in
`tests/replay`; `tests/service/test_simulator_fidelity.py` holds it there.
"""

from collections.abc import Generator

from callcenter.simulator.channels import Channel, Headers, Member, Queue
from callcenter.simulator.company import Strategy
from callcenter.simulator.flows import from_trunk, refusal_of, route
from callcenter.simulator.pbx import Pbx
from callcenter.simulator.people import Caller, Manners, Signal
from callcenter.simulator.ringing import Leg, Outcome, ring, talk
from callcenter.simulator.schedule import Flow

Steps = Generator[float, Signal | None, None]

_ANSWER_S = 0.5
"""How long Answer() waits for the media before the dialplan goes on."""

_GOODBYE_S = 0.87


def inbound_queue(pbx: Pbx, caller: Caller, did: str, manners: Manners) -> Flow:
    """Let somebody outside call the number of a queue."""
    trunk = from_trunk(pbx, caller, did)
    national = pbx.company.national(did)
    queue = pbx.queues[pbx.company.numbers[national]]
    plan = queue.plan
    if plan.answers:
        trunk.place("queues", plan.name, 1)
        pbx.state(trunk, 6)
        signal = yield _ANSWER_S
        if signal is not None:
            _end(pbx, trunk, 16)
            return
        trunk.priority = 2
        pbx.runs(trunk, "Queue", f"{plan.name},,,,{plan.wait_s:g}")
    else:
        trunk.place("from-trunk", national, 2)
        pbx.runs(trunk, "Queue", f"{plan.name},r,,,{plan.wait_s:g}")
    if all(member.extension not in pbx.registered for member in queue.members):
        pbx.sets(trunk, "QUEUESTATUS", "JOINEMPTY")
        yield from _goodbye(pbx, trunk)
        return
    yield from _Visit(pbx, queue, trunk, manners).steps()


class _Visit:
    """One caller's stay in one queue."""

    def __init__(self, pbx: Pbx, queue: Queue, trunk: Channel, manners: Manners) -> None:
        self.pbx = pbx
        self.queue = queue
        self.trunk = trunk
        self.manners = manners
        self.began = pbx.now()
        self.until = self.began + queue.plan.wait_s
        self.gives_up_at = None if manners.patience is None else self.began + manners.patience
        self.attempts: dict[str, int] = {}
        self.passed: set[str] = set()
        """Whom a linear queue has rung already."""
        self.refused: set[str] = set()
        """Who refused since the last pause; a queue that rang them again at once would do so for ever."""
        self.ringall = queue.plan.strategy is Strategy.RINGALL

    def steps(self) -> Steps:
        """Wait, ring and talk, to the end of the call."""
        pbx, queue, trunk = self.pbx, self.queue, self.trunk
        pbx.joins(trunk, queue)
        if queue.plan.answers:
            pbx.music(trunk, True)
        while True:
            members = self._choose()
            if members:
                legs = self._call(members)
                outcome = yield from self._ring(legs)
                if outcome.kind == "answered" and outcome.leg is not None:
                    yield from self._serve(outcome.leg, [leg for leg in legs if leg is not outcome.leg])
                    return
            else:
                legs, outcome = [], Outcome("nobody")
            if outcome.kind in ("gave_up", "cut"):
                self._abandon(legs, outcome.kind == "cut")
                return
            if pbx.now() >= self.until:
                yield from self._time_out(legs)
                return
            self._silence(legs)
            if outcome.kind == "refused" and self._choose(peek=True):
                continue
            self.refused.clear()
            limits = [pbx.now() + queue.plan.retry_s, self.until]
            if self.gives_up_at is not None:
                limits.append(self.gives_up_at)
            signal = yield max(0.0, min(limits) - pbx.now())
            if signal is not None and signal.channel == trunk.name and signal.kind == "hangup":
                self._abandon([], cut=True)
                return
            if self.gives_up_at is not None and pbx.now() >= self.gives_up_at:
                self._abandon([], cut=False)
                return
            if pbx.now() >= self.until:
                yield from self._time_out([])
                return

    def _choose(self, peek: bool = False) -> list[Member]:
        """Return whom to ring now, in the order in which Asterisk makes the channels; `peek` rings nobody."""
        free = [
            member
            for member in self.queue.members
            if not member.paused and member.extension not in self.refused and self.pbx.status(member.extension) == 1
        ]
        if len(free) <= self.queue.waiting.index(self.trunk):
            return []
        if self.ringall:
            return free[::-1]
        if self.queue.plan.strategy is Strategy.LEASTRECENT:
            # Of equals, app_queue rings the one that it read last from its configuration.
            return [min(reversed(free), key=lambda member: member.last_call)]
        fresh = [member for member in free if member.extension not in self.passed]
        if not fresh:
            fresh = free
            if not peek:
                self.passed.clear()
        if not peek:
            self.passed.add(fresh[0].extension)
        return fresh[:1]

    def _call(self, members: list[Member]) -> list[Leg]:
        pbx, trunk = self.pbx, self.trunk
        legs = []
        for member in members:
            extension = member.extension
            phone = pbx.phone_channel(extension, trunk)
            phone.application = "AppQueue"
            attempt = self.attempts.get(extension, 0)
            self.attempts[extension] = attempt + 1
            leg = Leg(phone, self.manners.callee(extension, attempt), pbx.now(), member)
            legs.append(leg)
            phone.connected_number, phone.connected_name = trunk.number, trunk.shown_name
            pbx.agent("AgentCalled", trunk, phone, self.queue, member, [])
            pbx.dial_begins(trunk, phone, f"PJSIP/{extension}")
            if not self.ringall:
                pbx.connected(trunk, extension, member.name)
            if leg.rings:
                pbx.state(phone, 5)
                pbx.connected(phone, trunk.number, trunk.shown_name)
                pbx.occupy(phone.device)
            else:
                pbx.connected(phone, trunk.number, trunk.shown_name)
        for leg in legs:
            if leg.rings:
                pbx.dial_rings(trunk, leg.channel)
        return legs

    def _ring(self, legs: list[Leg]) -> Generator[float, Signal | None, Outcome]:
        """Let these phones ring; take out of `legs` whoever refuses."""
        until = min(self.pbx.now() + self.queue.plan.ring_s, self.until)
        while True:
            outcome = yield from ring(self.pbx, legs, self.trunk, until, self.gives_up_at)
            leg = outcome.leg
            if leg is None or outcome.kind == "answered":
                return outcome
            legs.remove(leg)
            self._refused(leg, outcome.kind == "refused")
            if not legs:
                return Outcome("refused")

    def _refused(self, leg: Leg, asked: bool) -> None:
        pbx = self.pbx
        self.refused.add(leg.channel.device.removeprefix("PJSIP/"))
        refusal = refusal_of(leg.behavior)
        causes = (refusal.cause, refusal.sip) if asked else (16, None)
        if asked:
            pbx.asks_to_hang_up(leg.channel, *causes)
        pbx.dial_ends(self.trunk, leg.channel, "NOANSWER")
        self._told("AgentRingNoAnswer", leg, [("RingTime", str(self._rang(leg) * 1000))])
        pbx.hang_up(leg.channel, *causes)
        if leg.rings:
            pbx.release(leg.channel.device)

    def _rang(self, leg: Leg) -> int:
        return int(self.pbx.now() - leg.began + 0.001)

    def _told(self, event: str, leg: Leg, facts: Headers) -> None:
        if leg.member is not None:
            self.pbx.agent(event, self.trunk, leg.channel, self.queue, leg.member, facts)

    def _silence(self, legs: list[Leg]) -> None:
        """Stop phones that nobody answered in time."""
        self._unanswered(legs)
        for leg in legs:
            self._drop(leg, 0)

    def _unanswered(self, legs: list[Leg]) -> None:
        for leg in legs:
            self._told("AgentRingNoAnswer", leg, [("RingTime", str(self._rang(leg) * 1000))])
            self.pbx.dial_ends(self.trunk, leg.channel, "NOANSWER")
        for leg in legs:
            self.pbx.dial_ends(self.trunk, leg.channel, "CANCEL")

    def _drop(self, leg: Leg, cause: int) -> None:
        self.pbx.hang_up(leg.channel, cause)
        self.pbx.release(leg.channel.device)

    def _abandon(self, legs: list[Leg], cut: bool) -> None:
        pbx, trunk = self.pbx, self.trunk
        if not cut:
            pbx.asks_to_hang_up(trunk)
        if self.queue.plan.answers:
            pbx.music(trunk, False)
        for _ in range(2):
            for leg in legs:
                pbx.dial_ends(trunk, leg.channel, "CANCEL")
        pbx.abandons(trunk, self.queue)
        self._leave()
        pbx.lets_go(trunk)
        pbx.hang_up(trunk, 16 if cut else 0)
        for leg in legs:
            self._drop(leg, 0)

    def _time_out(self, legs: list[Leg]) -> Steps:
        pbx, trunk = self.pbx, self.trunk
        self._unanswered(legs)
        pbx.abandons(trunk, self.queue)
        if self.queue.plan.answers:
            pbx.music(trunk, False)
        self._leave()
        pbx.sets(trunk, "QUEUESTATUS", "TIMEOUT")
        for leg in legs:
            self._drop(leg, 0)
        yield from _goodbye(pbx, trunk)

    def _leave(self) -> None:
        self.pbx.leaves_queue(self.trunk, self.queue)
        self.queue.joined.pop(self.trunk.uniqueid)

    def _serve(self, leg: Leg, losers: list[Leg]) -> Steps:
        """Connect the caller with who answered, and see the talk to its end."""
        pbx, trunk, phone, member = self.pbx, self.trunk, leg.channel, leg.member
        if member is None:
            return
        waited = pbx.waited(trunk, self.queue)
        pbx.state(phone, 6)
        pbx.dial_ends(trunk, phone, "ANSWER")
        for turn in range(2):
            for loser in losers:
                pbx.dial_ends(trunk, loser.channel, "CANCEL")
            if not turn and self.ringall:
                pbx.connected(trunk, member.extension, member.name)
        if self.queue.plan.answers:
            pbx.music(trunk, False)
        self._leave()
        ring_s = int(pbx.now()) - int(leg.began)
        self._told("AgentConnect", leg, [("HoldTime", str(waited)), ("RingTime", str(ring_s))])
        for loser in losers:
            self._drop(loser, 26)
        if trunk.state != 6:
            pbx.state(trunk, 6)
        member.in_call = True
        answered = pbx.now()
        end = yield from talk(pbx, trunk, phone, self.manners)
        if end.by != "system":
            pbx.asks_to_hang_up(trunk if end.by == "caller" else phone)
        reason = "transfer" if end.exten else "caller" if end.by == "caller" else "agent"
        facts = [
            ("HoldTime", str(waited)),
            ("TalkTime", str(int(pbx.now()) - int(answered))),
            ("Reason", reason),
        ]
        self._told("AgentComplete", leg, facts)
        first, second = (trunk, phone) if end.by == "caller" else (phone, trunk)
        pbx.leaves(first)
        pbx.leaves(second)
        member.in_call = False
        member.calls_taken += 1
        member.last_call = int(pbx.now())
        self.queue.completed += 1
        pbx.hang_up(phone, 16)
        pbx.release(phone.device)
        if end.exten:
            yield from route(pbx, trunk, end.exten, self.manners)
        else:
            _end(pbx, trunk, 16)


def _goodbye(pbx: Pbx, trunk: Channel) -> Steps:
    trunk.priority = 3
    pbx.runs(trunk, "Playback", "vm-goodbye")
    yield _GOODBYE_S
    trunk.priority = 4
    _end(pbx, trunk, 16)


def _end(pbx: Pbx, trunk: Channel, cause: int) -> None:
    pbx.lets_go(trunk)
    pbx.hang_up(trunk, cause)
