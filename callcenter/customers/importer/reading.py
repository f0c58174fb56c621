"""The program that reads a file: splits it, checks its rows, reads numbers, and writes lines for PostgreSQL's COPY.

`process` starts it as `python -m callcenter.customers.importer.reading`, and speaks to it by the messages of `parts`
over its input and output. It is a process of its own so that it reads while another one stores, on another core. It
is one batch ahead of the answers that it waits for, and ends when nobody listens to it any more.
"""

import gc
import signal
import sys
from itertools import islice
from pathlib import Path
from typing import IO, TypeVar

import msgspec

from callcenter.customers.importer.batches import Batch, BatchReader
from callcenter.customers.importer.cells import Row
from callcenter.customers.importer.opened import OpenedFile, Options
from callcenter.customers.importer.parts import (
    BETWEEN,
    LENGTH_BYTES,
    Digests,
    End,
    Failed,
    Lines,
    Part,
    Task,
    frame,
    length,
)
from callcenter.customers.importer.rows import RowReader
from callcenter.errors import BadInput
from callcenter.matching.number import Reader

BATCH = 5_000
"""Rows that are read and stored at a time, which is what memory holds of the file."""

UNSWEPT = 50_000
"""How many more objects than before there may be until Python looks for cycles among them. A batch is 10 000 lists
and tuples without any; looking through them would take as long as splitting the rows."""

T = TypeVar("T")


class Reading:
    """Reads one file from beginning to end.

    Args:
        task: which file, and how.
        source: where answers come from.
        sink: where batches go.
    """

    def __init__(self, task: Task, source: IO[bytes], sink: IO[bytes]) -> None:
        options = Options(encoding=task.encoding, delimiter=task.delimiter, mapping=task.mapping, match=task.match)
        self._opened = OpenedFile(Path(task.path), options)
        columns, reader = self._opened.columns, Reader(task.region, cache_size=0)
        rows = RowReader(columns, reader, task.match, task.agents, task.tenant_id)
        self._batches = BatchReader(rows, columns, task.match, task.agents, task.region)
        self._asks = task.asks
        self._source = source
        self._sink = sink
        self._count = 0

    def run(self) -> None:
        """Read all rows.

        Raises:
            BadFile: the file cannot be read.
        """
        waiting: Batch | None = None
        while rows := list(islice(self._opened.rows, BATCH)):
            self._count += len(rows)
            batch = self._batches.split(rows)
            if not self._asks:
                self._write(batch)
                continue
            send(self._sink, Digests(references=BETWEEN.join(batch.references), digests=batch.digests))
            if waiting is not None:
                self._write_others(waiting)
            waiting = batch
        if waiting is not None:
            self._write_others(waiting)

    def _write_others(self, batch: Batch) -> None:
        """Write the rows of a batch that are not the same as last time."""
        batch.keep(receive(self._source, list[int]))
        self._write(batch)

    def _write(self, batch: Batch) -> None:
        rejects: list[tuple[Row, str]] = []
        customers, phones = self._batches.read(batch, lambda row, why: rejects.append((_sendable(row), why)))
        done = self._opened.text.done
        send(self._sink, Lines(customers=customers, phones=phones, rejects=rejects, rows=self._count, done=done))


def send(sink: IO[bytes], message: Part) -> None:
    """Write a message; waits while the other process is busy."""
    sink.write(frame(message))
    sink.flush()


def receive(source: IO[bytes], kind: type[T]) -> T:
    """Read a message; when nobody is there to send one, the program ends."""
    head = source.read(LENGTH_BYTES)
    body = source.read(length(head))
    if len(head) < LENGTH_BYTES or len(body) < length(head):
        raise SystemExit(1)
    return msgspec.msgpack.decode(body, type=kind)


def _sendable(row: Row) -> Row:
    """The row with question marks for what is no character, as the file of rejected rows shows it."""
    return row._replace(cells=[cell.encode(errors="replace").decode() for cell in row.cells])


def main() -> None:
    """Read the task from the input, and write what becomes of it to the output."""
    # who stores the rows may be gone
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    gc.set_threshold(UNSWEPT, *gc.get_threshold()[1:])
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    try:
        Reading(receive(source, Task), source, sink).run()
        last: Part = End()
    except BadInput as problem:
        last = Failed(problem=str(problem))
    send(sink, last)


if __name__ == "__main__":
    main()
