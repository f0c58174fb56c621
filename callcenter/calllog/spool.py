"""Keeps calls on the disk while PostgreSQL is away, in a bounded space, and gives them back in their order.

A directory holds one slot for each process that uses it, locked by `flock`, which the kernel takes back from the dead
too: who starts, or takes a PBX over, inherits what they left. A slot holds segments, files of JSON lines each with a
checksum. One is written to at a time, and never one that was given out, so that a segment is removed as a whole once
all of it is in the call log. What a kill -9 or a failing disk leaves of a line does not fit its checksum, and is left
out alone.
"""

import asyncio
import errno
import fcntl
import hashlib
import os
import time
import zlib
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final
from uuid import UUID

import msgspec

from callcenter.model import Call

SEGMENT_BYTES: Final = 4 * 1024 * 1024
"""A segment that has so many is not added to any more."""
SLOTS: Final = 16
"""Processes that may use one directory at once."""


class SpooledCall(msgspec.Struct, frozen=True, tag="call", omit_defaults=True):
    """The newest state of a call, and the customer that it is with, where that is known."""

    call: Call
    customer: UUID | None = None


class SpooledMerge(msgspec.Struct, frozen=True, tag="merge"):
    """A call that turned out to be part of another one."""

    merged: UUID
    into: UUID


Entry = SpooledCall | SpooledMerge


class Segment(msgspec.Struct, frozen=True):
    """What one file holds: of each call its newest state, and the merges, which are to be written after all calls."""

    path: Path
    calls: dict[UUID, SpooledCall]
    merges: dict[UUID, UUID]
    damaged: int
    """Lines that do not fit their checksum."""


def place_of(directory: Path, tenant: str, database: str) -> Path:
    """The spool of one tenant in one database: what waits for one must never be written into another."""
    return directory / hashlib.sha256(f"{tenant}@{database}".encode()).hexdigest()[:16]


class Spool:
    """The segments of one process. Every method that touches the disk raises `OSError` where that fails."""

    def __init__(self, directory: Path, limit_bytes: int) -> None:
        self.directory = directory
        self.limit_bytes = limit_bytes
        self._slot: Path | None = None
        self._lock: int | None = None
        self._sizes: dict[Path, int] = {}
        """Segment → bytes, the oldest first."""
        self._file: int | None = None
        self._turn = asyncio.Lock()

    @property
    def size(self) -> int:
        """How much waits on the disk."""
        return sum(self._sizes.values())

    @property
    def waiting(self) -> bool:
        """Whether anything waits on the disk."""
        return bool(self._sizes)

    async def inherit(self) -> int:
        """Take over the segments of processes that are gone; gives their number."""
        async with self._turn:
            return await asyncio.to_thread(self._inherit)

    async def append(self, entries: Iterable[Entry]) -> None:
        """Put entries after all others; they are on the disk when this returns, and not at all if it raises."""
        data = b"".join(map(_line, entries))
        async with self._turn:
            if self.size + len(data) > self.limit_bytes:
                raise OSError(errno.EDQUOT, f"the bound of {self.limit_bytes} bytes is reached", str(self.directory))
            await asyncio.to_thread(self._append, data)

    async def oldest(self) -> Segment | None:
        """The oldest segment, to which nothing is added from now on."""
        async with self._turn:
            if not self._sizes:
                return None
            path = next(iter(self._sizes))
            if len(self._sizes) == 1:
                self._finish()
            return await asyncio.to_thread(_read, path)

    async def remove(self, segment: Segment) -> None:
        """Forget a segment whose entries are all in the call log."""
        async with self._turn:
            await asyncio.to_thread(segment.path.unlink, missing_ok=True)
            self._sizes.pop(segment.path, None)

    def close(self) -> None:
        """Let go of the slot; what it holds waits for the next process."""
        self._finish()
        if self._lock is not None:
            os.close(self._lock)
        self._lock = self._slot = None
        self._sizes = {}

    def _inherit(self) -> int:
        if not self.directory.exists():
            # It is made when something is to be kept; that it cannot be is better known before.
            place = next(parent for parent in self.directory.absolute().parents if parent.exists())
            if not os.access(place, os.W_OK | os.X_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(place))
            return 0
        own = self._own_slot()
        found = {path: path.stat().st_size for path in own.glob("*.jsonl")}
        inherited = 0
        for other in self.directory.glob("slot-*"):
            lock = None if other == own else _take(other)
            if lock is None:
                continue
            try:
                for path in other.glob("*.jsonl"):
                    moved = path.rename(own / path.name)
                    found[moved] = moved.stat().st_size
                    inherited += 1
            finally:
                os.close(lock)
        self._sizes = {path: found[path] for path in sorted(found, key=lambda path: path.name)}
        return inherited

    def _own_slot(self) -> Path:
        if self._slot is None:
            self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            for number in range(SLOTS):
                slot = self.directory / f"slot-{number:02}"
                slot.mkdir(mode=0o700, exist_ok=True)
                lock = _take(slot)
                if lock is not None:
                    self._slot, self._lock = slot, lock
                    break
            else:
                raise OSError(errno.EBUSY, f"{SLOTS} processes use it already", str(self.directory))
        return self._slot

    def _append(self, data: bytes) -> None:
        path = next(reversed(self._sizes), None)
        if self._file is None or path is None or self._sizes[path] >= SEGMENT_BYTES:
            path = self._begin()
        assert self._file is not None
        begun = self._sizes[path]
        try:
            rest = memoryview(data)
            while rest:
                rest = rest[os.write(self._file, rest) :]
            os.fdatasync(self._file)
        except OSError:
            # What was written of it goes, or what cannot go is told from a whole line by its checksum.
            with suppress(OSError):
                os.ftruncate(self._file, begun)
            self._finish()
            if not begun:
                del self._sizes[path]
                with suppress(OSError):
                    path.unlink()
            raise
        self._sizes[path] = begun + len(data)

    def _begin(self) -> Path:
        """A new segment, named by the time, so that those of several processes have an order."""
        self._finish()
        slot = self._own_slot()
        newest = next(reversed(self._sizes), None)
        number = max(time.time_ns(), int(newest.stem) + 1 if newest is not None else 0)
        path = slot / f"{number:020}.jsonl"
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        self._sizes[path] = 0
        _sync_directory(slot)
        return path

    def _finish(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None


def _line(entry: Entry) -> bytes:
    encoded = msgspec.json.encode(entry)
    return b"%08x %b\n" % (zlib.crc32(encoded), encoded)


_decode = msgspec.json.Decoder(Entry).decode


def _read(path: Path) -> Segment:
    calls: dict[UUID, SpooledCall] = {}
    merges: dict[UUID, UUID] = {}
    damaged = 0
    for line in path.read_bytes().splitlines():
        try:
            checksum, encoded = int(line[:8], 16), line[9:]
            if checksum != zlib.crc32(encoded):
                raise ValueError("another checksum")
            entry = _decode(encoded)
        except (ValueError, msgspec.DecodeError):
            damaged += 1
            continue
        if isinstance(entry, SpooledMerge):
            calls.pop(entry.merged, None)
            merges[entry.merged] = entry.into
        else:
            calls[entry.call.call_id] = entry
    return Segment(path, calls, merges, damaged)


def _take(slot: Path) -> int | None:
    """The lock of a slot; None while a living process has it."""
    descriptor = os.open(slot / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
