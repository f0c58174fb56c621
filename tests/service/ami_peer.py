"""A small scripted AMI server: real sockets, and as ill-behaved as a test wants."""

import asyncio
import hashlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from callcenter.ami import wire

BANNER = b"Asterisk Call Manager/11.0.0\r\n"
SECRET = "s3cret"

Answer = Callable[["Session", dict[str, str]], Awaitable[None]]


class Session:
    """One connected client, as the server sees it."""

    def __init__(self, peer: "Peer", reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.peer = peer
        self.reader = reader
        self.writer = writer
        self.challenge = "1234567"

    def send(self, *lines: str) -> None:
        """Send one block."""
        self.writer.write("\r\n".join([*lines, "", ""]).encode())

    def reply(self, request: dict[str, str], response: str = "Success", *lines: str) -> None:
        """Answer a request."""
        self.send(f"Response: {response}", f"ActionID: {request['ActionID']}", *lines)

    async def serve(self) -> None:
        """Greet, and answer until the client leaves."""
        decoder = wire.Decoder()
        self.writer.write(self.peer.banner)
        while data := await self.reader.read(65536):
            for block in decoder.feed(data):
                request = wire.fields(block)
                self.peer.requests.append(request)
                await self.peer.answers.get(request["Action"], unknown)(self, request)
                self.peer.progress.set()


async def unknown(session: Session, request: dict[str, str]) -> None:
    """Refuse as Asterisk does."""
    session.reply(request, "Error", "Message: Invalid/unknown command")


async def silence(session: Session, request: dict[str, str]) -> None:
    """Never answer."""


async def challenge(session: Session, request: dict[str, str]) -> None:
    """Offer a challenge."""
    session.reply(request, "Success", f"Challenge: {session.challenge}")


async def login(session: Session, request: dict[str, str]) -> None:
    """Check the key, or the secret."""
    key = hashlib.md5(f"{session.challenge}{SECRET}".encode(), usedforsecurity=False).hexdigest()
    if request.get("Key") != key and request.get("Secret") != SECRET:
        session.reply(request, "Error", "Message: Authentication failed")
        return
    session.reply(request, "Success", "Message: Authentication accepted")
    if session.peer.booted:
        session.send(
            "Event: FullyBooted",
            "Privilege: system,all",
            "Uptime: 100",
            "LastReload: 100",
            "Status: Fully Booted",
        )


async def commands(session: Session, request: dict[str, str]) -> None:
    """List what the user may do."""
    session.reply(request, "Success", *(f"{name}: what it does  (Priv: x)" for name in session.peer.allowed))


async def core_settings(session: Session, request: dict[str, str]) -> None:
    """Tell the version."""
    session.reply(request, "Success", "AMIversion: 11.0.0", "AsteriskVersion: 22.8.2", "SystemName: pbx1")


async def core_status(session: Session, request: dict[str, str]) -> None:
    """Tell the start."""
    session.reply(request, "Success", f"CoreStartupDate: {session.peer.boot}", "CoreStartupTime: 10:00:00")


async def good(session: Session, request: dict[str, str]) -> None:
    """Say yes."""
    session.reply(request)


class Peer:
    """The server. Tests change `answers` and the other attributes before or while it runs."""

    def __init__(self) -> None:
        self.banner = BANNER
        self.booted = True
        self.boot = "2026-11-23"
        self.allowed = ["CoreShowChannels", "Originate", "QueuePause", "Redirect", "Hangup", "Filter"]
        self.answers: dict[str, Answer] = {
            "Challenge": challenge,
            "Login": login,
            "ListCommands": commands,
            "CoreSettings": core_settings,
            "CoreStatus": core_status,
            "Filter": good,
            "Events": good,
            "Ping": good,
            "Logoff": good,
        }
        self.requests: list[dict[str, str]] = []
        self.sessions: list[Session] = []
        self.progress = asyncio.Event()
        self.port = 0

    def names(self) -> list[str]:
        """Return the names of all actions that came, in order."""
        return [request["Action"] for request in self.requests]

    async def connected(self, session_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Called by asyncio for each client."""
        session = Session(self, session_reader, writer)
        self.sessions.append(session)
        self.progress.set()
        try:
            await session.serve()
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            self.progress.set()
            writer.close()


@asynccontextmanager
async def serving(peer: Peer, port: int = 0, tls: ssl.SSLContext | None = None) -> AsyncIterator[Peer]:
    """Let the peer listen on 127.0.0.1 for the length of the block."""
    server = await asyncio.start_server(peer.connected, "127.0.0.1", port, ssl=tls)
    peer.port = server.sockets[0].getsockname()[1]
    try:
        yield peer
    finally:
        server.close()
        for session in peer.sessions:
            session.writer.transport.abort()
        await server.wait_closed()
