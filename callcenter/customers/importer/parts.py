"""What the process that reads a file and the one that stores it say to each other, and how it is framed.

A message is its length in eight bytes, then MessagePack.
"""

from typing import TypeAlias

import msgspec

from callcenter.customers.importer.cells import Row
from callcenter.customers.importer.rows import MatchRule
from callcenter.model import Value

LENGTH_BYTES = 8

BETWEEN = "\x1f"
"""Between references of one text; none holds a control character."""


class Task(Value, frozen=True):
    """How to read which file; the first message to the process that reads.

    `tenant_id` is whose tables the lines are for; None if they are for the temporary tables. Where it `asks`, it sends
    `Digests` of each batch, and waits to be told the places of the rows that it has to read.
    """

    path: str
    encoding: str
    delimiter: str
    mapping: tuple[str, ...]
    match: MatchRule
    region: str
    agents: frozenset[str]
    tenant_id: int | None
    asks: bool


class Digests(Value, frozen=True, tag=True):
    """References of a batch's plain rows, with `BETWEEN` between them, and their digests."""

    references: str
    digests: list[int]


class Lines(Value, frozen=True, tag=True):
    """What became of a batch: COPY lines of its customers and phones, and the rows left out with reasons.

    `rows` and `done` are the rows and bytes of the file that were read until now.
    """

    customers: bytes
    phones: bytes
    rejects: list[tuple[Row, str]]
    rows: int
    done: int


class Failed(Value, frozen=True, tag=True):
    """The file cannot be read, and why."""

    problem: str


class End(Value, frozen=True, tag=True):
    """All rows were read."""


Part: TypeAlias = Digests | Lines | Failed | End

_encoder = msgspec.msgpack.Encoder()


def frame(message: object) -> bytes:
    """A message as bytes."""
    body = _encoder.encode(message)
    return len(body).to_bytes(LENGTH_BYTES, "big") + body


def length(head: bytes) -> int:
    """How many bytes follow the first ones of a message."""
    return int.from_bytes(head, "big")
