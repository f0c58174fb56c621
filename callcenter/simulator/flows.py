"""The calls that the simulated PBX can have, apart from those through a queue (`queue_flows`). Pure
generators.
 Each yields how long nothing happens, and says its events through `Pbx`. Which events, with what headers and
in what order, is held to the traces of a real Asterisk by `tests/service/test_simulator_fidelity.py`.
"""

from collections.abc import Generator
from datetime import timedelta

import msgspec

from callcenter.simulator.channels import Channel
from callcenter.simulator.pbx import Pbx
from callcenter.simulator.people import REFUSALS, Callee, Caller, Manners, Refusal, Refuses, Signal
from callcenter.simulator.ringing import End, Leg, ring, talk
from callcenter.simulator.schedule import Flow

Steps = Generator[float, Signal | None, None]

_CUT = Refusal(
    cause=16, sip=487, dial_end="NOANSWER", dial_status="NOANSWER", caller_cause=19, caller_sip=480, reason=3
)
"""A ringing phone that was hung up by AMI."""


def inbound(pbx: Pbx, caller: Caller, did: str, manners: Manners) -> Flow:
    """Let somebody outside call the number of a person, or one that is nobody's."""
    trunk = from_trunk(pbx, caller, did)
    national = pbx.company.national(did)
    extension = pbx.company.numbers.get(national)
    if extension is None:
        trunk.exten = national
        pbx.lets_go(trunk)
        pbx.hang_up(trunk, 1, 404)
        return
    trunk.place("to-extension", national, 1)
    yield from dial_extension(pbx, trunk, extension, manners)


def from_trunk(pbx: Pbx, caller: Caller, did: str) -> Channel:
    """Make the channel of a call that comes in."""
    device = f"PJSIP/{pbx.company.trunk}"
    return pbx.channel(device, 4, caller.number, caller.name, ("from-trunk", did))


def internal(pbx: Pbx, extension: str, dialed: str, manners: Manners) -> Flow:
    """Let one desk call another."""
    name = pbx.company.phones[extension]
    phone = pbx.channel(f"PJSIP/{extension}", 4, extension, name, ("from-internal", dialed))
    phone.place("to-extension", dialed, 1)
    yield from dial_extension(pbx, phone, dialed, manners)


def outbound(pbx: Pbx, extension: str, number: str, manners: Manners) -> Flow:
    """Let a desk call somebody outside."""
    name = pbx.company.phones[extension]
    phone = pbx.channel(f"PJSIP/{extension}", 4, extension, name, ("from-internal", number))
    yield from dial_out(pbx, phone, number, manners)


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """An Originate as it was asked for."""

    action_id: str
    channel: str
    context: str
    exten: str
    number: str | None
    name: str | None
    timeout: timedelta
    channel_id: str | None = None
    variables: tuple[tuple[str, str], ...] = ()


def click_to_dial(pbx: Pbx, order: Order, agent_does: Callee, manners: Manners) -> Flow:
    """Ring the agent's phone, then let it call whom the agent wants to talk with."""
    extension = order.channel.removeprefix("PJSIP/")
    if extension not in pbx.registered:
        _originated(pbx, order, None, 0)
        return
    phone = pbx.channel(
        f"PJSIP/{extension}",
        0,
        extension,
        pbx.company.phones[extension],
        (order.context, "s"),
        uniqueid=order.channel_id,
    )
    phone.variables.update(order.variables)
    phone.application, phone.data = "AppDial2", "(Outgoing Line)"
    # Asterisk says each of the two when both are known already.
    phone.connected_number = None
    if order.number is not None:
        pbx.caller_id(phone, order.number, order.name)
        pbx.connected(phone, order.number, order.name)
    leg = Leg(phone, agent_does, pbx.now())
    pbx.dial_begins(None, phone, extension)
    if leg.rings:
        pbx.dial_rings(None, phone)
        pbx.state(phone, 5)
        pbx.occupy(phone.device)
    until = pbx.now() + order.timeout.total_seconds()
    outcome = yield from ring(pbx, [leg], None, until, None)
    if outcome.kind != "answered":
        refusal = refusal_of(leg.behavior) if outcome.kind == "refused" else _CUT
        if outcome.kind == "refused":
            pbx.asks_to_hang_up(phone, refusal.cause, refusal.sip)
            pbx.dial_ends(None, phone, refusal.dial_end)
        _originated(pbx, order, None, refusal.reason)
        pbx.hang_up(phone, *((19, 480) if outcome.kind == "time_out" else (refusal.cause, refusal.sip)))
        if leg.rings:
            pbx.release(phone.device)
        return
    pbx.state(phone, 6)
    pbx.dial_ends(None, phone, "ANSWER")
    _originated(pbx, order, phone, 4)
    phone.place(order.context, order.exten, 1)
    yield from route(pbx, phone, order.exten, manners)


