"""What surrounds every request: an id, a line in the log, errors turned into answers, headers that protect."""

import re
import secrets
import time
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from urllib.parse import urlsplit

import structlog
from aiohttp import web

from callcenter.errors import BadInput
from callcenter.web.endpoint import SERVICES
from callcenter.web.guard import is_secure
from callcenter.web.problems import UNEXPECTED, from_error, from_http, kind_of
from callcenter.web.rates import RATE_HEADERS
from callcenter.web.services import Services

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

REQUEST_ID = "X-Request-ID"
REQUEST_ID_KEY = web.RequestKey("request_id", str)
_GIVEN_ID = re.compile(r"^[A-Za-z0-9_-]{8,64}$")
_HOST = re.compile(r"(?:[A-Za-z0-9._-]*|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")
_log = structlog.get_logger("callcenter.web")

_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    # the softphone in the page needs the microphone; nothing else is needed
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(self), payment=(), usb=()",
    "Server": "callcenter",
}
_API_POLICY = "default-src 'none'; frame-ancestors 'none'"


@web.middleware
async def envelope(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Give the request an id, run it, turn any error into a problem, and log one line."""
    given = request.headers.get(REQUEST_ID, "")
    request_id = given if _GIVEN_ID.match(given) else secrets.token_hex(8)
    request[REQUEST_ID_KEY] = request_id
    began = time.perf_counter()
    with structlog.contextvars.bound_contextvars(request_id=request_id):
        response = await _run(request, handler, request_id)
        # neither path nor query: both may hold numbers and names
        _log.info(
            "request",
            method=request.method,
            route=_route_of(request),
            status=response.status,
            ms=round((time.perf_counter() - began) * 1000, 1),
        )
    return response


async def _run(request: web.Request, handler: Handler, request_id: str) -> web.StreamResponse:
    try:
        check_host(request)
        return await handler(request)
    except web.HTTPException as problem:
        return from_http(problem, request_id)
    except Exception as problem:
        kind = kind_of(problem)
        if kind is UNEXPECTED:
            _log.exception("request_crashed", route=_route_of(request))
        elif kind.status >= 500:
            _log.warning("request_failed", error=type(problem).__name__, reason=str(problem))
        return from_error(problem, request_id)


async def protect(request: web.Request, response: web.StreamResponse) -> None:
    """Add the headers that every answer carries, just before it is sent."""
    services = request.app[SERVICES]
    headers = response.headers
    for name, value in _HEADERS.items():
        headers[name] = value
    headers.update(request.get(RATE_HEADERS, {}))
    headers[REQUEST_ID] = request.get(REQUEST_ID_KEY, "")
    if "Content-Security-Policy" not in headers:
        # A browser puts the headers of a 304 over those of the page that it has kept.
        is_page = response.content_type == "text/html" or response.status == HTTPStatus.NOT_MODIFIED
        headers["Content-Security-Policy"] = page_policy(request, services) if is_page else _API_POLICY
    if "Cache-Control" not in headers:
        headers["Cache-Control"] = "no-store"
    if is_secure(services.public_url):
        headers["Strict-Transport-Security"] = "max-age=31536000"


def page_policy(request: web.Request, services: Services) -> str:
    """The Content-Security-Policy of pages: our own files, and connections to the screen-pop.

    Style attributes are allowed because charts and floating panels are placed by them; scripts are not.
    """
    connect = ["'self'", origin_of(screenpop_url(request, services)), *services.connect_sources]
    return "; ".join(
        (
            "default-src 'self'",
            "script-src 'self'",
            "style-src 'self'",
            "style-src-attr 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            "media-src 'self' blob:",
            f"connect-src {' '.join(connect)}",
            "object-src 'none'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )


def check_host(request: web.Request) -> None:
    """Refuse a `Host` that is none, before it is put into a URL or a policy.

    Raises:
        BadInput: it is no name or address, with or without a port.
    """
    if not _HOST.fullmatch(request.host):
        raise BadInput("the header Host is no name of a host")


def screenpop_url(request: web.Request, services: Services) -> str:
    """Where this browser reaches the screen-pop's WebSocket."""
    if services.screenpop_url is not None:
        return services.screenpop_url
    base = urlsplit(services.public_url or f"{request.scheme}://{request.host}")
    host = base.hostname or "127.0.0.1"
    host = f"[{host}]" if ":" in host else host
    scheme = "wss" if base.scheme == "https" else "ws"
    return f"{scheme}://{host}:{services.screenpop_port()}/screenpop"


def origin_of(url: str) -> str:
    """Scheme, host and port of a URL."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _route_of(request: web.Request) -> str:
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else "none"
