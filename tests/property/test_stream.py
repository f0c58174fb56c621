"""Snapshot + events = later snapshot, whatever calls, answers, acks, disconnects and resumes come in whatever order."""

import json
from typing import Any
from uuid import UUID

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from callcenter.changes import Change
from callcenter.model import CallStatus, Direction, OfferResult, Party
from screenpop import messages
from screenpop.audience import Audience, Delivery, Lookup
from screenpop.messages import Match, Notice, Resume
from screenpop.presence import Seat
from screenpop.stream import KEPT_BYTES, KEPT_MESSAGES, MAX_POPS, Stream
from tests.unit.screenpop.script import EPOCH, Script, agent_party, found

AGENTS = ("li", "wu", "bo")
CLIENTS = range(4)
"""Pages; page n is of agent n % 3, so that one agent has two."""


class Page:
    """A client that believes what it is told, and checks that it may."""

    def __init__(self) -> None:
        self.session: str | None = None
        self.seq = 0
        self.agent: Any = None
        self.calls: dict[str, Any] = {}
        self.pops: dict[str, Any] = {}

    def welcome(self, text: bytes) -> None:
        message = json.loads(text)
        if message["resumed"]:
            assert message["seq"] == self.seq and message["snapshot"] is None
        else:
            snapshot = message["snapshot"]
            self.seq = message["seq"]
            self.agent = snapshot["agent"]
            self.calls = {call["call_id"]: call for call in snapshot["calls"]}
            self.pops = {pop["call_id"]: pop for pop in snapshot["pops"]}
        self.session = message["session"]

    def take(self, text: bytes) -> None:
        message = json.loads(text)
        assert message["seq"] == self.seq + 1
        self.seq = message["seq"]
        match message["type"]:
            case "pop":
                assert message["call_id"] not in self.pops, "one pop per call and agent"
                self.pops[message["call_id"]] = message
            case "pop_update":
                if message["call_id"] in self.pops:
                    self.pops[message["call_id"]]["match"] = message["match"]
            case "pop_withdrawn" | "pop_acknowledged":
                self.pops.pop(message["call_id"], None)
            case "call" if message["call"]["state"] == "ended":
                self.calls.pop(message["call"]["call_id"], None)
            case "call":
                self.calls[message["call"]["call_id"]] = message["call"]
            case "agent":
                self.agent = {key: value for key, value in message.items() if key != "seq"}


