"""Phones that Asterisk rings again, since whom they handed a call to did not answer.

The channel of such a call has a linkedid of its own and shares nothing with the call before it is answered. But it is
one that Asterisk dialed by itself, to the phone that had handed the call on by a feature code, and it begins with the
end of the target that still rang.
"""

from datetime import datetime, timedelta
from typing import Final, NamedTuple, TypeVar

from callcenter.backfill.cel import Cel
from callcenter.tracking import ids

ORIGINATED: Final = "AppDial2"
"""What a channel says that it runs where Asterisk itself dialed it."""
MOMENT: Final = timedelta(milliseconds=100)
SECOND: Final = timedelta(seconds=1)
"""The distance of rows of one moment where a table has whole seconds."""
MOST: Final = 1000
"""Transfers that are remembered; where rows are missing nobody tells how they ended."""

Value = TypeVar("Value")


class _HandedOn(NamedTuple):
    """A phone handed a customer's call to a target that rings."""

    interface: str
    customer: str


class _GivenUp(NamedTuple):
    customer: str
    at: datetime


class Callbacks:
    """Takes rows in the order of time; says whose call it is that a phone is called back for."""

    def __init__(self) -> None:
        self._targets: dict[str, _HandedOn] = {}
        self._due: dict[str, _GivenUp] = {}
        """Interface → the call for which it may be rung now."""
        self._rung: dict[str, str] = {}
        """Channel that may be such a one → the customer's."""

    def note(self, row: Cel) -> str | None:
        """Take a row; gives the customer's channel where the row's own is now known to be called back for them."""
        uniqueid = row.uniqueid
        match row.kind:
            case "ATTENDEDTRANSFER":
                target = row.extra.get("transfer_target_channel_uniqueid")
                customer = row.extra.get("transferee_channel_uniqueid")
                if target and customer:
                    _bound(self._targets)
                    self._targets[target] = _HandedOn(ids.interface(row.channel), customer)
            case "CHAN_START" if uniqueid == row.linkedid:
                due = self._due.pop(ids.interface(row.channel), None)
                if due is not None and is_moment(due.at, row.at):
                    _bound(self._rung)
                    self._rung[uniqueid] = due.customer
            case "ANSWER":
                self._targets.pop(uniqueid, None)
            case "BRIDGE_EXIT" | "HANGUP" if uniqueid in self._targets:
                handed_on = self._targets[uniqueid]
                _bound(self._due)
                self._due[handed_on.interface] = _GivenUp(handed_on.customer, row.at)
            case "CHAN_END":
                self._targets.pop(uniqueid, None)
        return self._rung.pop(uniqueid, None) if row.app == ORIGINATED else None


def is_moment(one: datetime, other: datetime) -> bool:
    """Whether rows of two times may be of one thing."""
    whole = one.microsecond == 0 and other.microsecond == 0
    return abs(other - one) <= (SECOND if whole else MOMENT)


def _bound(known: dict[str, Value]) -> None:
    if len(known) >= MOST:
        del known[next(iter(known))]
