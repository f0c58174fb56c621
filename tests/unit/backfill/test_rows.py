"""Rows of CEL and lines of queue_log: what is read of them, and what is refused."""

from datetime import UTC, datetime, timedelta

import pytest

from callcenter.backfill import cel, csvlines, queuelog
from callcenter.backfill.gathering import FORGOTTEN, MOST_ROWS, Gatherer
from callcenter.errors import BadInput

GOOD = ("CHAN_START", "1795441904.5", "1.0", "1.0", "PJSIP/1001-00000001", "1001", "", "s", "in", "", "", "")
AT = datetime.fromtimestamp(1795441904.5, UTC)


def test_a_row_is_read() -> None:
    row = cel.parsed((*GOOD[:-1], '{"bridge_id":"b","n":1,"gone":null}'))
    assert (row.kind, row.at, row.number, row.name) == ("CHAN_START", AT, "1001", None)
    assert row.extra == {"bridge_id": "b", "n": "1", "gone": ""}


def test_times_come_as_seconds_or_as_datetimes() -> None:
    aware = AT.astimezone(UTC)
    for stamp in (aware, aware.replace(tzinfo=None), 1795441904.5, "1795441904.5"):
        assert cel.moment(stamp) == AT


@pytest.mark.parametrize("stamp", ["", "soon", None, "nan", "1e99", "-1", "9" * 400, object()])
def test_what_is_no_time_is_refused(stamp: object) -> None:
    with pytest.raises(BadInput, match="eventtime"):
        cel.moment(stamp)


@pytest.mark.parametrize("place", [0, 2, 3, 4])
def test_a_row_without_a_name_is_refused(place: int) -> None:
    row = [*GOOD]
    row[place] = ""
    with pytest.raises(BadInput, match="must not be empty"):
        cel.parsed(tuple(row))


@pytest.mark.parametrize("extra", ["{", '{"bridge_id":"cut of', "[1]", "null", b"\xff", 7, '{"a":{"b":1}}'])
def test_an_extra_that_cannot_be_read_says_nothing(extra: object) -> None:
    assert cel.parsed((*GOOD[:-1], extra)).extra == {}


def test_a_file_with_bad_lines_gives_the_good_ones_and_tells_of_the_others() -> None:
    columns = ["CHAN_START", "1795441904.5", "1.0", "1.0", "PJSIP/1-1", *[""] * 13]
    good = ",".join(f'"{column}"' for column in columns)
    bad: list[str] = []
    rows = list(csvlines.parsed([good, "nonsense", good.replace("1795441904.5", "later"), "", good], bad.append))
    assert len(rows) == 2
    assert len(bad) == 3


def test_a_line_of_the_queue_log_is_read() -> None:
    line = queuelog.parsed("1795441905|1.0|support|NONE|ENTERQUEUE||0207|1\n")
    assert line is not None
    assert (line.uniqueid, line.queue, line.word, line.data) == ("1.0", "support", "ENTERQUEUE", ("", "0207", "1"))


def test_a_line_about_no_caller_is_passed_over() -> None:
    assert queuelog.parsed("1795441905|NONE|NONE|NONE|QUEUESTART|") is None


@pytest.mark.parametrize("line", ["", "x", "soon|1.0|q|m|CONNECT", "1|2|3", "1795441905|1.0|q|m|" + "x" * 9000])
def test_what_is_no_line_is_refused(line: str) -> None:
    with pytest.raises(BadInput):
        queuelog.parsed(line)


def _row(kind: str, seconds: float, uniqueid: str, linkedid: str = "") -> cel.Cel:
    at = AT + timedelta(seconds=seconds)
    return cel.parsed((kind, at, uniqueid, linkedid or uniqueid, f"PJSIP/{uniqueid}", "", "", "", "", "", "", ""))


def test_a_call_is_given_out_when_it_is_over_and_no_row_can_come_late() -> None:
    gatherer = Gatherer()
    assert list(gatherer.row(_row("CHAN_START", 0, "1.0"))) == []
    assert list(gatherer.row(_row("CHAN_START", 1, "1.1", "1.0"))) == []
    assert list(gatherer.row(_row("CHAN_END", 2, "1.1", "1.0"))) == []
    assert list(gatherer.row(_row("CHAN_START", 90, "2.0"))) == []
    assert list(gatherer.row(_row("CHAN_END", 91, "1.0"))) == []
    (over,) = gatherer.row(_row("CHAN_START", 99, "3.0"))
    assert [row.uniqueid for row in over.rows] == ["1.0", "1.1", "1.1", "1.0"]
    assert len(list(gatherer.rest())) == 2


def test_a_call_of_which_nothing_is_heard_any_more_is_given_out() -> None:
    gatherer = Gatherer()
    list(gatherer.row(_row("CHAN_START", 0, "1.0")))
    later = 2 * FORGOTTEN.total_seconds()
    (over,) = gatherer.row(_row("CHAN_START", later, "2.0"))
    assert over.open == {"1.0"}


def test_a_call_without_end_does_not_fill_the_memory() -> None:
    gatherer = Gatherer()
    for n in range(MOST_ROWS + 10):
        list(gatherer.row(_row("CHAN_START", n / 1000, f"1.{n}", "1.0")))
    (group,) = gatherer.rest()
    assert group.cut
    assert len(group.rows) == MOST_ROWS
