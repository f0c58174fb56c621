"""Carries a request with an Idempotency-Key out once, whenever and however often it comes.

The header is that of draft-ietf-httpapi-idempotency-key-header: a text in quotation marks, which may be left out.
"""

import hashlib
import re
from collections.abc import Awaitable, Callable

from aiohttp import web

from callcenter.accounts.roles import Principal
from callcenter.accounts.values import KeptAnswer
from callcenter.errors import AmiTimeout, BadInput, CallCenterError
from callcenter.web.account_services import Idempotency

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
_KEY = re.compile(r"^[!-~]{1,255}$")


def read_key(request: web.Request) -> str | None:
    """The key of a request, if it has one.

    Raises:
        BadInput: it cannot be one.
    """
    text = request.headers.get(HEADER)
    if text is None:
        return None
    key = text.removeprefix('"').removesuffix('"')
    if not _KEY.match(key):
        raise BadInput(f"{HEADER}: send 1 to 255 visible ASCII characters, such as a UUID")
    return key


def digest_of(request: web.Request, body: bytes) -> bytes:
    """What makes a request the same as another."""
    place = f"{request.method} {request.rel_url.raw_path}?{request.rel_url.raw_query_string}\n"
    return hashlib.sha256(place.encode() + body).digest()


async def once(
    kept: Idempotency,
    who: Principal,
    key: str,
    digest: bytes,
    work: Callable[[], Awaitable[web.Response]],
    *,
    secret: bool,
) -> web.Response:
    """The answer of `work`, or the one that the same request had before; of a `secret` no answer is kept.

    What is refused is forgotten, so that it may be sent mended. What ends otherwise may have had its effect: the key
    stays taken until that cannot go on any more.

    Raises:
        Conflict: the same is in progress, or its answer was not kept.
        KeyReused: another request had the key.
    """
    before = await kept.begin(who.tenant_id, who.actor, key, digest)
    if before is not None:
        response = web.Response(status=before.status, body=before.body, headers={REPLAYED: "true"})
        if before.body is not None:
            response.content_type = "application/json"
        if before.location is not None:
            response.headers["Location"] = before.location
        return response
    try:
        response = await work()
    except AmiTimeout:
        raise
    except CallCenterError:
        await kept.forget(who.tenant_id, who.actor, key)
        raise
    body = response.body if isinstance(response.body, bytes) else None
    answer = KeptAnswer(status=response.status, location=response.headers.get("Location"), body=body)
    await kept.finish(who.tenant_id, who.actor, key, answer, secret=secret)
    return response
