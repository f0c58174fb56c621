"""A browser, or another program, that asks the web application of the tests."""

from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from types import TracebackType
from typing import Any

import aiohttp
import msgspec


@dataclass(frozen=True)
class Answer:
    """An answer, read."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def json(self) -> Any:
        return msgspec.json.decode(self.text)


class Client:
    """A browser: keeps cookies, and says that it is our page as the front end does."""

    def __init__(self, url: str, headers: dict[str, str]) -> None:
        self.url = url
        self._session = aiohttp.ClientSession(
            url,
            headers={"X-Callcenter": "1", **headers},
            cookie_jar=aiohttp.CookieJar(unsafe=True),
            timeout=aiohttp.ClientTimeout(total=20),
            auto_decompress=True,
        )

    async def __aenter__(self) -> "Client":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    @property
    def cookie(self) -> str | None:
        """The value of the session cookie."""
        found = [cookie for cookie in self._session.cookie_jar if cookie.key == "callcenter_session"]
        return found[0].value if found else None

    async def send(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        data: bytes | BytesIO | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send a request, with `body` as JSON or `data` as it is."""
        sent = dict(headers or {})
        if body is not None:
            data = msgspec.json.encode(body)
            sent.setdefault("Content-Type", "application/json")
        async with self._session.request(method, path, data=data, headers=sent, allow_redirects=False) as answer:
            return Answer(answer.status, answer.headers, await answer.text())
