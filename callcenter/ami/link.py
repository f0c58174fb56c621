"""One connection to a PBX: panoramisk's manager and protocol, with what they lack mended.

panoramisk opens the socket and hands it to a protocol; ours replaces how bytes are read (`wire.Decoder`),
how actions are written (`wire.encode`) and how answers find their action (a map of futures with deadlines).
Its own log-in, ping and reconnection are switched off: `client` does these, because a refused log-in, a
frozen peer and a growing delay are not known there. docs/upstream-panoramisk.md has the reproductions.
"""

import asyncio
import ssl
from collections.abc import Callable
from typing import Any

import panoramisk
from panoramisk.ami_protocol import AMIProtocol

from callcenter.ami import wire
from callcenter.ami.actions import Action, Response
from callcenter.errors import AmiActionFailed, AmiError, AmiUnreachable

MAX_PENDING = 1000
"""Actions that may wait for their answers at one time."""

MAX_LIST_BYTES = 64 * 1024 * 1024
"""Bytes that the events of one list may have together."""

MAX_UNSENT = 1024 * 1024
"""Bytes that may wait to be sent before the peer is taken for dead."""

_MAX_GIVEN_UP = 100
"""Lists that were given up and whose end is still awaited."""

_COMPLETE = (b"\r\nEventList: Complete", b"\r\nEventList: cancelled")


class Pending:
    """An action that waits for its answer."""

    __slots__ = ("events", "future", "is_list", "response", "size")

    def __init__(self, is_list: bool) -> None:
        self.future: asyncio.Future[Response] = asyncio.get_running_loop().create_future()
        self.is_list = is_list
        self.response: Response | None = None
        self.events: list[bytes] = []
        self.size = 0


class Link(AMIProtocol):  # type: ignore[misc]
    """The protocol of one connection, made by panoramisk's `protocol_factory`.

    `on_block` gets each event block in the order of arrival, inside the read; what it raises ends the
    connection and is kept in `failure`. Nothing here waits or does I/O of its own.
    """

    def __init__(self, on_block: Callable[[bytes], None], max_list_bytes: int = MAX_LIST_BYTES) -> None:
        self.decoder = wire.Decoder()
        self.lost = asyncio.Event()
        self.greeted = asyncio.Event()
        self.failure: Exception | None = None
        self.received_at = asyncio.get_running_loop().time()
        self.blocks = 0
        self.unreadable = 0
        self._on_block = on_block
        self._max_list_bytes = max_list_bytes
        self._pending: dict[str, Pending] = {}
        self._lists = 0
        self._given_up: list[str] = []

    def connection_made(self, transport: Any) -> None:
        """Called by asyncio."""
        super().connection_made(transport)
        self.received_at = asyncio.get_running_loop().time()

    def data_received(self, data: bytes) -> None:
        """Called by asyncio with what was read."""
        if self.failure is not None:
            return
        self.received_at = asyncio.get_running_loop().time()
        decoder = self.decoder
        try:
            for block in decoder.feed(data):
                if not self._lists and block.startswith(b"Event: "):
                    self.blocks += 1
                    self._on_block(block)
                else:
                    self._sort(block)
        except Exception as problem:
            self.fail(problem)
        if decoder.banner is not None and not self.greeted.is_set():
            self.greeted.set()

    def _sort(self, block: bytes) -> None:
        """Bring an answer, or an event of a list, to its action, and any other event to `on_block`."""
        event = wire.name(block)
        if event is not None:
            if not self._belongs_to_list(block):
                self.blocks += 1
                self._on_block(block)
        elif b"Response: " in block:
            self._answer(block)
        elif block.strip():
            self.unreadable += 1

    def _belongs_to_list(self, block: bytes) -> bool:
        at = block.find(b"\r\nActionID: ")
        if at < 0:
            return False
        end = block.find(b"\r\n", at + 12)
        action_id = block[at + 12 : end if end > 0 else len(block)].decode("utf-8", "replace")
        pending = self._pending.get(action_id)
        if pending is None or not pending.is_list:
            return self._is_leftover(action_id, block)
        if any(mark in block for mark in _COMPLETE):
            self._finish(action_id, pending)
            return True
        pending.events.append(block)
        pending.size += len(block)
        if pending.size > self._max_list_bytes:
            self._drop(
                action_id, AmiActionFailed(f"the list is longer than {self._max_list_bytes} bytes: ask for less")
            )
        return True

    def _is_leftover(self, action_id: str, block: bytes) -> bool:
        """Return whether an event is of a list that nobody waits for any more; it would be taken for news."""
        if action_id not in self._given_up:
            return False
        if any(mark in block for mark in _COMPLETE):
            self._given_up.remove(action_id)
            self._lists -= 1
        return True

    def _give_up(self, action_id: str, pending: Pending) -> None:
        if pending.is_list and len(self._given_up) < _MAX_GIVEN_UP:
            self._given_up.append(action_id)
        else:
            self._lists -= pending.is_list

    def _answer(self, block: bytes) -> None:
        headers = wire.fields(block)
        action_id = headers.get("ActionID", "")
        pending = self._pending.get(action_id)
        success = headers.get("Response") in ("Success", "Follows", "Goodbye", "Pong")
        if pending is None:
            if not success and action_id in self._given_up:
                self._given_up.remove(action_id)
                self._lists -= 1
            return
        pending.response = Response(
            action_id=action_id, success=success, message=headers.get("Message", ""), fields=headers
        )
        if not success or not pending.is_list:
            self._finish(action_id, pending)

    def _finish(self, action_id: str, pending: Pending) -> None:
        del self._pending[action_id]
        self._lists -= pending.is_list
        response = pending.response or Response(action_id=action_id, success=True, message="", fields={})
        if not pending.future.done():
            if pending.events:
                response = Response(
                    action_id=action_id,
                    success=response.success,
                    message=response.message,
                    fields=response.fields,
                    events=tuple(pending.events),
                )
            pending.future.set_result(response)

    def _drop(self, action_id: str, problem: AmiError) -> None:
        pending = self._pending.pop(action_id)
        self._give_up(action_id, pending)
        if not pending.future.done():
            pending.future.set_exception(problem)

    def request(self, action: Action, action_id: str) -> "asyncio.Future[Response]":
        """Send an action; the future gets its answer, also one that says Error.

        Raises:
            AmiUnreachable: the connection is gone, or too much waits already.
            BadInput: a value cannot be sent.
        """
        data = wire.encode([("Action", action.name), ("ActionID", action_id), *action.headers()])
        if self.lost.is_set() or self.transport.is_closing():
            raise AmiUnreachable("the connection to the PBX is lost")
        if len(self._pending) >= MAX_PENDING or self.transport.get_write_buffer_size() > MAX_UNSENT:
            raise AmiUnreachable("the PBX answers too slowly: too many actions wait for it")
        pending = Pending(action.is_list)
        self._pending[action_id] = pending
        self._lists += action.is_list
        self.transport.write(data)
        return pending.future

    def forget(self, action_id: str) -> None:
        """Stop waiting for an answer; one that comes late is thrown away."""
        pending = self._pending.pop(action_id, None)
        if pending is not None:
            self._give_up(action_id, pending)
            pending.future.cancel()

    def fail(self, problem: Exception) -> None:
        """End the connection at once, for a reason of our own; the first reason is kept."""
        if self.failure is None:
            self.failure = problem
        self.transport.abort()

    def connection_lost(self, exc: BaseException | None) -> None:
        """Called by asyncio when the connection is closed, by whomever."""
        self.closed = True
        self.lost.set()
        self.greeted.set()
        for action_id in list(self._pending):
            self._drop(
                action_id,
                AmiUnreachable("the connection was lost before the answer came; whether it was done is unknown"),
            )

    def close(self) -> None:
        """Close the connection; panoramisk calls this too."""
        if not self.closed:
            self.closed = True
            self.transport.close()


