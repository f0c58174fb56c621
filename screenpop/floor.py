"""The agents of one tenant, each with a stream and the pages that show it."""

import secrets
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from uuid import UUID

from screenpop import messages
from screenpop.audience import Audience, Delivery, Effect, Lookup
from screenpop.client import Client, frame
from screenpop.contracts import Identity
from screenpop.messages import Numbered, Pop, Resume
from screenpop.stream import Stream
from screenpop.telemetry import Telemetry
from screenpop.timing import Timing

REPLACED = 4409
MAX_TABS = 8
"""Pages of one agent; the oldest is closed when there are more."""


class Desk:
    """One agent's stream and pages."""

    __slots__ = ("clients", "stream")

    def __init__(self) -> None:
        self.stream = Stream(secrets.token_hex(6))
        self.clients: list[Client] = []

    def send(self, texts: list[bytes]) -> bool:
        """Write to every page at once, in one piece; whether there was one."""
        clients = self.clients
        if not clients or not texts:
            return False
        data = frame(texts[0]) if len(texts) == 1 else b"".join(map(frame, texts))
        sent = False
        for client in clients:
            sent |= client.write(data)
        return sent


class Floor:
    """All desks of a tenant. Everything here is synchronous: nobody waits for a page."""

    def __init__(
        self,
        tenant_id: int,
        telemetry: Telemetry,
        timing: Timing,
        on_presence: Callable[[int, str, bool], None] = lambda tenant_id, agent, present: None,
    ) -> None:
        self.tenant_id = tenant_id
        self._on_presence = on_presence
        self.audience = Audience()
        self._desks: dict[str, Desk] = {}
        self._away: dict[str, float] = {}
        self._present: set[str] = set()
        self._rang: dict[UUID, dict[str, float]] = {}
        self._telemetry = telemetry
        self._timing = timing

    def rang(self, call_id: UUID, agent: str, arrived: float) -> None:
        """Remember when the event that may become a pop arrived, on the `perf_counter` clock."""
        self._rang.setdefault(call_id, {}).setdefault(agent, arrived)

    def ended(self, call_id: UUID) -> None:
        """Forget the times of a call."""
        self._rang.pop(call_id, None)

    def deliver(self, effects: list[Effect]) -> list[Lookup]:
        """Send what is for agents; returns what is to be looked up."""
        lookups: list[Lookup] = []
        told: dict[str, list[Delivery]] = {}
        for effect in effects:
            if isinstance(effect, Lookup):
                lookups.append(effect)
            else:
                told.setdefault(effect.agent, []).append(effect)
        for agent, deliveries in told.items():
            desk = self._desk(agent)
            texts = [text for delivery in deliveries for text in desk.stream.append(delivery.message)]
            if desk.send(texts):
                for delivery in deliveries:
                    if type(delivery.message) is Pop:
                        self._measure(agent, delivery.message.call_id)
        return lookups

    def send(self, delivery: Delivery) -> bool:
        """Put a message into an agent's stream and on every page of theirs."""
        desk = self._desk(delivery.agent)
        return desk.send(desk.stream.append(delivery.message))

    def broadcast(self, message: Numbered, agents: list[str] | None) -> None:
        """Send one message to many agents (None: all at a desk): encoded once, numbered for each."""
        body = messages.encode(message)
        desks = (
            self._desks.values() if agents is None else [desk for agent in agents if (desk := self._desks.get(agent))]
        )
        for desk in desks:
            desk.send(desk.stream.append(message, body))

    def enter(self, who: Identity, client: Client, resume: Resume | None) -> None:
        """Greet a page. One that resumes a session takes it from the socket that had it."""
        desk = self._desk(who.agent)
        self._away.pop(who.agent, None)
        if who.agent not in self._present:
            self._present.add(who.agent)
            self._telemetry.agents.inc()
            self._on_presence(self.tenant_id, who.agent, True)
        effects = self.audience.arrive(who.agent, datetime.now(UTC))
        self.deliver(effects)
        if resume is not None:
            for other in [c for c in desk.clients if c.session == resume.session]:
                self._replace(desk, other)
        while len(desk.clients) >= MAX_TABS:
            self._replace(desk, desk.clients[0])
        opening = desk.stream.open(secrets.token_hex(6), resume)
        client.session = opening.session
        client.who = who
        client.write(b"".join(map(frame, (opening.welcome, *opening.missed))))
        desk.clients.append(client)

    def leave(self, who: Identity, client: Client, now: float) -> None:
        """A page is gone. `now` is the monotonic clock."""
        desk = self._desks.get(who.agent)
        if desk is None:
            return
        if client in desk.clients:
            desk.clients.remove(client)
        if not desk.clients:
            self._away[who.agent] = now

    def ack(self, who: Identity, seq: int) -> None:
        """The person is done with a pop."""
        desk = self._desk(who.agent)
        desk.send(desk.stream.ack(seq))

    def pages(self) -> Iterator[Identity]:
        """Whose pages are connected: one for each page."""
        return (client.who for desk in self._desks.values() for client in desk.clients if client.who is not None)

    def evict(self, agent: str, session: str, code: int, reason: str) -> None:
        """Close the pages of one log-in of an agent."""
        desk = self._desks.get(agent)
        for client in list(desk.clients) if desk else []:
            if client.who is not None and client.who.session == session:
                client.socket.shut(code, reason)

    def tidy(self, now: float) -> None:
        """Count agents as offline whose pages are gone for long, and in the end forget their desks."""
        for agent, left in list(self._away.items()):
            if now - left > self._timing.absent_s and agent in self._present:
                self._present.remove(agent)
                self._telemetry.agents.dec()
                self._on_presence(self.tenant_id, agent, False)
                self.deliver(self.audience.leave(agent, datetime.now(UTC)))
            if now - left > self._timing.forget_s and not self._desks[agent].stream.calls:
                del self._away[agent], self._desks[agent]

    def _measure(self, agent: str, call_id: UUID) -> None:
        arrived = self._rang.get(call_id, {}).pop(agent, None)
        if arrived is not None:
            self._telemetry.latency.observe(time.perf_counter() - arrived)

    def _replace(self, desk: Desk, client: Client) -> None:
        desk.clients.remove(client)
        client.socket.shut(REPLACED, "this session goes on in another window")

    def _desk(self, agent: str) -> Desk:
        desk = self._desks.get(agent)
        if desk is None:
            desk = self._desks[agent] = Desk()
            self._away[agent] = time.monotonic()
            state = self.audience.state(agent)
            if state is not None:
                desk.stream.append(state)
        return desk
