"""Turns the rows of one call into the events that AMI would have sent of it.

CEL does not tell what AMI does: who dialed a channel, that it rang, why it did not answer, or that somebody asked to
hang up. All of it can be read from the rows of the whole call, looking ahead: a channel that comes into being under
another's linkedid was dialed, by whoever ran Dial or Queue then; the channel that `hangupsource` names asked to hang
up just before the rows of the end. What cannot be read is left out: when a phone began to ring, and who held whom.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

import msgspec

from callcenter import events as ev
from callcenter.backfill import legs, omissions, stays
from callcenter.backfill.callbacks import Callbacks, is_moment
from callcenter.backfill.cel import Cel
from callcenter.backfill.legs import Leg
from callcenter.backfill.queuelog import QueueLine

UP: Final = 6
RING: Final = 4
DOWN: Final = 0
ENDING: Final = frozenset({"HANGUP", "CHAN_END", "BRIDGE_EXIT", "APP_END", "LINKEDID_END", "PARK_END"})
NOT_REACHED_AT_ALL: Final = frozenset({0, 16, 18, 19, 26, 127})
"""Causes of a dialed channel's end that say nothing against the device: it rang, or was given up."""


class Story(msgspec.Struct, frozen=True):
    """The events of one call. `complete` is false where rows are missing."""

    events: list[ev.Event]
    complete: bool


def told(rows: Sequence[Cel], lines: Sequence[QueueLine], *, with_queue_log: bool) -> Story:
    """The events of the call that the rows are of, in the order of time.

    Args:
        rows: of one call, as written.
        lines: what the queue_log says of its channels.
        with_queue_log: whether there is a queue_log for that time; without it nobody knows why a caller left a queue.
    """
    ordered = sorted(rows, key=lambda row: row.at)
    if with_queue_log:
        ordered = omissions.filled(ordered, lines)
    return _Telling(ordered, lines, with_queue_log).story()


