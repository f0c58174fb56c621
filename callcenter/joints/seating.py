"""Who sits where, brought to those who must know: each PBX's tracker, and the agents' presence."""

from collections.abc import Callable, Collection, Mapping

from callcenter.accounts.values import Extension, Person
from callcenter.joints.directory import directory_of
from callcenter.joints.numbers import Numbers
from callcenter.pbx import Pbx

Seated = Callable[[str], None]
"""Told of an agent whose name or seat may be another one now."""


class Seating:
    """`callcenter.accounts.seats.SeatListener`."""

    def __init__(self, tenant: str, pbxs: Mapping[str, Pbx], numbers: Numbers) -> None:
        self._tenant = tenant
        self._pbxs = pbxs
        self._numbers = numbers
        self.on_seated: Seated = lambda agent: None
        self._names: dict[str, str] = {}
        self._seats: dict[str, Mapping[str, Extension]] = {}
        self._seated: dict[str, Extension] = {}
        self.on_change: Callable[[Collection[Extension]], None] | None = None
        """Told of all seats that are taken, after each change."""

    def seat_of(self, agent: str) -> Extension | None:
        """Where an agent sits now."""
        return self._seated.get(agent)

    def name_of(self, agent: str) -> str | None:
        """What an agent is called."""
        return self._names.get(agent)

    def seats(self, pbx: str) -> Mapping[str, Extension]:
        """The extensions of a PBX by interface."""
        return self._seats.get(pbx, {})

    @property
    def names(self) -> Mapping[str, str]:
        """What the people are called who can take calls, by their id; another object when it changes."""
        return self._names

    def name(self, people: list[Person]) -> None:
        """Learn what agents are called."""
        names = {person.agent: person.name for person in people}
        if names != self._names:
            self._names = names
            for pbx, seats in self._seats.items():
                self.seats_changed(pbx, seats)

    def seats_changed(self, pbx: str, seats: Mapping[str, Extension]) -> None:
        """All extensions of a PBX, after a change of at least one of them."""
        self._seats[pbx] = seats
        known = self._pbxs.get(pbx)
        if known is not None:
            reader = self._numbers.reader(pbx)
            known.tracker.learn(
                directory_of(known.settings, tenant=self._tenant, seats=seats, names=self._names, reader=reader)
            )
        before = self._seated
        self._seated = {
            seat.agent: seat for seats in self._seats.values() for seat in seats.values() if seat.agent is not None
        }
        for agent in before.keys() | self._seated.keys():
            self.on_seated(agent)
        if self.on_change is not None:
            self.on_change(self._seated.values())
