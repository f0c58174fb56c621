"""The bytes of many calls, made by a virtual clock as fast as the machine can: for benches and for tests.

Pure but for what the caller does with the bytes: the same seed always gives the same events.
"""

from collections.abc import Callable, Iterator
from random import Random

import msgspec

from callcenter.simulator.company import SAMPLE, Company
from callcenter.simulator.flows import inbound, internal, outbound
from callcenter.simulator.pbx import Pbx
from callcenter.simulator.people import Answers, Callee, Caller, Ignores, Manners, Refuses
from callcenter.simulator.queue_flows import inbound_queue
from callcenter.simulator.schedule import Flow, Schedule

START = 1_800_000_000.0
"""Seconds since 1970 at which virtual time begins."""


class VirtualPbx:
    """A PBX in virtual time. Place flows, run, and read `blocks`: (seconds since 1970, raw block)."""

    def __init__(self, company: Company = SAMPLE, seed: int = 1) -> None:
        self.time = START
        self.blocks: list[tuple[float, bytes]] = []
        self.pbx = Pbx(company, lambda: self.time, self._keep, Random(seed))
        self.schedule = Schedule(self.pbx)

    def _keep(self, block: bytes, right: str) -> None:
        self.blocks.append((self.time, block))

    def run(self, until: float | None = None) -> None:
        """Play what was placed to its end, or to `until` (seconds since 1970)."""
        while (due := self.schedule.next_due) is not None and (until is None or due <= until):
            self.time = max(self.time, due)
            self.schedule.run_due()
        if until is not None:
            self.time = max(self.time, until)

    def take(self) -> bytes:
        """Return what was said since the last time, as it would come from the socket."""
        data = b"".join(block + b"\r\n\r\n" for _, block in self.blocks)
        self.blocks.clear()
        return data


class Mix(msgspec.Struct, frozen=True, kw_only=True):
    """Which calls a load consists of, by weight."""

    queue: float = 5
    inbound: float = 3
    outbound: float = 3
    internal: float = 1


def big_company(agents: int, queues: int = 10, memberships: int = 1) -> Company:
    """Return a company of that many phones (from 10001), each in so many ring-one queues."""
    phones = {str(10_001 + number): f"Agent {number + 1}" for number in range(agents)}
    names = [f"queue{number + 1}" for number in range(queues)]
    extensions = list(phones)
    plan = SAMPLE.queues[1]
    apart = queues // memberships
    plans = tuple(
        msgspec.structs.replace(
            plan,
            name=name,
            members=tuple(
                extension
                for place in range(memberships)
                for extension in extensions[(number + place * apart) % queues :: queues]
            ),
        )
        for number, name in enumerate(names)
    )
    numbers = {f"0207945{number:04}": name for number, name in enumerate(names)}
    numbers |= {f"0207947{number:04}": extension for number, extension in enumerate(extensions[:9999])}
    return msgspec.structs.replace(SAMPLE, phones=phones, numbers=numbers, queues=plans)


def load(
    calls_per_s: float, seconds: float, agents: int = 200, mix: Mix | None = None, seed: int = 1
) -> Iterator[bytes]:
    """Yield, for each second, the bytes of a PBX on which so many calls begin per second."""
    virtual = VirtualPbx(big_company(agents), seed)
    draw = virtual.pbx.random
    mix = mix or Mix()
    second = 0
    at = 0.0
    while second < seconds:
        while at < second + 1:
            at += draw.expovariate(calls_per_s)
            virtual.schedule.place(one_call(virtual.pbx, mix), max(0.0, START + at - virtual.time))
        second += 1
        virtual.run(START + second)
        yield virtual.take()


def one_call(pbx: Pbx, mix: Mix) -> Flow:
    """Return a call of some kind, with people who do what people do."""
    kinds: list[Callable[[Pbx], Flow]] = [_queue, _inbound, _outbound, _internal]
    weights = [mix.queue, mix.inbound, mix.outbound, mix.internal]
    return pbx.random.choices(kinds, weights)[0](pbx)


def _manners(pbx: Pbx) -> Manners:
    draw = pbx.random
    behaviors: list[Callee] = [Answers(draw.uniform(1, 8)), Ignores(), Refuses("busy"), Refuses("rejected", 2)]
    behavior = draw.choices(behaviors, [85, 8, 4, 3])[0]
    again = Answers(draw.uniform(1, 5))
    return Manners(
        callee=lambda extension, attempt: again if attempt else behavior,
        customer=behavior,
        patience=draw.uniform(5, 60) if draw.random() < 0.2 else None,
        talk=draw.uniform(5, 60),
        caller_ends=draw.random() < 0.5,
        holds=((2.0, 2.0),) if draw.random() < 0.1 else (),
    )


def _customer(pbx: Pbx) -> Caller:
    return Caller(f"077009{pbx.random.randrange(100_000):05}")


def _did(pbx: Pbx, queue: bool) -> str:
    return pbx.random.choice([did for did, to in pbx.company.numbers.items() if (to in pbx.queues) is queue])


def _queue(pbx: Pbx) -> Flow:
    return inbound_queue(pbx, _customer(pbx), _did(pbx, True), _manners(pbx))


def _inbound(pbx: Pbx) -> Flow:
    return inbound(pbx, _customer(pbx), _did(pbx, False), _manners(pbx))


def _outbound(pbx: Pbx) -> Flow:
    phone = pbx.random.choice(list(pbx.company.phones))
    return outbound(pbx, phone, f"077009{pbx.random.randrange(100_000):05}", _manners(pbx))


def _internal(pbx: Pbx) -> Flow:
    one, two = pbx.random.sample(list(pbx.company.phones), 2)
    return internal(pbx, one, two, _manners(pbx))
