"""Who is at an end of a call, as far as the PBX's directory and the queues tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from callcenter.model import Party, PartyKind
from callcenter.tracking import ids
from callcenter.tracking.directory import Directory, Side
from callcenter.tracking.legs import Leg

if TYPE_CHECKING:
    from callcenter.tracking.calls import CallFacts


def agent_of(call: CallFacts, leg: Leg, *, member: bool = False) -> str | None:
    """The agent at a device: who sits there, or for a queue member nobody knows, the extension itself."""
    device = call.directory.devices.get(leg.interface)
    if device is not None:
        return device.agent
    if member:
        call.members.add(leg.interface)
    return ids.resource(leg.interface) if leg.interface in call.members else None


def party_of(call: CallFacts, leg: Leg) -> Party:
    """The party at the end of a leg, as far as it is known."""
    if leg.side is Side.TRUNK:
        number = leg.dialed if leg.dialed is not None else leg.number
        return call.directory.outside_party(number, _own_name(leg), leg.channel, leg.interface)
    device = call.directory.devices.get(leg.interface)
    agent = agent_of(call, leg)
    return Party(
        number=device.extension if device else _extension(leg),
        name=(device.name if device else None) or _own_name(leg),
        channel=leg.channel,
        kind=PartyKind.AGENT if agent else PartyKind.EXTENSION,
        agent=agent,
    )


def known_party(directory: Directory, party: Party) -> Party:
    """A party of a record with the agent who sits at its device, which a record does not tell."""
    device = directory.devices.get(ids.interface(party.channel)) if party.channel else None
    return replace(party, agent=device.agent) if device is not None and party.agent is None else party


def _own_name(leg: Leg) -> str | None:
    """A leg's caller id name. A dialed leg has the name of who calls it, which is not its own."""
    return leg.name if leg.dialed is None and leg.ring is None else None


def _extension(leg: Leg) -> str | None:
    name = ids.resource(leg.interface)
    return name if name.isdecimal() else leg.number or name
