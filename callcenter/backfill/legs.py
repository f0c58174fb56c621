"""What the rows of a whole call say of each of its channels: who dialed it, when it answered, how it ended."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from callcenter.backfill.callbacks import ORIGINATED
from callcenter.backfill.cel import Cel
from callcenter.tracking import ids

DIALERS: Final = frozenset({"Dial", "RetryDial", "Queue", "FollowMe", "Page"})
"""Applications that ring channels."""
MADE_BY: Final = {"AppDial": frozenset({"Dial", "RetryDial"}), "AppQueue": frozenset({"Queue"})}
"""What a dialed channel says that it runs → the applications that dial such a one."""
FORWARD_WITHIN: Final = timedelta(seconds=1)


class Run:
    """A stretch in which a channel ran an application, by the numbers of its rows."""

    __slots__ = ("app", "data", "end", "exten", "sent_away", "start")

    def __init__(self, app: str, data: str, exten: str, start: int) -> None:
        self.app = app
        self.data = data
        self.exten = exten
        self.start = start
        self.end: int | None = None
        self.sent_away = False
        """Whether it ended at another extension than it began at: the channel was redirected, or pressed a key."""

    def runs_at(self, number: int) -> bool:
        """Whether it ran when a row was written."""
        return self.start < number and (self.end is None or number < self.end)


class Leg:
    """One channel. Rows are named by their numbers."""

    __slots__ = (
        "answered",
        "away_from",
        "cause",
        "channel",
        "consults",
        "dial_string",
        "dialed",
        "exten",
        "first",
        "forwarded",
        "given_up",
        "gone",
        "half",
        "hung_up",
        "interface",
        "left",
        "linkedid",
        "lost",
        "made",
        "made_by",
        "name",
        "number",
        "originated",
        "queue",
        "runs",
        "source",
        "talked",
        "uniqueid",
    )

    def __init__(self, row: Cel, number: int) -> None:
        self.uniqueid = row.uniqueid
        self.linkedid = row.linkedid
        self.channel = row.channel
        self.interface = ids.interface(row.channel)
        self.first = number
        self.number = row.number
        self.name = row.name
        self.exten = row.exten
        """The extension at which it was last seen; the telling brings it forward."""
        self.dialed = row.uniqueid != row.linkedid and not row.channel.endswith(";2")
        self.originated = False
        self.made_by = ""
        self.made = 0
        """The row in which it first said so."""
        self.answered: int | None = None
        self.left: int | None = None
        """The row in which it left its last bridge, if it did nothing after that but end."""
        self.hung_up: int | None = None
        self.gone: int | None = None
        self.cause = 0
        self.runs: list[Run] = []
        self.forwarded: list[int] = []
        self.consults: set[int] = set()
        """Rows in which it left a bridge for another one and left somebody waiting there: a feature code was used."""
        self.away_from: str | None = None
        """The bridge in which somebody waits for it; the telling brings it forward."""
        self.half: str | None = None
        """The other half of a Local channel."""
        self.source: str | None = None
        self.queue: str | None = None
        """The queue that rings it."""
        self.dial_string: str | None = None
        self.given_up: int | None = None
        """The row in which the application that dialed it ended."""
        self.lost: int | None = None
        """The same row, where whoever ran that application was sent elsewhere."""
        self.talked = False
        """Whether it has been in a bridge with others; the telling brings it forward."""

    def running(self, number: int) -> Run | None:
        """The application that rings others which it ran when a row was written."""
        for run in reversed(self.runs):
            if run.app in DIALERS and run.runs_at(number):
                return run
        return None


def of(rows: Sequence[Cel]) -> dict[str, Leg]:
    """Uniqueid → channel, of the rows of a call in the order of time."""
    legs: dict[str, Leg] = {}
    for number, row in enumerate(rows):
        leg = legs.get(row.uniqueid)
        if leg is None:
            if row.kind != "CHAN_START":
                continue
            leg = legs[row.uniqueid] = Leg(row, number)
            _pair(legs, leg)
        _note(leg, number, row)
    _find_consultations(rows, legs)
    for leg in legs.values():
        if leg.gone is None:
            leg.gone = leg.hung_up
        if leg.dialed and not leg.originated:
            _find_source(rows, legs, leg)
    return legs


def _note(leg: Leg, number: int, row: Cel) -> None:
    kind = row.kind
    if row.app == ORIGINATED and row.uniqueid == leg.linkedid:
        leg.originated = True
        leg.dialed = False
    elif not leg.made_by and row.app in MADE_BY:
        leg.made_by = row.app
        leg.made = number
    if kind == "ANSWER":
        if leg.answered is None:
            leg.answered = number
    elif kind == "APP_START":
        leg.runs.append(Run(row.app, row.data, row.exten, number))
    elif kind == "APP_END":
        _end(leg, number, row)
    elif kind == "FORWARD":
        leg.forwarded.append(number)
    elif kind == "HANGUP":
        leg.hung_up = number
        cause = row.extra.get("hangupcause", "")
        leg.cause = int(cause) if cause.isdecimal() and len(cause) < 4 else 0
    elif kind == "CHAN_END":
        leg.gone = number
    if kind == "BRIDGE_EXIT":
        leg.left = number
    elif kind not in ("HANGUP", "CHAN_END", "APP_END", "LINKEDID_END", "ATTENDEDTRANSFER") and row.exten != "h":
        leg.left = None


def _end(leg: Leg, number: int, row: Cel) -> None:
    going = [run for run in reversed(leg.runs) if run.app == row.app and run.end is None]
    # of applications of one name that follow each other at once the end of the last alone is written
    run = next((run for run in going if run.data == row.data), going[0] if going else None)
    if run is not None:
        run.end = number
        run.sent_away = row.exten not in ("", "h", run.exten)


def _find_consultations(rows: Sequence[Cel], legs: dict[str, Leg]) -> None:
    """Who left a bridge for another, and came back or joined the two, only went to ask somebody."""
    last: dict[str, tuple[int, str]] = {}
    gone_from: dict[str, tuple[int, str]] = {}
    for number, row in enumerate(rows):
        leg = legs.get(row.uniqueid)
        bridge = row.extra.get("bridge_id", "")
        if leg is None:
            continue
        if row.kind == "BRIDGE_EXIT":
            last[row.uniqueid] = number, bridge
        elif row.kind == "BRIDGE_ENTER":
            away = gone_from.get(row.uniqueid)
            if away is not None and away[1] == bridge:
                leg.consults.add(away[0])
                del gone_from[row.uniqueid]
            elif away is None and row.uniqueid in last and last[row.uniqueid][1] != bridge:
                gone_from[row.uniqueid] = last[row.uniqueid]
        elif row.kind == "ATTENDEDTRANSFER" and row.extra.get("channel2_uniqueid") == row.uniqueid:
            away = gone_from.pop(row.uniqueid, None)
            if away is not None and away[1] in (row.extra.get("bridge1_id"), row.extra.get("bridge2_id")):
                leg.consults.add(away[0])


def _pair(legs: dict[str, Leg], leg: Leg) -> None:
    name, semicolon, half = leg.channel.rpartition(";")
    if not semicolon or not name.startswith("Local/"):
        return
    other = f"{name};{'2' if half == '1' else '1'}"
    for known in legs.values():
        if known.channel == other:
            known.half, leg.half = leg.uniqueid, known.uniqueid


def _find_source(rows: Sequence[Cel], legs: dict[str, Leg], leg: Leg) -> None:
    """Who dialed a channel: one that ran Dial for it, a queue, or whose call it was."""
    number = leg.first
    best: tuple[int, int, Leg, Run, str | None] | None = None
    for other in legs.values():
        if other is leg or other.uniqueid == leg.half or other.first > number:
            continue
        if other.gone is not None and other.gone < number:
            continue
        run = other.running(number)
        if run is None or (leg.made_by and run.app in DIALERS and run.app not in MADE_BY[leg.made_by]):
            continue
        dial_string = _piece(run.data, leg) if run.app != "Queue" else ids.resource(leg.interface)
        fits = 1
        if run.app == "Queue":
            fits = 2
        elif dial_string is not None or _forwards(rows, other, number):
            fits = 3
        if best is None or (fits, run.start) > best[:2]:
            best = (fits, run.start, other, run, dial_string)
    if best is not None:
        leg.source = best[2].uniqueid
        leg.given_up = None if _handed_on(rows, best[2]) else best[3].end
        leg.lost = leg.given_up if best[3].sent_away else None
        leg.dial_string = best[4] or (ids.resource(leg.interface) if leg.half else None)
        if best[3].app == "Queue" and not (leg.half and _forwards(rows, best[2], number)):
            leg.queue = best[3].data.partition(",")[0] or None
    elif leg.half is None and leg.linkedid in legs:
        leg.source = leg.linkedid


def _forwards(rows: Sequence[Cel], leg: Leg, number: int) -> bool:
    """Whether what a channel dialed was just sent on to another place."""
    return any(abs(rows[one].at - rows[number].at) <= FORWARD_WITHIN for one in leg.forwarded)


def _handed_on(rows: Sequence[Cel], leg: Leg) -> bool:
    """Whether another channel took the place of this one in what it ran: a transfer while the target still rang."""
    return any(row.kind == "ATTENDEDTRANSFER" and _takes_place_of(row, leg) for row in rows)


def _takes_place_of(row: Cel, leg: Leg) -> bool:
    return "app" in row.extra and row.extra.get("channel2_uniqueid") == leg.uniqueid != row.uniqueid


def _piece(data: str, leg: Leg) -> str | None:
    """The part of Dial's argument that rings a channel, without its technology: `PJSIP/0207@trunk,30` → `0207@trunk`.

    A part is `technology/[user@]endpoint[/number]`; the endpoint is what the channel is named after.
    """
    technology, _, name = leg.interface.partition("/")
    for piece in data.partition(",")[0].split("&"):
        tech, _, rest = piece.partition("/")
        if tech != technology:
            continue
        first = rest.partition("/")[0]
        at = first.rpartition("@")
        if technology == "Local":
            if first.removesuffix("/n") == name:
                return rest
        elif name in (first, at[2]):
            return rest
    return None
