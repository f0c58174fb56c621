"""Who makes a request, whether they may, and whether another page forged it."""

from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address

from aiohttp import web

from callcenter.accounts.roles import Permission, Principal, Role
from callcenter.accounts.values import OpenSession
from callcenter.errors import Forbidden, Unauthenticated
from callcenter.web.services import LOOPBACK, Services

COOKIE = "callcenter_session"
SECURE_COOKIE = f"__Host-{COOKIE}"
"""Its name where browsers see https: they take one that begins so from this very host alone (RFC 6265bis, 4.1.3.2)."""
CSRF_HEADER = "X-Callcenter"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class Caller:
    """Who makes a request: nobody known, an API key, or a person with an open session."""

    principal: Principal | None = None
    session: OpenSession | None = None


async def identify(request: web.Request, services: Services) -> Caller:
    """Find out who asks, by API key or else by cookie.

    Raises:
        Unauthenticated: a key or cookie was sent that is not valid.
    """
    authorization = request.headers.get("Authorization")
    if authorization is not None:
        scheme, _, key = authorization.partition(" ")
        if scheme.casefold() != "bearer" or not key.strip():
            raise Unauthenticated("send an API key as `Authorization: Bearer cck_…`")
        return Caller(await services.accounts.api_key(key.strip()))
    token = request.cookies.get(cookie_name(services.public_url))
    if token:
        session = await services.accounts.session(token)
        return Caller(session.principal, session)
    return Caller()


def cookie_name(public_url: str | None) -> str:
    """The name of the session cookie: one that no sibling domain can plant, where browsers see https."""
    return SECURE_COOKIE if is_secure(public_url) else COOKIE


def is_secure(public_url: str | None) -> bool:
    """Whether browsers see https."""
    return (public_url or "").startswith("https://")


def authorize(
    caller: Caller, permission: Permission, request: web.Request, services: Services, *, nearby: bool
) -> None:
    """Let the request pass if its caller may do this.

    Raises:
        Unauthenticated: nobody is logged in.
        Forbidden: the caller lacks the permission, or the request may be forged.
    """
    principal = caller.principal
    if principal is None:
        if nearby and _is_nearby(request):
            return
        raise Unauthenticated("log in first")
    if not principal.may(permission):
        if principal.must_change:
            raise Forbidden("choose a password of your own first: the one that you logged in with was for that alone")
        if principal.role is Role.INTEGRATION:
            raise Forbidden(f"this API key may not do this; it would need the scope {permission.value}")
        raise Forbidden(f"this is not allowed for the role {principal.role.value}")
    if caller.session is not None and request.method not in _SAFE:
        if request.headers.get(CSRF_HEADER) != "1":
            raise Forbidden(f"send the header {CSRF_HEADER}: 1 with every request that changes something")
        check_origin(request, services)


def check_origin(request: web.Request, services: Services) -> None:
    """Refuse a request that a page of another origin makes.

    Raises:
        Forbidden: the browser names another origin than ours.
    """
    origin = request.headers.get("Origin")
    if origin is None:
        if request.headers.get("Sec-Fetch-Site") in (None, "same-origin", "none"):
            return
        raise Forbidden("this request comes from another site")
    own = services.public_url or f"{request.scheme}://{request.host}"
    if origin.casefold() not in {allowed.casefold() for allowed in (own, *services.origins)}:
        raise Forbidden("this request comes from a page of another origin")


def address_of(request: web.Request, services: Services) -> str:
    """Where a request comes from, behind a trusted proxy too: to count attempts and for the records, never a right."""
    peer = request.remote or "unknown"
    forwarded = request.headers.getall("X-Forwarded-For", [])
    if forwarded and _within(peer, services.trusted_proxies):
        last = forwarded[-1].rpartition(",")[2].strip()
        try:
            # Without a zone (`fe80::1%eth0`), which may be any text and would make each attempt another address.
            return str(ip_address(last.partition("%")[0]))
        except ValueError:
            return peer
    return peer


def _is_nearby(request: web.Request) -> bool:
    """Whether a program on this machine asks directly, with no proxy in between."""
    forwarded = any(name in request.headers for name in ("X-Forwarded-For", "Forwarded", "Via"))
    return not forwarded and request.remote is not None and _within(request.remote, LOOPBACK)


def _within(address: str, networks: tuple[IPv4Network | IPv6Network, ...]) -> bool:
    try:
        found = ip_address(address)
    except ValueError:
        return False
    return any(found in network for network in networks)
