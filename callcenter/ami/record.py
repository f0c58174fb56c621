"""Transcripts of AMI: written by `callcenter record`, read by `callcenter replay`.

Two forms, told apart by their first bytes:

- raw: the bytes of the socket as Asterisk sent them, greeting included;
- JSON lines: one block per line, `{"at": "2026-11-23T13:00:00.123456+00:00", "headers": [["Event", "Hangup"],
…]}`.
  `at` is when the block arrived, `headers` are in their order; the value is null for a line without a colon.
  Bytes that are no UTF-8 are kept as lone surrogates (`\\udcff`), so that nothing is lost on the way.

A block without a `Timestamp` of its own gets one from `at` when JSON lines are read. Only what Asterisk
sends is written: the log-in, which holds the secret, never is.
"""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from callcenter.ami.wire import Decoder, name
from callcenter.errors import BadFile

_CHUNK = 1 << 16
_MAX_LINE = 1 << 21


class Recorder:
    """Writes blocks to an open binary file; `scrub` may change a block before it is written."""

    def __init__(self, file: BinaryIO, *, raw: bool = False, scrub: Callable[[bytes], bytes] | None = None) -> None:
        self.blocks = 0
        self._file = file
        self._raw = raw
        self._scrub = scrub

    def write(self, block: bytes, at: datetime | None = None) -> None:
        """Add one raw block that arrived at `at` (none: now)."""
        if self._scrub is not None:
            block = self._scrub(block)
        self.blocks += 1
        if self._raw:
            self._file.write(block + b"\r\n\r\n")
        else:
            self._file.write(json_line(block, at or datetime.now(UTC)))


def json_line(block: bytes, at: datetime) -> bytes:
    """Return one line of a JSON transcript, with its line end."""
    headers = []
    for line in block.decode("utf-8", "surrogateescape").split("\r\n"):
        key, colon, value = line.partition(": ")
        headers.append([key, value] if colon else [line, None])
    values = {"at": at.isoformat(), "headers": headers}
    try:
        return json.dumps(values, ensure_ascii=False).encode() + b"\n"
    except UnicodeEncodeError:
        return json.dumps(values).encode() + b"\n"


def read(path: Path) -> Iterator[bytes]:
    """Yield the raw blocks of a transcript of either form, without reading it whole into memory.

    Raises:
        BadFile: it cannot be opened, or is no transcript; names the line where it is JSON.
    """
    try:
        with path.open("rb") as file:
            first = file.read(_CHUNK)
            file.seek(0)
            if not first.strip():
                raise BadFile(f"{path} is empty: record a transcript with callcenter record")
            if first.lstrip().startswith(b"{"):
                yield from _json_blocks(file, path)
            else:
                yield from _raw_blocks(file, path, b"\r\n" in first)
    except OSError as problem:
        raise BadFile(f"{path} cannot be read: {problem.strerror or problem}") from problem


def _raw_blocks(file: BinaryIO, path: Path, has_crlf: bool) -> Iterator[bytes]:
    decoder = Decoder()
    found = False
    for chunk in _chunks(file, has_crlf):
        for block in decoder.feed(chunk):
            if block := block.strip(b"\r\n"):
                found = found or name(block) is not None or block.startswith(b"Response: ")
                yield block
    if not found:
        raise BadFile(f"{path} holds no AMI event: it is no transcript of Asterisk's manager")


def _chunks(file: BinaryIO, has_crlf: bool) -> Iterator[bytes]:
    while chunk := file.read(_CHUNK):
        # An editor or a checkout may have turned CR LF into LF; then LF is the only line end there is.
        yield chunk if has_crlf else chunk.replace(b"\n", b"\r\n")
    # The empty line after the last block may be missing; a last line that is cut short makes no block.
    yield b"\r\n"


def _json_blocks(file: BinaryIO, path: Path) -> Iterator[bytes]:
    number = 0
    while line := file.readline(_MAX_LINE):
        number += 1
        if not line.strip():
            continue
        try:
            yield _block(json.loads(line))
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as problem:
            raise BadFile(
                f"{path}, line {number} is no line of a transcript: {problem or type(problem).__name__}"
            ) from problem


def _block(values: dict[str, object]) -> bytes:
    headers = values["headers"]
    if not isinstance(headers, list):
        raise ValueError("headers must be a list of pairs")
    pairs = [(str(key), value) for key, value in headers]
    lines = [key if value is None else f"{key}: {value}" for key, value in pairs]
    if "at" in values and all(key != "Timestamp" for key, _ in pairs):
        at = datetime.fromisoformat(str(values["at"]))
        lines.append(f"Timestamp: {at.timestamp():.6f}")
    if any("\r\n" in line for line in lines):
        raise ValueError("a header holds a line break")
    return "\r\n".join(lines).encode("utf-8", "surrogateescape")