class Floor(RuleBasedStateMachine):
    """Three agents, four pages that come and go, calls in every state."""

    def __init__(self) -> None:
        super().__init__()
        self.audience = Audience()
        self.streams = {agent: Stream(f"epoch-{agent}") for agent in AGENTS}
        self.pages = {n: Page() for n in CLIENTS}
        self.connected: dict[int, Page] = {}
        self.scripts: list[Script] = []
        self.lookups: list[Lookup] = []
        self.count = 0

    def deliver(self, effects: list[Delivery | Lookup]) -> None:
        for effect in effects:
            if isinstance(effect, Lookup):
                self.lookups.append(effect)
            else:
                self.send(effect.agent, self.streams[effect.agent].append(effect.message))

    def send(self, agent: str, texts: list[bytes]) -> None:
        for text in texts:
            for n, page in self.connected.items():
                if AGENTS[n % 3] == agent:
                    page.take(text)

    def publish(self, change: Change) -> None:
        self.deliver(self.audience.apply(change))

    @rule(direction=st.sampled_from(Direction), agent=st.sampled_from(AGENTS), number=st.sampled_from((None, "1", "2")))
    def call_starts(self, direction: Direction, agent: str, number: str | None) -> None:
        self.count += 1
        customer = Party(number=number, name=f"caller {self.count}")
        caller = customer if direction is Direction.INBOUND else agent_party(agent)
        callee = customer if direction is Direction.OUTBOUND else Party(number="4000")
        script = Script(f"call {self.count}", direction=direction, caller=caller, callee=callee)
        self.scripts.append(script)
        self.publish(script.started())

    @precondition(lambda self: self.scripts)
    @rule(data=st.data(), agent=st.sampled_from(AGENTS), device=st.sampled_from(("PJSIP/1", "PJSIP/2")))
    def phone_rings(self, data: st.DataObject, agent: str, device: str) -> None:
        script = data.draw(st.sampled_from(self.scripts))
        device = f"{device}-{agent}"
        if not any(o.interface == device and o.ended_at is None for o in script.call.offers):
            self.publish(script.rings(agent, device))

    @precondition(lambda self: any(o.ended_at is None for s in self.scripts for o in s.call.offers))
    @rule(data=st.data(), result=st.sampled_from(OfferResult))
    def phone_stops(self, data: st.DataObject, result: OfferResult) -> None:
        ringing = [(s, o) for s in self.scripts for o in s.call.offers if o.ended_at is None]
        script, offer = data.draw(st.sampled_from(ringing))
        assert offer.agent is not None
        self.publish(script.stops(offer.agent, result, offer.interface))
        if result is OfferResult.ANSWERED:
            self.publish(script.talks(offer.agent, offer.interface))

    @precondition(lambda self: any(c.to is None for s in self.scripts for c in s.call.connections))
    @rule(data=st.data(), hold=st.booleans())
    def agent_holds_or_leaves(self, data: st.DataObject, hold: bool) -> None:
        talking = [(s, c) for s in self.scripts for c in s.call.connections if c.to is None]
        script, connection = data.draw(st.sampled_from(talking))
        assert connection.agent is not None
        self.publish(script.holds(connection.agent) if hold else script.leaves(connection.agent))

    @precondition(lambda self: self.scripts)
    @rule(data=st.data(), number=st.sampled_from(("1", "3")))
    def number_becomes_known(self, data: st.DataObject, number: str) -> None:
        script = data.draw(st.sampled_from(self.scripts))
        end = "callee" if script.call.direction is Direction.OUTBOUND else "caller"
        party = getattr(script.call, end)
        if party.agent is None:
            self.publish(script.updated(**{end: Party(number=number, name=party.name)}))

    @precondition(lambda self: self.scripts)
    @rule(data=st.data(), status=st.sampled_from(CallStatus))
    def call_ends(self, data: st.DataObject, status: CallStatus) -> None:
        script = data.draw(st.sampled_from(self.scripts))
        self.scripts.remove(script)
        self.publish(script.ends(status))

    @precondition(lambda self: len(self.scripts) > 1)
    @rule(data=st.data())
    def calls_merge(self, data: st.DataObject) -> None:
        first, second = data.draw(st.permutations(self.scripts))[:2]
        self.scripts.remove(second)
        self.publish(first.merges(second))

    @precondition(lambda self: self.lookups)
    @rule(data=st.data(), late=st.booleans(), names=st.lists(st.sampled_from(("Ada", "Bob")), unique=True))
    def lookup_answers(self, data: st.DataObject, late: bool, names: list[str]) -> None:
        lookup = data.draw(st.sampled_from(self.lookups))
        if late:
            self.deliver(self.audience.overdue(lookup.call_id, lookup.number, EPOCH))
        else:
            self.lookups.remove(lookup)
            answer: Match = found(lookup.number, *names)
            self.deliver(self.audience.matched(lookup.call_id, lookup.number, answer, EPOCH))

    @rule(size=st.sampled_from((1, 10, KEPT_MESSAGES + 1)))
    def broadcast(self, size: int) -> None:
        notice = Notice(level="info", code="x", text="hello")
        body = messages.encode(notice)
        for _ in range(size):
            for agent in AGENTS:
                self.send(agent, self.streams[agent].append(notice, body))

    @rule(agent=st.sampled_from(AGENTS), paused=st.booleans())
    def agent_sits(self, agent: str, paused: bool) -> None:
        self.deliver(self.audience.sit(Seat(agent=agent, name=agent.title(), paused=paused), EPOCH))

    @precondition(lambda self: len(self.connected) < len(CLIENTS))
    @rule(data=st.data(), forget=st.booleans())
    def page_connects(self, data: st.DataObject, forget: bool) -> None:
        n = data.draw(st.sampled_from([n for n in CLIENTS if n not in self.connected]))
        agent = AGENTS[n % 3]
        self.deliver(self.audience.arrive(agent, EPOCH))
        if forget:
            self.pages[n] = Page()
        page = self.pages[n]
        self.count += 1
        resume = Resume(session=page.session, seq=page.seq) if page.session is not None else None
        opening = self.streams[agent].open(f"tab{self.count}", resume)
        page.welcome(opening.welcome)
        assert page.session == opening.session
        for text in opening.missed:
            page.take(text)
        self.connected[n] = page

    @precondition(lambda self: self.connected)
    @rule(data=st.data())
    def page_goes(self, data: st.DataObject) -> None:
        n = data.draw(st.sampled_from(sorted(self.connected)))
        del self.connected[n]
        if not any(other % 3 == n % 3 for other in self.connected):
            self.deliver(self.audience.leave(AGENTS[n % 3], EPOCH))

    @precondition(lambda self: any(page.pops for page in self.connected.values()))
    @rule(data=st.data(), off=st.sampled_from((0, 0, 0, 1)))
    def page_acknowledges(self, data: st.DataObject, off: int) -> None:
        n = data.draw(st.sampled_from([n for n, page in self.connected.items() if page.pops]))
        pop = data.draw(st.sampled_from(list(self.connected[n].pops.values())))
        agent = AGENTS[n % 3]
        self.send(agent, self.streams[agent].ack(pop["seq"] + off))
        if off == 0:
            assert pop["call_id"] not in self.connected[n].pops

    @invariant()
    def pages_show_what_a_snapshot_would(self) -> None:
        for n, page in self.connected.items():
            stream = self.streams[AGENTS[n % 3]]
            assert page.seq == stream.seq
            fresh = json.loads(stream.open("spare").welcome)["snapshot"]
            assert page.agent == fresh["agent"]
            assert page.calls == {call["call_id"]: call for call in fresh["calls"]}
            assert page.pops == {pop["call_id"]: pop for pop in fresh["pops"]}

    @invariant()
    def screens_show_calls_in_progress_only(self) -> None:
        going_on = {script.call.call_id for script in self.scripts}
        assert self.audience.calls == len(going_on)
        for stream in self.streams.values():
            assert set(stream.calls) <= going_on

    @invariant()
    def who_rings_or_talks_sees_the_call(self) -> None:
        for script in self.scripts:
            for agent in AGENTS:
                rings = any(o.ended_at is None and o.agent == agent for o in script.call.offers)
                # Of a call between colleagues, who called talks with whoever is connected.
                calls = script.call.direction is Direction.INTERNAL and script.call.caller.agent == agent
                talks = any(c.to is None and (calls or c.agent == agent) for c in script.call.connections)
                shown = self.streams[agent].calls.get(script.call.call_id)
                if talks:
                    assert shown is not None and shown.state in ("talking", "held")
                elif rings:
                    assert shown is not None and shown.state == "ringing"

    @invariant()
    def nothing_grows_without_bound(self) -> None:
        for stream in self.streams.values():
            assert len(stream.pops) <= MAX_POPS
            opening = stream.open("spare", Resume(session="none", seq=0))
            assert not opening.missed
            kept = stream.open("spare", Resume(session=opening.session, seq=max(0, stream.seq - KEPT_MESSAGES - 1)))
            assert sum(map(len, kept.missed)) <= KEPT_BYTES + 32 * KEPT_MESSAGES


FloorTest = Floor.TestCase
FloorTest.settings = settings(max_examples=60, stateful_step_count=50, deadline=None)


def test_an_old_session_of_another_epoch_gets_a_snapshot() -> None:
    stream = Stream("new")
    stream.append(Notice(level="info", code="x", text=""))
    opening = stream.open("tab", Resume(session="old.tab", seq=1))
    assert opening.session == "new.tab" and opening.missed == ()


def test_the_seventeenth_pop_takes_the_place_of_the_oldest() -> None:
    audience, stream = Audience(), Stream("epoch")
    stream.open("tab")
    texts: list[bytes] = []
    ids: list[UUID] = []
    for n in range(MAX_POPS + 1):
        script = Script(f"call {n}", caller=Party())
        ids.append(script.call.call_id)
        for change in (script.rings("li"), script.talks("li"), script.ends()):
            for effect in audience.apply(change):
                assert isinstance(effect, Delivery)
                texts += stream.append(effect.message)
    assert list(stream.pops) == ids[1:]
    withdrawn = [json.loads(t) for t in texts if b'"pop_withdrawn"' in t]
    assert [(w["call_id"], w["reason"]) for w in withdrawn] == [(str(ids[0]), "ended")]
