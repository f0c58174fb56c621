"""One entry of the API: what is declared about it, and how a request runs through that declaration.

Everything that must happen for every request happens here, in this order: who asks, may they, is it forged,
is it their turn, what do they say, do it, answer. A route cannot be declared without saying who may use it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum
from http import HTTPMethod, HTTPStatus
from typing import Any, Generic, TypeVar
from uuid import UUID

import msgspec
from aiohttp import web

from callcenter.accounts.roles import Permission, Principal
from callcenter.db.audit import asked_from
from callcenter.errors import NotFound, Unauthenticated
from callcenter.web.conditional import entity_tag, is_known
from callcenter.web.decoding import read_query, read_request_body
from callcenter.web.guard import Caller, address_of, authorize, cookie_name, identify, is_secure
from callcenter.web.once import digest_of, once, read_key
from callcenter.web.rates import RATE_HEADERS, RATES
from callcenter.web.schemas import Nothing
from callcenter.web.services import Services
from callcenter.web.turns import TURNS

SERVICES = web.AppKey("services", Services)

Query = TypeVar("Query", bound=msgspec.Struct)
Incoming = TypeVar("Incoming", bound=msgspec.Struct)


class Open(Enum):
    """What is declared in place of a permission where no log-in is needed."""

    ANYONE = "anyone"


@dataclass(slots=True, kw_only=True)
class Exchange(Generic[Query, Incoming]):
    """One request, decoded, and what is to be answered besides the body."""

    services: Services
    request: web.Request
    caller: Caller
    query: Query
    body: Incoming
    status: int
    headers: dict[str, str] = field(default_factory=dict)
    cookie: str | None = None
    """A new value of the session cookie; empty deletes it, None leaves it."""

    @property
    def principal(self) -> Principal:
        """Who asks; only on routes that need a permission.

        Raises:
            Unauthenticated: nobody is logged in.
        """
        if self.caller.principal is None:
            raise Unauthenticated("log in first")
        return self.caller.principal

    @property
    def id(self) -> UUID:
        """The `{id}` of the path.

        Raises:
            NotFound: it is no UUID, so there cannot be such a thing.
        """
        text = self.request.match_info["id"]
        try:
            return UUID(text)
        except ValueError:
            raise NotFound(f"there is nothing with the id {text[:60]!r}") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One entry of the table from which router and OpenAPI description are built."""

    method: HTTPMethod
    path: str
    name: str
    """Name of the operation, unique."""
    tag: str
    summary: str
    permission: Permission | Open
    nearby: bool
    """Whether a program on this very machine needs no permission."""
    query: type[msgspec.Struct]
    body: type[msgspec.Struct]
    response: type[Any] | None
    status: int
    also: Mapping[int, type[Any]]
    """Other statuses that are answered with a body of their own."""
    media: tuple[str, ...]
    deadline: timedelta | None
    """How long a request may take, where that is not the same as for all."""
    tagged: bool
    """Whether the answer carries an ETag, and is not sent again to whoever has it."""
    secret: bool
    """Whether the answer is shown once, and kept nowhere."""
    hidden: bool
    """Left out of the description: pages for people."""
    handler: Callable[[Exchange[Any, Any]], Awaitable[object]]


def route(
    method: HTTPMethod,
    path: str,
    handler: Callable[[Exchange[Query, Incoming]], Awaitable[object]],
    *,
    permission: Permission | Open,
    tag: str,
    summary: str,
    response: type[Any] | None,
    query: type[Query] = Nothing,  # type: ignore[assignment]
    body: type[Incoming] = Nothing,  # type: ignore[assignment]
    status: int = HTTPStatus.OK,
    also: Mapping[int, type[Any]] | None = None,
    media: str | tuple[str, ...] = "application/json",
    deadline: timedelta | None = None,
    tagged: bool = False,
    secret: bool = False,
    hidden: bool = False,
    nearby: bool = False,
) -> Route:
    """Declare a route; the types of query and body are checked against the handler's."""
    return Route(
        method=method,
        path=path,
        name=handler.__name__,
        tag=tag,
        summary=summary,
        permission=permission,
        nearby=nearby,
        query=query,
        body=body,
        response=response,
        status=int(status),
        also=also or {},
        media=(media,) if isinstance(media, str) else media,
        deadline=deadline,
        tagged=tagged,
        secret=secret,
        hidden=hidden,
        handler=handler,
    )


def endpoint(entry: Route) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """The aiohttp handler of a route."""

    async def run(request: web.Request) -> web.StreamResponse:
        services = request.app[SERVICES]
        try:
            async with asyncio.timeout((entry.deadline or services.deadline).total_seconds()) as deadline:
                with asked_from(address_of(request, services)):
                    return await _answer(entry, request, services)
        except TimeoutError:
            if deadline.expired():
                raise web.HTTPGatewayTimeout from None
            raise

    return run


async def _answer(entry: Route, request: web.Request, services: Services) -> web.StreamResponse:
    if isinstance(entry.permission, Permission):
        caller = await identify(request, services)
        authorize(caller, entry.permission, request, services, nearby=entry.nearby)
        if caller.principal is not None:
            request[RATE_HEADERS], refused = request.app[RATES].take(caller.principal)
            if refused is not None:
                raise refused
            with request.app[TURNS].take(caller.principal, long=entry.deadline is not None):
                return await _carry_out(entry, request, services, caller)
    else:
        caller = Caller()
    return await _carry_out(entry, request, services, caller)


async def _carry_out(entry: Route, request: web.Request, services: Services, caller: Caller) -> web.StreamResponse:
    exchange = Exchange(
        services=services,
        request=request,
        caller=caller,
        query=read_query(request.rel_url.raw_query_string, entry.query),
        body=await read_request_body(request, entry.body),
        status=entry.status,
    )
    key = read_key(request) if entry.method is HTTPMethod.POST else None
    if key is None or caller.principal is None:
        return await _handle(entry, exchange)

    async def work() -> web.Response:
        response = await _handle(entry, exchange)
        assert isinstance(response, web.Response)
        return response

    digest = digest_of(request, msgspec.json.encode(exchange.body))
    return await once(services.idempotency, caller.principal, key, digest, work, secret=entry.secret)


async def _handle(entry: Route, exchange: Exchange[Any, Any]) -> web.StreamResponse:
    request = exchange.request
    result = await entry.handler(exchange)
    if isinstance(result, web.StreamResponse):
        return result
    response = web.Response(status=exchange.status, headers=exchange.headers)
    if result is not None:
        response.body = msgspec.json.encode(result)
        response.content_type = "application/json"
        if entry.tagged:
            tag = entity_tag(response.body)
            response.headers["ETag"] = tag
            if is_known(request, tag):
                response.body = None
                response.set_status(HTTPStatus.NOT_MODIFIED)
    if exchange.cookie is not None:
        _set_cookie(response, exchange)
    return response


def _set_cookie(response: web.Response, exchange: Exchange[Any, Any]) -> None:
    """Strict: no other site's link or form sends it. HttpOnly: no script reads it."""
    name, secure = cookie_name(exchange.services.public_url), is_secure(exchange.services.public_url)
    if exchange.cookie:
        response.set_cookie(name, exchange.cookie, httponly=True, samesite="Strict", secure=secure, path="/")
    else:
        response.del_cookie(name, httponly=True, samesite="Strict", secure=secure, path="/")
