"""A row of Asterisk's channel event log, from whichever table or file it comes.

Source: https://docs.asterisk.org/Configuration/Reporting/Channel-Event-Logging-CEL/CEL-Design-Goals/ and main/cel.c.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

import msgspec

from callcenter.errors import BadInput

LONGEST: Final = 4096
"""Characters of one column that are looked at: no column of Asterisk's is longer."""
EARLIEST: Final = datetime(2000, 1, 1, tzinfo=UTC)
LATEST: Final = datetime(2200, 1, 1, tzinfo=UTC)

NAMES: Final = {
    "1": "CHAN_START",
    "2": "CHAN_END",
    "3": "HANGUP",
    "4": "ANSWER",
    "5": "APP_START",
    "6": "APP_END",
}
"""What a table with numbers for kinds means by them."""


class Cel(NamedTuple):
    """Something that happened to one channel. `extra` is what the kind has to say besides."""

    kind: str
    at: datetime
    uniqueid: str
    linkedid: str
    channel: str
    number: str | None
    name: str | None
    exten: str
    context: str
    app: str
    data: str
    extra: Mapping[str, str]


COLUMNS: Final = (
    "eventtype",
    "eventtime",
    "uniqueid",
    "linkedid",
    "channame",
    "cid_num",
    "cid_name",
    "exten",
    "context",
    "appname",
    "appdata",
    "extra",
)
"""The columns that are used, by the names that cel_pgsql, cel_odbc and FreePBX share, in the order of `parsed`."""

NOTHING: Final[Mapping[str, str]] = {}
_extra = msgspec.json.Decoder(dict[str, str | int | float | bool | None])


def parsed(columns: tuple[Any, ...]) -> Cel:
    """The row whose `COLUMNS` these are.

    Raises:
        BadInput: a column that is needed is missing or is not what it should be; says which.
    """
    if len(columns) != len(COLUMNS):
        raise BadInput(f"a CEL row has {len(COLUMNS)} columns, and not {len(columns)}")
    kind, stamp, uniqueid, linkedid, channel, number, name, exten, context, app, data, extra = columns
    if not kind or not uniqueid or not linkedid or not channel:
        raise BadInput("eventtype, uniqueid, linkedid and channame must not be empty")
    text = _text(kind)
    return Cel(
        NAMES.get(text, text),
        moment(stamp),
        _text(uniqueid),
        _text(linkedid),
        _text(channel),
        _text(number) or None,
        _text(name) or None,
        _text(exten),
        _text(context),
        _text(app),
        _text(data),
        _told(extra),
    )


def read(rows: Iterable[tuple[Any, ...]], on_bad: Callable[[str], None]) -> list[Cel]:
    """The rows whose columns these are; what is no row is told to `on_bad` and left out."""
    found = []
    for columns in rows:
        try:
            found.append(parsed(columns))
        except BadInput as problem:
            on_bad(str(problem))
    return found


def moment(stamp: Any) -> datetime:
    """A time, from a datetime in UTC or the seconds since 1970.

    Raises:
        BadInput: it is neither, or no time at which there was an Asterisk.
    """
    try:
        if isinstance(stamp, datetime):
            found = stamp.replace(tzinfo=UTC) if stamp.tzinfo is None else stamp.astimezone(UTC)
        else:
            found = datetime.fromtimestamp(float(stamp), UTC)
    except (TypeError, ValueError, OverflowError, OSError) as problem:
        raise BadInput(f"eventtime {str(stamp)[:40]!r} is no time") from problem
    if not EARLIEST <= found < LATEST:
        raise BadInput(f"eventtime {found.isoformat()} cannot be")
    return found


def _text(value: Any) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        value = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    return str(value)[:LONGEST]


def _told(extra: Any) -> Mapping[str, str]:
    """What `extra` says. A table may have cut it off: then it says nothing."""
    if not extra:
        return NOTHING
    try:
        return {key: "" if value is None else str(value) for key, value in _extra.decode(extra).items()}
    except (msgspec.DecodeError, msgspec.ValidationError, TypeError):
        return NOTHING
