"""AMI framing: bytes from the socket to raw blocks, a block to its headers, headers to bytes. Pure.

Asterisk ends each header with CR LF and each block with an empty line (`main/manager.c`, `astman_append`).
Only that pair ends anything here: a lone LF is part of a value, because values that come from a dialplan
(`UserEvent`, the output of a command) may carry one, and a value with two would otherwise be cut in half. A
block stays `bytes` until somebody wants its headers, so that unwanted events cost a look at their name only.
"""

from collections.abc import Iterable

from callcenter.errors import BadInput

MAX_BLOCK = 256 * 1024
"""Bytes that one block may have; Asterisk's own are below 8 KiB."""

MAX_LINE = 1000
"""Bytes of a header line that Asterisk surely reads (`inbuf` of a manager session has 1 025)."""

_END = b"\r\n\r\n"
_BANNER = b"Asterisk Call Manager"
_MAX_BANNER = 256
_LONG = 8192
_EVENT = b"Event: "
_REPEATED = ("Variable", "Output")


class Decoder:
    """Cuts a stream of bytes into raw blocks, whatever the sizes of the reads.

    Never raises. A block of more than `max_block` bytes is skipped to its end and counted in `oversized`;
    what follows it is read as usual. `banner` is the greeting line once it was seen, and empty where there
    was none.
    """

    __slots__ = ("_held", "_skipping", "banner", "max_block", "oversized")

    def __init__(self, max_block: int = MAX_BLOCK) -> None:
        self.max_block = max_block
        self.banner: str | None = None
        self.oversized = 0
        self._held = bytearray()
        self._skipping = False

    def feed(self, data: bytes) -> list[bytes]:
        """Take the next bytes and return the blocks they complete, without their empty line."""
        held = self._held
        if held or self.banner is None or self._skipping:
            searched = max(0, len(held) - 3)
            held += data
            if self.banner is None:
                if not self._take_banner():
                    return []
                searched = 0
            # A long block that trickles in must not be searched and copied anew with every read.
            if len(held) > _LONG and held.find(_END, searched) < 0:
                self._bound()
                return []
            data = bytes(held)
            held.clear()
        blocks = data.split(_END)
        rest = blocks.pop()
        if rest:
            held += rest
        if self._skipping and blocks:
            self._skipping = False
            del blocks[0]
        if len(data) > self.max_block:
            blocks = self._without_oversized(blocks)
        self._bound()
        return blocks

    def _take_banner(self) -> bool:
        """Take the greeting off the front of what is held; False while more of it has to come."""
        held = self._held
        start = bytes(held[: len(_BANNER)])
        if not start or (len(held) < len(_BANNER) and _BANNER.startswith(start)):
            return False
        if start == _BANNER:
            end = held.find(b"\r\n", 0, _MAX_BANNER)
            if end < 0 and len(held) < _MAX_BANNER:
                return False
            if end >= 0:
                self.banner = held[:end].decode("utf-8", "replace")
                del held[: end + 2]
                return True
        self.banner = ""
        return True

    def _bound(self) -> None:
        """Begin or go on skipping once what is held can no longer be a block of the allowed size."""
        held = self._held
        if not self._skipping and len(held) > self.max_block + 3:
            self._skipping = True
            self.oversized += 1
        if self._skipping:
            del held[:-3]

    def _without_oversized(self, blocks: list[bytes]) -> list[bytes]:
        fitting = [block for block in blocks if len(block) <= self.max_block]
        self.oversized += len(blocks) - len(fitting)
        return fitting


def name(block: bytes) -> bytes | None:
    """Return the event's name, or None where the block is no event (an answer, an empty line, rubbish)."""
    if block.startswith(_EVENT):
        end = block.find(b"\r\n", 7)
        return block[7:end] if end > 0 else block[7:]
    at = block.find(b"\r\nEvent: ")
    if at < 0:
        return None
    end = block.find(b"\r\n", at + 9)
    return block[at + 9 : end] if end > 0 else block[at + 9 :]


def fields(block: bytes) -> dict[str, str]:
    """Return the headers of a block by name, read as UTF-8; bytes that are none become U+FFFD.

    Of a header that comes twice the first counts, so that a value which smuggles in a header changes nothing;
    headers that Asterisk itself repeats (`Variable`, `ChanVariable`, `DestChanVariable`, `Output`) are joined
    with a line feed. A line without a colon is left out.
    """
    lines = block.decode("utf-8", "replace").split("\r\n")
    try:
        headers = dict([line.split(": ", 1) for line in lines])
    except ValueError:
        return _tolerant(lines)
    return headers if len(headers) == len(lines) else _tolerant(lines)


def _tolerant(lines: list[str]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for line in lines:
        key, colon, value = line.partition(":")
        if not colon:
            continue
        value = value.removeprefix(" ")
        if key not in headers:
            headers[key] = value
        elif key.endswith(_REPEATED):
            headers[key] += "\n" + value
    return headers


def encode(headers: Iterable[tuple[str, str]]) -> bytes:
    """Return the bytes of one action.

    Raises:
        BadInput: a name or value holds CR, LF or NUL, with which it could add headers or actions of its own,
            a name is empty or has a colon, or a line is longer than Asterisk reads (1 024 bytes).
    """
    lines = []
    for key, value in headers:
        line = f"{key}: {value}"
        if "\r" in line or "\n" in line or "\0" in line:
            raise BadInput(f"the value of {_shown(key)} holds a line break or NUL, which AMI cannot carry: remove it")
        if not key or ":" in key:
            raise BadInput(f"{_shown(key)} is no name of an AMI header")
        # A lone surrogate has no bytes; that is the value's fault and must not end the connection.
        try:
            encoded = line.encode()
        except UnicodeEncodeError:
            raise BadInput(f"the value of {_shown(key)} is no valid Unicode text") from None
        if len(encoded) > MAX_LINE:
            raise BadInput(f"the value of {_shown(key)} is longer than the {MAX_LINE} bytes that Asterisk reads")
        lines.append(encoded)
    return b"\r\n".join(lines) + _END


def _shown(key: str) -> str:
    return ascii(key[:40])
