"""Sends one event to one URL and says what came of it, within a deadline, whatever the other side does."""

import asyncio
import contextlib
import time
from datetime import timedelta
from types import TracebackType
from typing import Final

import aiohttp

from crm_bridge.webhooks.connector import Lookup, NotAllowed, guarded_connector, system_lookup
from crm_bridge.webhooks.signature import sign
from crm_bridge.webhooks.values import Answer, Failure, Parcel, Target, TargetRules

MOST_READ: Final = 4096
"""Of an answer so many bytes are read at most; then the connection is closed."""
MOST_SHOWN: Final = 500
"""Of these so many characters are kept for people to look at."""
USER_AGENT: Final = "callcenter-webhooks/1"


class Sender:
    """An HTTP client without redirects, cookies and proxies that goes to allowed addresses only."""

    def __init__(
        self, rules: TargetRules, timeout: timedelta, *, connections: int, lookup: Lookup = system_lookup
    ) -> None:
        self._rules = rules
        self._timeout = timeout.total_seconds()
        self._connections = connections
        self._lookup = lookup
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> "Sender":
        self._session = aiohttp.ClientSession(
            connector=guarded_connector(self._rules, self._lookup, limit=self._connections),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None),
            auto_decompress=False,
            headers={"User-Agent": USER_AGENT, "Accept": "*/*", "Accept-Encoding": "identity"},
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._session is not None
        await self._session.close()
        self._session = None

    async def send(self, target: Target, parcel: Parcel) -> Answer:
        """POST the event, signed with the time of this attempt. Never raises for what the other side does."""
        assert self._session is not None, "the sender is not open"
        begun = time.monotonic()

        def failed(failure: Failure, error: str) -> Answer:
            said = error.encode(errors="replace").decode().replace("\x00", "")[:MOST_SHOWN]
            return Answer(took=timedelta(seconds=time.monotonic() - begun), failure=failure, error=said)

        try:
            async with asyncio.timeout(self._timeout):
                response = await self._session.post(
                    target.url, data=parcel.body, headers=_headers(target, parcel), allow_redirects=False
                )
        except TimeoutError:
            return failed(Failure.TIMEOUT, f"no answer within {self._timeout:g} s")
        except aiohttp.InvalidURL:
            return failed(Failure.NOT_ALLOWED, "this is no URL that can be asked: change it")
        except aiohttp.ClientConnectorError as problem:
            if isinstance(problem.os_error, NotAllowed):
                return failed(Failure.NOT_ALLOWED, str(problem.os_error))
            if isinstance(problem, aiohttp.ClientSSLError):
                return failed(Failure.TLS, f"no secure connection: {problem.os_error}")
            return failed(Failure.UNREACHABLE, f"no connection: {problem.os_error.strerror or problem.os_error}")
        except aiohttp.ClientConnectorCertificateError as problem:
            return failed(Failure.TLS, f"the certificate is not valid: {problem.certificate_error}")
        except aiohttp.ClientOSError as problem:
            return failed(Failure.BROKEN, f"the connection broke: {problem.strerror or type(problem).__name__}")
        except aiohttp.ClientError as problem:
            return failed(Failure.BROKEN, f"no HTTP answer came: {type(problem).__name__}")
        async with response:
            left = max(self._timeout - (time.monotonic() - begun), 0.0)
            text = await _beginning(response, left)
            return Answer(
                took=timedelta(seconds=time.monotonic() - begun),
                status=response.status,
                text=text,
                retry_after=_retry_after(response),
            )


def _headers(target: Target, parcel: Parcel) -> dict[str, str]:
    event_id, now = str(parcel.event_id), int(time.time())
    return {
        "Content-Type": "application/json",
        "webhook-id": event_id,
        "webhook-timestamp": str(now),
        "webhook-signature": sign(target.secrets, event_id, now, parcel.body),
    }


async def _beginning(response: aiohttp.ClientResponse, patience_s: float) -> str | None:
    """How the answer's body begins. The status is known already, so that nothing here is an error."""
    read = bytearray()
    with contextlib.suppress(TimeoutError, aiohttp.ClientError, OSError):
        async with asyncio.timeout(patience_s):
            while len(read) < MOST_READ and (part := await response.content.read(MOST_READ - len(read))):
                read += part
    if not response.content.at_eof():
        response.close()
    text = read.decode(errors="replace").replace("\x00", "").strip()
    return text[:MOST_SHOWN] or None


def _retry_after(response: aiohttp.ClientResponse) -> timedelta | None:
    """What the receiver asks for in seconds; the form with a date needs a clock that agrees, and is not obeyed."""
    value = response.headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdigit() and len(value) <= 9:
        return timedelta(seconds=int(value))
    return None