class _Telling:
    def __init__(self, rows: list[Cel], lines: Sequence[QueueLine], with_queue_log: bool) -> None:
        self.rows = rows
        self.legs = legs.of(rows)
        self.before: dict[int, list[ev.Event]] = defaultdict(list)
        """Events that come before those of a row, which is named by its number."""
        self.after: dict[int, list[ev.Event]] = defaultdict(list)
        self.asked: dict[str, int] = {}
        """Channel that asked to hang up → number of the row before which it did."""
        self.out: list[ev.Event] = []
        self.complete = True
        callbacks = Callbacks()
        self.called_back = {row.uniqueid: found for row in rows if (found := callbacks.note(row)) is not None}
        """Channel of a phone that Asterisk rings again → the customer's, for whom it does."""
        self._ask()
        self._give_up()
        self._take_over()
        visits = stays.of(rows, self.legs, lines, with_queue_log)
        for at, event in visits.before(self.asked):
            self.before[at].append(event)
        self.complete = visits.complete
        for at, event in visits.after:
            self.after[at].append(event)

    def story(self) -> Story:
        """Tell row by row."""
        for number, row in enumerate(self.rows):
            self.out += self.before.get(number, ())
            leg = self.legs.get(row.uniqueid)
            if leg is not None and number >= leg.first:
                self._tell(number, row, leg)
            self.out += self.after.get(number, ())
        for leg in self.legs.values():
            if leg.gone is None:
                # Nobody wrote that it ended: it was gone with the last that is known.
                self.complete = False
                self.out.append(ev.Hangup(self.rows[-1].at, leg.uniqueid, leg.linkedid, 0))
        return Story(self.out, self.complete)

    def _tell(self, number: int, row: Cel, leg: Leg) -> None:
        match row.kind:
            case "CHAN_START":
                self._began(row, leg)
            case "ANSWER":
                self._answered(row, leg)
            case "BRIDGE_ENTER":
                bridge, technology = row.extra.get("bridge_id", row.linkedid), row.extra.get("bridge_technology", "")
                self._named(row, leg)
                leg.exten = row.exten or leg.exten
                leg.talked = leg.talked or technology != "holding_bridge"
                if bridge == leg.away_from:
                    leg.away_from = None
                    self.out.append(ev.Unhold(row.at, row.uniqueid))
                conference = row.app == "ConfBridge"
                self.out.append(ev.BridgeEnter(row.at, row.uniqueid, row.linkedid, bridge, technology, conference))
            case "BRIDGE_EXIT":
                self._redirected(number)
                if number in leg.consults:
                    leg.away_from = row.extra.get("bridge_id")
                    self.out.append(ev.Hold(row.at, row.uniqueid))
                self.out.append(ev.BridgeLeave(row.at, row.uniqueid, row.extra.get("bridge_id", row.linkedid)))
            case "APP_START":
                self._named(row, leg)
                leg.exten = row.exten or leg.exten
                if row.app == "ChanSpy":
                    # To whom it listens is not written, and is of no concern to the call log.
                    self.out.append(ev.SpyStarted(row.at, row.uniqueid, row.channel, "", ""))
                if row.app in ("Queue", "VoiceMail"):
                    self.out.append(ev.Newexten(row.at, row.uniqueid, row.exten or None, row.app, row.data))
                self.out += self._originate_led_to(row, leg)
            case "BLINDTRANSFER":
                if row.extra.get("extension"):
                    self.out.append(ev.BlindTransfer(row.at, row.uniqueid, row.extra["extension"]))
            case "ATTENDEDTRANSFER":
                self._joined(number, row)
            case "PICKUP":
                self._picked_up(row)
            case "HANGUP":
                self._hung_up(row, leg)
        if number == leg.gone:
            self.out.append(ev.Hangup(row.at, row.uniqueid, row.linkedid, leg.cause))

    def _began(self, row: Cel, leg: Leg) -> None:
        state = DOWN if leg.dialed or leg.originated else RING
        self.out.append(
            ev.Newchannel(
                row.at,
                row.uniqueid,
                row.linkedid,
                row.channel,
                state,
                row.number,
                row.name,
                row.context or None,
                row.exten or None,
            )
        )
        half = self.legs.get(leg.half or "")
        if half is not None and half.first < leg.first:
            self.out.append(ev.LocalBridge(row.at, half.uniqueid, leg.uniqueid))
        customer = self.legs.get(self.called_back.get(leg.uniqueid, ""))
        if customer is not None:
            # The phone shows who waits, as it does live; by that the tracker knows for which call it rings.
            self.out.append(ev.NewConnectedLine(row.at, leg.uniqueid, customer.number, customer.name))
        if leg.originated:
            self.out.append(ev.DialBegin(row.at, None, None, row.uniqueid, row.channel, None))
        source = self.legs.get(leg.source or "")
        if source is not None:
            if leg.queue is not None:
                self.out.append(ev.AgentCalled(row.at, row.uniqueid, leg.queue))
            exten = source.exten or None
            self.out.append(ev.DialBegin(row.at, source.uniqueid, exten, row.uniqueid, row.channel, leg.dial_string))
            # That it rings is not written; it is taken to do so from the beginning.
            self.out.append(ev.DialState(row.at, row.uniqueid, "RINGING"))
            if not source.talked:
                self.out.append(ev.NewConnectedLine(row.at, source.uniqueid, row.number, row.name))

    def _answered(self, row: Cel, leg: Leg) -> None:
        self.out.append(ev.Newstate(row.at, row.uniqueid, UP))
        if leg.dialed or leg.originated:
            self.out.append(ev.DialEnd(row.at, leg.source, row.uniqueid, "ANSWER", None))
        self._named(row, leg)

    def _redirected(self, number: int) -> None:
        """Who leaves a bridge for another extension was sent there, as others were, before the first of them left."""
        bridge = self.rows[number].extra.get("bridge_id")
        for row in self.rows[number:]:
            if row.kind != "BRIDGE_EXIT" or row.extra.get("bridge_id") != bridge:
                break
            leg = self.legs.get(row.uniqueid)
            if leg is not None and row.exten and leg.exten and row.exten != leg.exten:
                self.out.append(ev.Newexten(row.at, row.uniqueid, row.exten, row.app or "AppDial", row.data))
                leg.exten = row.exten

    def _named(self, row: Cel, leg: Leg) -> None:
        """The dialplan may give the caller a name, or another number."""
        if leg.dialed or leg.originated or (row.number, row.name) == (leg.number, leg.name):
            return
        leg.number, leg.name = row.number, row.name
        self.out.append(ev.NewCallerid(row.at, row.uniqueid, row.number, row.name))

    def _originate_led_to(self, row: Cel, leg: Leg) -> list[ev.Event]:
        """Where an originate led its phone, once it was answered; `s` is where nobody dialed anything."""
        if not leg.originated or row.exten in ("", "s"):
            return []
        return [ev.OriginateResponse(row.at, None, row.uniqueid, row.exten)]

    def _joined(self, number: int, row: Cel) -> None:
        second = self.legs.get(row.extra.get("channel2_uniqueid", ""))
        target = self.legs.get(row.extra.get("transfer_target_channel_uniqueid", ""))
        state = None
        if target is not None:
            state = UP if target.answered is not None and target.answered < number else RING
        same = second is None or second.uniqueid == row.uniqueid
        self.out.append(
            ev.AttendedTransfer(
                row.at,
                row.uniqueid,
                second.uniqueid if second is not None else row.uniqueid,
                None if same or second is None else second.exten or None,
                target.uniqueid if target is not None else None,
                state,
                target.exten or None if target is not None else None,
            )
        )

    def _picked_up(self, row: Cel) -> None:
        taker = row.extra.get("pickup_channel_uniqueid", "")
        if taker in self.legs:
            self.out.append(ev.Pickup(row.at, taker, row.uniqueid))

    def _hung_up(self, row: Cel, leg: Leg) -> None:
        if leg.originated and leg.answered is None and row.number and row.number != leg.number:
            # Nobody picked up: the phone showed the number that was to be called.
            self.out.append(ev.OriginateResponse(row.at, None, row.uniqueid, row.number))

    def _dial_ended(self, number: int, leg: Leg) -> ev.DialEnd:
        """How a dialed channel that did not answer was given up, with the row of that number."""
        status = "NOANSWER"
        if leg.uniqueid in self.asked:
            pass  # it refused, and its cause says how
        elif leg.cause == 17:
            status = "BUSY"
        elif leg.cause not in NOT_REACHED_AT_ALL:
            status = "CONGESTION"
        elif leg.source is not None and self.asked.get(leg.source, len(self.rows)) <= number:
            status = "CANCEL"
        elif leg.lost is not None and is_moment(self.rows[number].at, self.rows[leg.lost].at):
            status = "CANCEL"
        return ev.DialEnd(self.rows[number].at, leg.source, leg.uniqueid, status, None)

    def _give_up(self) -> None:
        """Find out when those that did not answer were given up: some channels outlive the Dial that made them."""
        for leg in self.legs.values():
            if leg.dialed and leg.answered is None and leg.hung_up is not None and leg.cause != 26:
                number = min(leg.hung_up, leg.given_up if leg.given_up is not None else leg.hung_up)
                self.before[number].append(self._dial_ended(number, leg))

    def _take_over(self) -> None:
        """Find out who took the place of a phone that rang: a pick-up by SIP's Replaces is written no other way."""
        told = {row.extra.get("pickup_channel_uniqueid") for row in self.rows if row.kind == "PICKUP"}
        for leg in self.legs.values():
            if not leg.made_by or leg.dialed or leg.originated or leg.uniqueid in told:
                continue
            at = self.rows[leg.made].at
            for other in self.legs.values():
                rang = other.dialed and other.answered is None and other.made_by in ("", leg.made_by)
                if rang and other.hung_up is not None and is_moment(self.rows[other.hung_up].at, at):
                    self.before[leg.made].append(ev.Pickup(at, leg.uniqueid, other.uniqueid))

    def _ask(self) -> None:
        """Find out who asked to hang up, and when: with the first row of the end that it led to."""
        sources = {row.extra.get("hangupsource") for row in self.rows if row.kind == "HANGUP"}
        for leg in self.legs.values():
            if leg.channel in sources and leg.hung_up is not None:
                start = self._start_of_end(leg.hung_up)
                if leg.left is not None:
                    start = min(start, self._start_of_end(leg.left))
                given_up = leg.given_up
                if given_up is not None and is_moment(self.rows[given_up].at, self.rows[start].at):
                    start = min(start, given_up)  # it refused, and what dialed it ended for that
                self.asked[leg.uniqueid] = start
                request = ev.HangupRequest(self.rows[start].at, leg.uniqueid, leg.cause or None, False)
                self.before[start].append(request)

    def _start_of_end(self, number: int) -> int:
        rows = self.rows
        while number > 0:
            earlier, row = rows[number - 1], rows[number]
            if earlier.kind not in ENDING and earlier.exten != "h":
                break
            if not is_moment(earlier.at, row.at):
                break
            number -= 1
        return number