class Dialer(panoramisk.Manager):  # type: ignore[misc]
    """panoramisk's manager, for one connection: no log-in, ping or reconnection of its own."""

    def ping(self) -> None:
        """Do nothing: `client` watches the peer with a deadline."""

    def connection_made(self, task: "asyncio.Future[Any]") -> None:
        """Keep a failed attempt from being repeated by panoramisk; whoever awaits `task` sees its error."""
        if not task.cancelled() and task.exception() is None:
            super().connection_made(task)


async def open_link(
    host: str, port: int, tls: ssl.SSLContext | None, on_block: Callable[[bytes], None], timeout_s: float
) -> tuple[Dialer, Link]:
    """Connect and wait for the greeting.

    Raises:
        AmiUnreachable: nobody listens there, the certificate is not trusted, or it is no AMI.
    """
    where = f"{host}:{port}"
    dialer = Dialer(host=host, port=port, ssl=tls or False, protocol_factory=lambda: Link(on_block))
    try:
        async with asyncio.timeout(timeout_s):
            _, link = await dialer.connect()
    except TimeoutError:
        raise AmiUnreachable(f"{where} does not answer: is the PBX on, and the port open in the firewall?") from None
    except ssl.SSLCertVerificationError as problem:
        raise AmiUnreachable(
            f"the certificate of {where} is not trusted ({problem.verify_message}): set tls_ca "
            "to the file of the CA that signed it, and host to a name in it"
        ) from None
    except ssl.SSLError as problem:
        raise AmiUnreachable(
            f"{where} does not speak TLS ({problem.reason}): use the port of tlsbindaddr in manager.conf"
        ) from None
    except (OSError, UnicodeError) as problem:
        reason = getattr(problem, "strerror", None) or problem
        raise AmiUnreachable(
            f"cannot connect to {where} ({reason}): is Asterisk running, and enabled = yes in manager.conf?"
        ) from None
    try:
        async with asyncio.timeout(timeout_s):
            await link.greeted.wait()
        if link.lost.is_set() or not link.decoder.banner:
            raise AmiUnreachable(f"{where} does not greet as an Asterisk manager: check host and port")
    except TimeoutError:
        link.fail(AmiUnreachable(""))
        raise AmiUnreachable(f"{where} is open but silent: is that the port of the Asterisk manager?") from None
    except BaseException:
        link.close()
        raise
    return dialer, link
