"""The people around the simulated PBX: who calls, whom, how often, and what they do. Pure; randomness has a
seed.
"""

from collections.abc import Iterator, Sequence
from random import Random

import msgspec

from callcenter.simulator.company import SAMPLE, Company
from callcenter.simulator.flows import Order, click_to_dial, inbound, internal, outbound
from callcenter.simulator.pbx import Pbx
from callcenter.simulator.people import ANONYMOUS, Answers, Callee, Caller, Ignores, Manners, Refuses
from callcenter.simulator.queue_flows import inbound_queue
from callcenter.simulator.schedule import Flow, Schedule

_MOST_CALLS = 12
"""Calls that go on at one time before no new one begins by itself."""

_FIRST_CALL_S = 2.0
_LOOK_AGAIN_S = 0.5


class Habits(msgspec.Struct, frozen=True, kw_only=True):
    """How the people of a world are, in seconds and shares (0 to 1)."""

    picks_up: tuple[float, float] = (4.0, 8.0)
    talks: tuple[float, float] = (20.0, 70.0)
    gives_up: float = 0.12
    patience: tuple[float, float] = (3.0, 7.0)
    anonymous: float = 0.07
    stranger: float = 0.18
    ignores: float = 0.05
    refuses: float = 0.04
    holds: float = 0.12


class World:
    """Callers and agents of one company.

    `customers` are the callers who are known (numbers as the trunk shows them); others are strangers, or
    withhold their number. `attend` names an extension at which somebody sits who wants to see calls: it gets
    most of them.
    """

    def __init__(
        self,
        company: Company = SAMPLE,
        customers: Sequence[Caller] = (),
        habits: Habits | None = None,
        seed: int = 1,
    ) -> None:
        self.company = company
        self.customers = list(customers)
        self.habits = habits or Habits()
        self.random = Random(seed)
        self.attended: list[str] = []

    def attend(self, extension: str) -> None:
        """Let most calls ring at this extension from now on (too)."""
        if extension in self.company.phones and extension not in self.attended:
            self.attended.append(extension)

    def leave(self, extension: str) -> None:
        """Treat an extension as all others again."""
        if extension in self.attended:
            self.attended.remove(extension)

    def traffic(self, pbx: Pbx, schedule: Schedule, calls_per_minute: float) -> Flow:
        """Let calls begin for ever, so many a minute on average; the first one soon."""
        yield _FIRST_CALL_S
        while True:
            if len({channel.linkedid for channel in pbx.channels.values()}) < _MOST_CALLS:
                schedule.place(self.call(pbx))
            # Not as irregular as real traffic: nobody wants to watch an empty screen for minutes.
            yield 60 / calls_per_minute * self.random.uniform(0.6, 1.4)

    def call(self, pbx: Pbx) -> Flow:
        """Return the next call, of whatever kind."""
        kind = self.random.random()
        others = [item for item in self.company.phones if item not in self.attended and pbx.status(item) == 1]
        if kind < 0.12 and others:
            return outbound(pbx, self.random.choice(others), self._outside(), self.manners(pbx))
        if kind < 0.17 and len(others) > 1:
            one, two = self.random.sample(others, 2)
            return internal(pbx, one, two, self.manners(pbx))
        return self.incoming(pbx, self.random.choice(list(self._targets(pbx))))

    def incoming(self, pbx: Pbx, did: str, caller: Caller | None = None) -> Flow:
        """Return a call from outside to this number of the company."""
        caller = caller or self.caller()
        is_queue = self.company.numbers[self.company.national(did)] in pbx.queues
        return (inbound_queue if is_queue else inbound)(pbx, caller, did, self.manners(pbx))

    def to(self, pbx: Pbx, extension: str, caller: Caller | None = None) -> Flow | None:
        """Return a call from outside that rings at this extension when it is free; None where no number leads there."""
        numbers = list(self._leading_to(extension))
        direct = [did for did in numbers if self.company.numbers[did] == extension]
        return self._when_free(pbx, extension, self.random.choice(direct or numbers), caller) if numbers else None

    def _when_free(self, pbx: Pbx, extension: str, did: str, caller: Caller | None) -> Flow:
        while pbx.status(extension) != 1:
            yield _LOOK_AGAIN_S
        yield from self.incoming(pbx, did, caller)

    def dialed(self, pbx: Pbx, order: Order) -> Flow:
        """Return the call that an Originate asks for: the agent is quick, the customer is as all are."""
        free = pbx.status(order.channel.removeprefix("PJSIP/")) == 1
        agent: Callee = Answers(self.random.uniform(1.0, 2.0)) if free else Refuses("busy")
        return click_to_dial(pbx, order, agent, self.manners(pbx))

    def caller(self) -> Caller:
        """Return somebody who calls."""
        kind = self.random.random()
        if kind < self.habits.anonymous:
            return ANONYMOUS
        if kind < self.habits.anonymous + self.habits.stranger or not self.customers:
            return Caller(f"077009{self.random.randrange(100_000):05}")
        return self.random.choice(self.customers)

    def manners(self, pbx: Pbx) -> Manners:
        """Return how the people of one call will be."""
        habits, draw = self.habits, self.random
        return Manners(
            callee=lambda extension, attempt: self._agent(pbx, extension),
            customer=self._customer(),
            patience=draw.uniform(*habits.patience) if draw.random() < habits.gives_up else None,
            talk=draw.uniform(*habits.talks),
            caller_ends=draw.random() < 0.6,
            holds=((5.0, draw.uniform(4, 10)),) if draw.random() < habits.holds else (),
        )

    def _agent(self, pbx: Pbx, extension: str) -> Callee:
        if pbx.status(extension) != 1:
            return Refuses("busy")
        if extension not in self.attended:
            kind = self.random.random()
            if kind < self.habits.ignores:
                return Ignores()
            if kind < self.habits.ignores + self.habits.refuses:
                return Refuses("rejected", 2.0)
        return Answers(self.random.uniform(*self.habits.picks_up))

    def _customer(self) -> Callee:
        kind = self.random.random()
        if kind < 0.08:
            return Refuses("busy", 1.0)
        if kind < 0.18:
            return Ignores()
        return Answers(self.random.uniform(2, 6))

    def _outside(self) -> str:
        numbers = [caller.number for caller in self.customers if caller.number]
        number = self.random.choice(numbers) if numbers else f"077009{self.random.randrange(100_000):05}"
        return self.company.national(number)

    def _targets(self, pbx: Pbx) -> Iterator[str]:
        """Yield the numbers of the company, those that lead to who attends and is free much more often."""
        for did, target in self.company.numbers.items():
            # Few call who is talking, or the missed list of a demo would grow by the minute.
            if target in pbx.queues or pbx.status(target) == 1:
                yield did
        for extension in self.attended:
            for _ in range(4 if pbx.status(extension) == 1 else 0):
                yield from self._leading_to(extension)

    def _leading_to(self, extension: str) -> Iterator[str]:
        queues = {plan.name for plan in self.company.queues if extension in plan.members}
        for did, target in self.company.numbers.items():
            if target == extension or target in queues:
                yield did