def _originated(pbx: Pbx, order: Order, phone: Channel | None, reason: int) -> None:
    result = [
        ("ActionID", order.action_id),
        ("Response", "Success" if phone else "Failure"),
        ("Channel", phone.name if phone else order.channel),
        ("Context", order.context),
        ("Exten", order.exten),
        ("Reason", str(reason)),
        ("Uniqueid", order.channel_id or (phone.uniqueid if phone else "<unknown>")),
        ("CallerIDNum", order.number or "<unknown>"),
        ("CallerIDName", order.name or "<unknown>"),
    ]
    pbx.say("OriginateResponse", "call", result)


def route(pbx: Pbx, caller: Channel, exten: str, manners: Manners) -> Steps:
    """Let a channel that is up already go where an extension of `from-internal` leads."""
    if exten in pbx.company.phones:
        caller.place("to-extension", exten, 1)
        yield from dial_extension(pbx, caller, exten, manners)
    elif exten.lstrip("+").isdecimal() and exten[0] in "0+":
        yield from dial_out(pbx, caller, exten, manners)
    else:
        pbx.lets_go(caller)
        _over(pbx, caller, 1)


def dial_extension(pbx: Pbx, caller: Channel, extension: str, manners: Manners) -> Steps:
    """Let a channel run Dial to a phone of the company, and see it to its end."""
    pbx.runs(caller, "Dial", f"PJSIP/{extension},{pbx.company.extension_ring_s:g}")
    pbx.sets(caller, "DIALSTATUS", "")
    phone = pbx.phone_channel(extension, caller)
    pbx.connected(phone, caller.number, caller.shown_name)
    pbx.dial_begins(caller, phone, extension)
    pbx.connected(caller, extension, pbx.company.phones[extension])
    leg = Leg(phone, manners.callee(extension, 0), pbx.now())
    yield from _dialed(pbx, caller, leg, pbx.company.extension_ring_s, manners)


def dial_out(pbx: Pbx, caller: Channel, number: str, manners: Manners) -> Steps:
    """Let a channel run Dial to the outside, and see it to its end."""
    company = pbx.company
    pbx.caller_id(caller, company.main_number, caller.shown_name)
    caller.priority = 2
    pbx.runs(caller, "Dial", f"PJSIP/{number}@{company.trunk},{company.trunk_ring_s:g}")
    pbx.sets(caller, "DIALSTATUS", "")
    trunk = pbx.channel(f"PJSIP/{company.trunk}", 0, None, None, ("from-trunk", "s"), caller)
    trunk.application, trunk.data = "AppDial", "(Outgoing Line)"
    trunk.exten = number
    trunk.connected_number, trunk.connected_name = caller.number, caller.shown_name
    pbx.caller_id(trunk, number, caller.connected_name)
    pbx.connected(trunk, caller.number, caller.shown_name)
    pbx.dial_begins(caller, trunk, f"{number}@{company.trunk}")
    if caller.connected_number != number:
        pbx.connected(caller, number, None)
    yield from _dialed(pbx, caller, Leg(trunk, manners.customer, pbx.now()), company.trunk_ring_s, manners)


