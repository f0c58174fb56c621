"""A person at the service: logged in over REST, and with a screen-pop client that keeps what it was told."""

import asyncio
import json
from collections.abc import Callable
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Any, Self

import aiohttp
import websockets

Message = dict[str, Any]
ANSWER_S = 10


class Somebody:
    """A logged-in person. Use it as an async context manager; `listens` opens the screen-pop too."""

    def __init__(self, url: str, login: str, password: str, *, listens: bool = True) -> None:
        self.login = login
        self._url, self._password, self._listens = url, password, listens
        self._stack = AsyncExitStack()
        self._changed = asyncio.Condition()
        self.acknowledges = False
        """Whether each pop is acknowledged as it comes: a phone of SIPp can be in twenty calls at once."""
        self.snapshot: Message = {}
        self.messages: list[Message] = []

    async def __aenter__(self) -> Self:
        jar = aiohttp.CookieJar(unsafe=True)
        self._web = await self._stack.enter_async_context(
            aiohttp.ClientSession(headers={"X-Callcenter": "1"}, cookie_jar=jar)
        )
        await self.ask("POST", "/session", login=self.login, password=self._password)
        if self._listens:
            await self.listen()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def ask(self, method: str, path: str, **body: Any) -> Any:
        """Ask the REST API; the answer's JSON, or None. Fails on an error answer, and shows it."""
        timeout = aiohttp.ClientTimeout(total=ANSWER_S)
        url = f"{self._url}/api/v1{path}"
        async with self._web.request(method, url, json=body or None, timeout=timeout) as answer:
            text = await answer.text()
            assert answer.status < 400, f"{method} {path}: {answer.status} {text}"
            return json.loads(text) if text else None

    async def listen(self) -> None:
        """Open the screen-pop with a fresh ticket, and keep what comes."""
        ticket = await self.ask("POST", "/screenpop/ticket")
        socket = await self._stack.enter_async_context(websockets.connect(ticket["url"]))
        await socket.send(json.dumps({"type": "hello", "ticket": ticket["ticket"]}))
        welcome = json.loads(await asyncio.wait_for(socket.recv(), ANSWER_S))
        assert welcome["type"] == "welcome", welcome
        self.snapshot, self._socket = welcome["snapshot"], socket
        reader = asyncio.create_task(self._read(), name=f"screen-pop of {self.login}")
        self._stack.callback(reader.cancel)

    async def send(self, **message: Any) -> None:
        """Send a message of the screen-pop protocol."""
        await self._socket.send(json.dumps(message))

    async def told(self, wanted: Callable[[Message], bool], what: str, deadline_s: float = ANSWER_S) -> Message:
        """The first message that is wanted, of those that came and those to come."""
        try:
            async with asyncio.timeout(deadline_s), self._changed:
                while True:
                    for message in self.messages:
                        if wanted(message):
                            return message
                    await self._changed.wait()
        except TimeoutError:
            raise AssertionError(f"{self.login} was not told within {deadline_s} s: {what}") from None

    def of_call(self, call_id: str, *types: str) -> list[Message]:
        """What came about a call."""
        return [one for one in self.messages if one["type"] in types and one.get("call_id") == call_id]

    async def _read(self) -> None:
        async for text in self._socket:
            async with self._changed:
                self.messages.append(json.loads(text))
                self._changed.notify_all()
            if self.acknowledges and self.messages[-1]["type"] == "pop":
                await self.send(type="ack", seq=self.messages[-1]["seq"])
