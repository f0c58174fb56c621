"""One connected page: a socket that is written to at once or cut off, and never waited for."""

import time
from math import inf

from websockets.asyncio.server import ServerConnection
from websockets.protocol import State

TOO_SLOW = 4408
FLOOD = 4429
HEARTBEAT = 20.0
"""Seconds between pings; a client from which nothing came for two of them is dead."""
WRITE_DEADLINE = 10.0
"""Seconds that a client may take to read what was written."""
CLOSE_DEADLINE = 3.0
"""Seconds that a closing handshake may take."""
BYTES_PER_S = 32 * 1024
"""What a client may send on average, pings and all; as much again at once."""
MESSAGES_PER_S = 10.0
MESSAGE_BURST = 40.0


class Socket(ServerConnection):
    """A connection that counts what comes in, because pings and fragments never reach a handler."""

    heard = 0.0
    """When the last byte came, on the monotonic clock."""
    _allowance = float(BYTES_PER_S)

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
        socket: the connection, after its handshake.
        limit: bytes that may wait to be sent.
    """

    __slots__ = (
        "_busy_since",
        "_closing_since",
        "_limit",
        "_pinged",
        "_tokens",
        "session",
        "socket",
        "verbs",
    )

    def __init__(self, socket: Socket, limit: int) -> None:
        self.socket = socket
        self.session = ""
        self.verbs = 0
        """Verbs in progress."""
        self._limit = limit
        self._busy_since: float | None = None
        self._closing_since: float | None = None
        self._pinged = socket.heard
        self._tokens = (MESSAGE_BURST, socket.heard)

    def send(self, text: bytes) -> bool:
        """Write a message; False where the client is gone, or was cut off because it does not read."""
        socket = self.socket
        if socket.state is not State.OPEN:
            return False
        if socket.transport.get_write_buffer_size() > self._limit:
            socket.shut(TOO_SLOW, "you read too slowly: connect again")
            return False
        socket.protocol.send_text(text)
        socket.send_data()
        return True

    def may_speak(self) -> bool:
        """Count one message of the client; False where it sends too many."""
        tokens, then = self._tokens
        now = self.socket.heard
        tokens = min(MESSAGE_BURST, tokens + (now - then) * MESSAGES_PER_S) - 1.0
        self._tokens = (tokens, now)
        return tokens >= 0

    def check(self, now: float) -> None:
        """Cut off a client that does not read, is dead, or does not finish closing; ping a silent one."""
        socket = self.socket
        if socket.state is not State.OPEN:
            self._closing_since = self._closing_since or now
            if now - self._closing_since > CLOSE_DEADLINE:
                socket.transport.abort()
            return
        if not socket.transport.get_write_buffer_size():
            self._busy_since = None
        elif self._busy_since is None:
            self._busy_since = now
        elif now - self._busy_since > WRITE_DEADLINE:
            socket.shut(TOO_SLOW, "you read too slowly: connect again")
            return
        if now - socket.heard > 2 * HEARTBEAT:
            socket.transport.abort()
        elif now - max(socket.heard, self._pinged) > HEARTBEAT:
            self._pinged = now
            socket.protocol.send_ping(b"")
            socket.send_data()
