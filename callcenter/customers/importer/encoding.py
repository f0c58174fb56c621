"""Finds out in which encoding a file is written, by evidence in its bytes, and reads it strictly.

The whole file is looked at, in pieces: a wrong guess found in the last line would cost more than the look.
"""

import codecs
import re
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from callcenter.errors import BadFile

PIECE = 1 << 18
"""Bytes that are read at a time."""

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SPREADSHEETS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
"""How files of Excel and LibreOffice begin."""

_HIGH_RUNS = re.compile(rb"[\x80-\xff]+")
_OFFERED = "utf-8, utf-16, gb18030, cp1252 (Western Europe), latin-1"
_ADVICE = f"say which encoding the file has with --encoding: {_OFFERED}"


def detect(path: Path) -> str:
    """Return the encoding of the file: a byte-order mark says it, else what its bytes can be.

    Bytes that are valid UTF-8 are UTF-8. Of the rest, those above 127 come in pairs in Chinese text
    (GB 18030) and mostly alone in Western European text.

    Raises:
        BadFile: the file cannot be opened, or is no text.
    """
    with _open(path) as file:
        head = file.read(PIECE)
        for mark, name in _BOMS:
            if head.startswith(mark):
                return name
        wide = _utf16_without_mark(head)
        if wide:
            return wide
        file.seek(0)
        if head.startswith(_SPREADSHEETS) or head.count(0) * 20 > len(head):
            raise BadFile(f"{path.name} is not a text file; save the spreadsheet as CSV first")
        if _can_be(file, "utf-8"):
            return "utf-8"
        file.seek(0)
        if _has_pairs(file):
            file.seek(0)
            if _can_be(file, "gb18030"):
                return "gb18030"
    return "cp1252" if _is_cp1252(path) else "latin-1"


def check_name(encoding: str) -> str:
    """Return the encoding's name if Python knows it.

    Raises:
        BadFile: it does not.
    """
    try:
        info = codecs.lookup(encoding)
        known = info._is_text_encoding and "\0" not in encoding
    except (LookupError, ValueError):
        known = False
    if not known:
        raise BadFile(f"there is no text encoding {encoding!r}; use one of {_OFFERED}")
    return encoding


def pieces(path: Path, encoding: str) -> Iterator[tuple[str, int]]:
    """Yield the text in pieces, each with the number of bytes read so far.

    Raises:
        BadFile: bytes that are not of this encoding; names the line and the byte offset.
    """
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    done = 0
    lines = 1
    with _open(path) as file:
        while True:
            data = file.read(PIECE)
            pending = len(decoder.getstate()[0])
            try:
                text = decoder.decode(data, final=not data)
            except UnicodeDecodeError as problem:
                raise BadFile(_complaint(path, encoding, problem, done - pending, lines)) from None
            except UnicodeError as problem:
                raise BadFile(f"{path.name} is not {encoding} ({problem}); {_ADVICE}") from None
            done += len(data)
            lines += text.count("\n")
            if text:
                yield text, done
            if not data:
                return


def _complaint(path: Path, encoding: str, problem: UnicodeDecodeError, base: int, lines: int) -> str:
    """Say where the first wrong byte is; `base` is the offset of the bytes that the decoder looked at."""
    before = problem.object[: problem.start]
    try:
        line = lines + before.decode(encoding, "replace").count("\n")
    except (LookupError, ValueError):
        line = lines
    wrong = problem.object[problem.start : problem.start + 1]
    shown = f"byte 0x{wrong.hex()}" if wrong else "the end of the file"
    return f"{path.name}, line {line}, byte offset {base + problem.start}: {shown} is not {encoding}; {_ADVICE}"


def _open(path: Path) -> IO[bytes]:
    try:
        return path.open("rb")
    except OSError as problem:
        raise BadFile(f"{path} cannot be opened: {problem.strerror or problem}") from problem


def _utf16_without_mark(head: bytes) -> str | None:
    """Tell UTF-16 by its zero bytes: every second byte of ASCII letters and digits is one."""
    sample = head[:4096]
    if len(sample) < 8:
        return None
    half = len(sample) // 2
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    if odd > half * 0.3 and even < half * 0.05:
        return "utf-16-le"
    if even > half * 0.3 and odd < half * 0.05:
        return "utf-16-be"
    return None


def _can_be(file: IO[bytes], encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    try:
        while data := file.read(PIECE):
            decoder.decode(data)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _has_pairs(file: IO[bytes]) -> bool:
    """Tell whether bytes above 127 stand in runs of even length, as Chinese characters do."""
    paired = single = 0
    while data := file.read(PIECE):
        for run in _HIGH_RUNS.finditer(data):
            length = run.end() - run.start()
            if length % 2 == 0 or length >= 6:
                paired += length
            else:
                single += length
        if paired + single > 100_000:
            break
    return paired > single * 2


def _is_cp1252(path: Path) -> bool:
    with _open(path) as file:
        return _can_be(file, "cp1252")