def refusal_of(behavior: Callee) -> Refusal:
    """Return how a phone's refusal shows."""
    return REFUSALS[behavior.how] if isinstance(behavior, Refuses) else _CUT


def _dialed(pbx: Pbx, caller: Channel, leg: Leg, ring_s: float, manners: Manners) -> Steps:
    """Let the one leg of a Dial ring, and play what comes of it."""
    called = leg.channel
    began = pbx.now()
    was_up = caller.state == 6
    if leg.rings:
        pbx.dial_rings(caller, called)
        pbx.state(called, 5)
        pbx.occupy(called.device)
        if not was_up:
            pbx.occupy(caller.device)
    gives_up_at = None if manners.patience is None else began + manners.patience
    outcome = yield from ring(pbx, [leg], caller, began + ring_s, gives_up_at)
    if outcome.kind == "answered":
        pbx.state(called, 6)
        pbx.sets(caller, "DIALSTATUS", "ANSWER")
        called.exten = ""
        pbx.dial_ends(caller, called, "ANSWER")
        if not was_up:
            pbx.state(caller, 6)
        end = yield from talk(pbx, caller, called, manners)
        yield from _parted(pbx, caller, called, end, manners)
        return
    causes: tuple[tuple[int, int | None], tuple[int, int | None], int | None]
    if outcome.kind in ("refused", "hung_up"):
        refusal = refusal_of(leg.behavior) if outcome.kind == "refused" else _CUT
        status, steps = refusal.dial_status, 4 if refusal.cause == 17 else 3
        causes = (refusal.cause, refusal.sip), (refusal.caller_cause, refusal.caller_sip), None
        if outcome.kind == "refused":
            pbx.asks_to_hang_up(called, refusal.cause, refusal.sip)
        pbx.dial_ends(caller, called, refusal.dial_end)
    elif outcome.kind == "time_out":
        status, steps = "NOANSWER", 3
        causes = (0, None), (19, 480), None
        pbx.dial_ends(caller, called, "NOANSWER")
    else:
        status, steps = "CANCEL", caller.priority
        causes = ((16, None), (0, None), None) if was_up else ((127, 500), (127, 487), 487)
        if outcome.kind == "gave_up":
            pbx.asks_to_hang_up(caller, None if was_up else 127, causes[2])
        pbx.dial_ends(caller, called, "CANCEL")
    pbx.sets(caller, "DIALSTATUS", status)
    caller.priority = steps
    pbx.lets_go(caller, causes[2])
    pbx.hang_up(called, *causes[0])
    pbx.hang_up(caller, *causes[1])
    if leg.rings:
        pbx.release(called.device)
    if leg.rings or was_up:
        pbx.release(caller.device)


def _parted(pbx: Pbx, caller: Channel, called: Channel, end: End, manners: Manners) -> Steps:
    """Play the end of a talk that Dial had made."""
    if end.exten:
        caller.place("from-internal", end.exten, 1)
        pbx.runs(caller, caller.application, caller.data)
        pbx.leaves(caller)
        pbx.leaves(called)
        pbx.sets(caller, "DIALSTATUS", "ANSWER")
        pbx.hang_up(called, 16)
        pbx.release(called.device)
        yield from route(pbx, caller, end.exten, manners)
        return
    if end.by == "caller":
        pbx.asks_to_hang_up(caller, 16)
        pbx.leaves(caller)
    elif end.by == "callee":
        pbx.asks_to_hang_up(called, 16)
    pbx.leaves(called)
    if end.by != "caller":
        pbx.leaves(caller)
    pbx.hang_up(called, 16)
    pbx.release(called.device)
    pbx.sets(caller, "DIALSTATUS", "ANSWER")
    pbx.lets_go(caller)
    _over(pbx, caller, 16)


def _over(pbx: Pbx, caller: Channel, cause: int) -> None:
    pbx.hang_up(caller, cause)
    pbx.release(caller.device)
