"""Errors as people and programs see them: RFC 9457 problem details, all made in one place."""

from dataclasses import dataclass
from http import HTTPStatus
from math import ceil

import msgspec
from aiohttp import web

from callcenter.db.away import is_away
from callcenter.errors import (
    AmiActionFailed,
    AmiError,
    AmiTimeout,
    BadInput,
    BadNumber,
    CallCenterError,
    Conflict,
    DatabaseError,
    Forbidden,
    KeyReused,
    Malformed,
    NotFound,
    TooMany,
    Unauthenticated,
)
from callcenter.web.schemas.problems import Fault, Problem

MEDIA_TYPE = "application/problem+json"
TYPE_BASE = "/api/docs#problem-"


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of problem: its stable name, status and title; `says` replaces the error's own sentence."""

    name: str
    status: HTTPStatus
    title: str
    says: str | None = None


UNEXPECTED = Kind(
    "unexpected",
    HTTPStatus.INTERNAL_SERVER_ERROR,
    "Something unexpected happened",
    "Something went wrong here, and it has been noted. Try again; if it stays, give the request id to the admin.",
)

_DATABASE_AWAY = Kind(
    "database-unavailable",
    HTTPStatus.SERVICE_UNAVAILABLE,
    "The database cannot be used",
    "The database cannot be used at this moment. Try again in a minute.",
)

KINDS: tuple[tuple[type[CallCenterError], Kind], ...] = (
    (Malformed, Kind("malformed", HTTPStatus.BAD_REQUEST, "The request cannot be read")),
    (BadNumber, Kind("bad-number", HTTPStatus.BAD_REQUEST, "This is no phone number")),
    (BadInput, Kind("bad-input", HTTPStatus.BAD_REQUEST, "The request cannot be carried out as it is")),
    (Unauthenticated, Kind("unauthenticated", HTTPStatus.UNAUTHORIZED, "Nobody is logged in")),
    (Forbidden, Kind("forbidden", HTTPStatus.FORBIDDEN, "This is not allowed")),
    (NotFound, Kind("not-found", HTTPStatus.NOT_FOUND, "There is no such thing")),
    (Conflict, Kind("conflict", HTTPStatus.CONFLICT, "This conflicts with what is there")),
    (KeyReused, Kind("key-reused", HTTPStatus.UNPROCESSABLE_ENTITY, "The Idempotency-Key is not new")),
    (TooMany, Kind("too-many", HTTPStatus.TOO_MANY_REQUESTS, "Too often")),
    (AmiTimeout, Kind("pbx-timeout", HTTPStatus.GATEWAY_TIMEOUT, "The PBX did not answer in time")),
    (AmiActionFailed, Kind("pbx-refused", HTTPStatus.BAD_GATEWAY, "The PBX refused")),
    (
        AmiError,
        Kind(
            "pbx-unavailable",
            HTTPStatus.SERVICE_UNAVAILABLE,
            "The PBX cannot be used",
            "The PBX cannot be used at this moment. Calls on the phones themselves are not affected.",
        ),
    ),
    (DatabaseError, _DATABASE_AWAY),
)
"""The first class that fits decides, so a class stands before those it derives from."""

_HTTP_SAYINGS = {
    404: ("not-found", "There is nothing at this address."),
    405: ("method-not-allowed", "This address does not take this method."),
    413: ("too-large", "What was sent is too large: at most 1 MB is taken."),
    415: ("unsupported-media", "Send the body as JSON, with Content-Type: application/json."),
    504: ("too-slow", "This took too long and was given up. Ask for less, or try again."),
}


def kind_of(error: BaseException) -> Kind:
    """The kind of problem that an exception is."""
    for cls, kind in KINDS:
        if isinstance(error, cls):
            return kind
    return _DATABASE_AWAY if is_away(error) else UNEXPECTED


def from_error(error: Exception, request_id: str) -> web.Response:
    """The answer to a request that ended with an exception."""
    kind = kind_of(error)
    faults: tuple[Fault, ...] | msgspec.UnsetType = msgspec.UNSET
    if isinstance(error, Malformed):
        faults = tuple(Fault(at=at, detail=detail) for at, detail in error.faults)
    response = _answer(kind.name, kind.status, kind.title, kind.says or sentence(error), request_id, faults)
    if isinstance(error, TooMany):
        response.headers["Retry-After"] = str(max(1, ceil(error.retry_after.total_seconds())))
    if isinstance(error, Unauthenticated):
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def from_http(error: web.HTTPException, request_id: str) -> web.Response:
    """The same for what aiohttp itself refuses."""
    status = HTTPStatus(error.status)
    name, detail = _HTTP_SAYINGS.get(error.status, ("http", f"{status.description or status.phrase}."))
    response = _answer(name, status, status.phrase, detail, request_id, msgspec.UNSET)
    if "Allow" in error.headers:
        response.headers["Allow"] = error.headers["Allow"]
    return response


def from_wire(status: HTTPStatus, request_id: str) -> web.Response:
    """The same for what is no request at all, or one whose first line or headers are too long."""
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        assert UNEXPECTED.says is not None
        return _answer(UNEXPECTED.name, status, UNEXPECTED.title, UNEXPECTED.says, request_id, msgspec.UNSET)
    detail = "The request cannot be read: its address or headers are too long, or it is no HTTP."
    return _answer("malformed", status, "The request cannot be read", detail, request_id, msgspec.UNSET)


def sentence(error: Exception) -> str:
    """The error's text as a sentence: with a capital and a full stop."""
    text = str(error).strip() or "The request was refused"
    return text[0].upper() + text[1:] + ("" if text[-1] in ".!?" else ".")


def _answer(
    name: str,
    status: HTTPStatus,
    title: str,
    detail: str,
    request_id: str,
    faults: tuple[Fault, ...] | msgspec.UnsetType,
) -> web.Response:
    problem = Problem(
        type=TYPE_BASE + name,
        title=title,
        status=int(status),
        detail=detail,
        request_id=request_id,
        errors=faults,
    )
    return web.Response(status=int(status), body=msgspec.json.encode(problem), content_type=MEDIA_TYPE, charset=None)
