"""One connected page: a socket that is written to at once or cut off, and never waited for."""

import asyncio
import socket
import time
from math import inf

from websockets.asyncio.server import ServerConnection
from websockets.protocol import State

from screenpop.contracts import Identity
from screenpop.timing import Timing

TOO_SLOW = 4408
FLOOD = 4429
SEND_BUFFER = 64 * 1024
"""What the kernel may hold for a client: enough for a day of pops, little for one who does not read."""
BYTES_PER_S = 32 * 1024
"""What a client may send on average, pings and all; as much again at once."""
MESSAGES_PER_S = 10.0
MESSAGE_BURST = 40.0


def frame(text: bytes) -> bytes:
    """The WebSocket frame of a server's text message (RFC 6455, 5.2): made once, however many pages get it."""
    size = len(text)
    if size < 126:
        return b"\x81%c%b" % (size, text)
    if size < 65536:
        return b"\x81\x7e%c%c%b" % (size >> 8, size & 0xFF, text)
    return b"\x81\x7f" + size.to_bytes(8, "big") + text


class Door:
    """How many stand at the door: they are connected, and have not said who they are."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.waiting = 0
        self.refused = 0
        """How many were sent away because too many stood there."""


class Socket(ServerConnection):
    """A connection that counts what comes in, because pings and fragments never reach a handler."""

    door: Door | None = None
    """Where it is counted from its first moment on, before any handshake: each has a file descriptor already."""
    _waits = False
    heard = 0.0
    """When the last byte came, on the monotonic clock."""
    _allowance = float(BYTES_PER_S)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Bound what the kernel takes, so that a client that does not read is noticed early."""
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        super().connection_made(transport)
        door = self.door
        if door is None:
            return
        if door.waiting >= door.most:
            door.refused += 1
            self.transport.abort()
        else:
            door.waiting += 1
            self._waits = True

    def connection_lost(self, exc: Exception | None) -> None:
        """Nobody is there any more."""
        self.come_in()
        super().connection_lost(exc)

    def come_in(self) -> None:
        """Leave the door to others."""
        if self._waits and self.door is not None:
            self._waits = False
            self.door.waiting -= 1

    def data_received(self, data: bytes) -> None:
        """Take bytes from the network; one that sends too many is cut off before they are looked at."""
        now = time.monotonic()
        self._allowance = min(BYTES_PER_S, self._allowance + (now - self.heard) * BYTES_PER_S) - len(data)
        self.heard = now
        if self._allowance >= 0:
            super().data_received(data)
        elif self.state is State.CONNECTING:
            self.transport.abort()
        else:
            self._allowance = -inf  # nothing that follows is looked at: the frames are out of step now
            self.shut(FLOOD, "too much data: slow down")

    def shut(self, code: int, reason: str) -> None:
        """Begin to close without waiting; `Client.check` makes an end of it where the other side does not."""
        if self.state is State.OPEN:
            self.protocol.send_close(code, reason.encode()[:120].decode(errors="ignore"))
            self.send_data()


class Client:
    """One page of an agent.

    Args:
        connection: the connection, after its handshake.
        limit: bytes that may wait to be sent.
        timing: its deadlines.
    """

    __slots__ = (
        "_busy_since",
        "_closing_since",
        "_limit",
        "_pinged",
        "_timing",
        "_tokens",
        "session",
        "socket",
        "verbs",
        "who",
    )

    def __init__(self, connection: Socket, limit: int, timing: Timing) -> None:
        self.socket = connection
        self.session = ""
        self.who: Identity | None = None
        """Who the page belongs to, once it is let in."""
        self.verbs = 0
        """Verbs in progress."""
        self._limit = limit
        self._timing = timing
        self._busy_since: float | None = None
        self._closing_since: float | None = None
        self._pinged = connection.heard
        self._tokens = (MESSAGE_BURST, connection.heard)

    def write(self, data: bytes) -> bool:
        """Write a frame; False where the client is gone, or was cut off because it does not read.

        The frame goes straight to the transport: no extension is negotiated, and nobody sends fragments here.
        """
        connection = self.socket
        if connection.protocol.state is not State.OPEN:
            return False
        transport = connection.transport
        if transport.get_write_buffer_size() > self._limit:
            connection.shut(TOO_SLOW, "you read too slowly: connect again")
            return False
        transport.write(data)
        return True

    @property
    def waiting(self) -> int:
        """Bytes that were written and not sent yet."""
        return self.socket.transport.get_write_buffer_size()

    def may_speak(self) -> bool:
        """Count one message of the client; False where it sends too many."""
        tokens, then = self._tokens
        now = self.socket.heard
        tokens = min(MESSAGE_BURST, tokens + (now - then) * MESSAGES_PER_S) - 1.0
        self._tokens = (tokens, now)
        return tokens >= 0

    def check(self, now: float) -> None:
        """Cut off a client that does not read, is dead, or does not finish closing; ping a silent one."""
        connection = self.socket
        if connection.state is not State.OPEN:
            self._closing_since = self._closing_since or now
            if now - self._closing_since > self._timing.close_s:
                connection.transport.abort()
            return
        if not connection.transport.get_write_buffer_size():
            self._busy_since = None
        elif self._busy_since is None:
            self._busy_since = now
        elif now - self._busy_since > self._timing.write_s:
            connection.shut(TOO_SLOW, "you read too slowly: connect again")
            return
        if now - connection.heard > 2 * self._timing.heartbeat_s:
            connection.transport.abort()
        elif now - max(connection.heard, self._pinged) > self._timing.heartbeat_s:
            self._pinged = now
            connection.protocol.send_ping(b"")
            connection.send_data()
