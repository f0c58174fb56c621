"""Reads bodies and query strings into their declared types, strictly, and says plainly what is wrong."""

import re
from collections.abc import Mapping
from typing import TypeVar, get_origin
from urllib.parse import parse_qsl

import msgspec
from aiohttp import web

from callcenter.errors import Malformed
from callcenter.web.schemas import Nothing

Shape = TypeVar("Shape", bound=msgspec.Struct)

_MAX_PARAMETERS = 50
_AT = re.compile(r" - at `(?P<at>[^`]*)`$")
_SAYINGS = (
    (re.compile(r"^Object missing required field `(.+)`$"), r"the field `\1` is missing"),
    (re.compile(r"^Object contains unknown field `(.+)`$"), r"there is no field `\1` here"),
    (re.compile(r"^Expected `str` of length >= 1$"), "this must not be empty"),
    (re.compile(r"^Expected `str` of length >= (\d+)$"), r"at least \1 characters are needed"),
    (re.compile(r"^Expected `str` of length <= (\d+)$"), r"at most \1 characters are allowed"),
    (re.compile(r"^Expected `int` >= (-?\d+)$"), r"the smallest allowed number is \1"),
    (re.compile(r"^Expected `int` <= (-?\d+)$"), r"the largest allowed number is \1"),
    (re.compile(r"^Expected `array` of length <= (\d+)$"), r"at most \1 items are allowed"),
    (re.compile(r"^Invalid enum value (.+)$"), r"\1 is not one of the allowed words"),
    (re.compile(r"^Invalid UUID$"), "this is not a UUID"),
    (re.compile(r"^Invalid RFC3339 encoded datetime$"), "write the time as in 2026-01-31T09:30:00Z"),
    (
        re.compile(r"^Expected `datetime` with a timezone component$"),
        "the time needs a zone: end it with Z for UTC",
    ),
)


def read_body(data: bytes, content_type: str, shape: type[Shape]) -> Shape:
    """Decode a JSON body.

    Raises:
        Malformed: it is no JSON, or not of this shape, or holds a NUL character.
    """
    if content_type != "application/json":
        raise _malformed("$", "send the body as JSON, with Content-Type: application/json")
    try:
        value = msgspec.json.decode(data, type=shape)
        if rb"\u0000" in data and _has_nul(msgspec.json.decode(data)):
            raise _malformed("$", "NUL characters are not allowed in texts")
    except msgspec.ValidationError as problem:
        raise _from_validation(problem) from None
    except msgspec.DecodeError as problem:
        raise _malformed("$", f"the body is not valid JSON: {problem}") from None
    except UnicodeDecodeError:
        raise _malformed("$", "the body is not valid UTF-8") from None
    except RecursionError:
        raise _malformed("$", "the body is nested too deeply") from None
    return value


def read_query(text: str, shape: type[Shape]) -> Shape:
    """Decode a query string, percent-encoded; a field that is a tuple may be repeated.

    Raises:
        Malformed: a parameter is unknown, repeated, not of its type, or not UTF-8.
    """
    try:
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=_MAX_PARAMETERS, separator="&")
    except UnicodeDecodeError:
        raise _malformed("$", "the query is not valid UTF-8") from None
    except ValueError:
        raise _malformed("$", f"at most {_MAX_PARAMETERS} parameters are allowed") from None
    many = _repeatable(shape)
    values: dict[str, str | list[str]] = {}
    for name, value in pairs:
        if "\0" in value or "\0" in name:
            raise _malformed(f"$.{name}", "NUL characters are not allowed")
        if name in many:
            found = values.setdefault(name, [])
            assert isinstance(found, list)
            found.append(value)
        elif name in values:
            raise _malformed(f"$.{name}", "give this parameter once")
        elif value != "":
            values[name] = value
    try:
        query = msgspec.convert(values, shape, strict=False)
    except msgspec.ValidationError as problem:
        raise _from_validation(problem) from None
    for declared in msgspec.structs.fields(shape):
        # read leniently "5" is a number, but "null" is nothing too: who writes it would be answered another question
        if declared.encode_name in values and getattr(query, declared.name) is None:
            raise _malformed(f"$.{declared.encode_name}", "null is no value here: leave the parameter out")
    return query


async def read_request_body(request: web.Request, shape: type[Shape]) -> Shape:
    """Read and decode the body of a request; without a declared body none may be sent."""
    data = await request.read()
    if shape is Nothing:
        if data:
            raise _malformed("$", "this request takes no body")
        return shape()
    if data and request.content_type != "application/json":
        raise web.HTTPUnsupportedMediaType
    return read_body(data, request.content_type, shape)


def _repeatable(shape: type[msgspec.Struct]) -> frozenset[str]:
    types: Mapping[str, object] = {f.encode_name: f.type for f in msgspec.structs.fields(shape)}
    return frozenset(
        name
        for name, declared in types.items()
        if tuple in (get_origin(declared), get_origin(getattr(declared, "__origin__", None)))
    )


def _has_nul(value: object) -> bool:
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, list):
        return any(_has_nul(item) for item in value)
    if isinstance(value, dict):
        return any(_has_nul(key) or _has_nul(item) for key, item in value.items())
    return False


def _from_validation(problem: msgspec.ValidationError) -> Malformed:
    text = str(problem)
    found = _AT.search(text)
    at = found["at"] if found else "$"
    detail = text[: found.start()] if found else text
    for pattern, saying in _SAYINGS:
        if pattern.match(detail):
            return _malformed(at, pattern.sub(saying, detail))
    return _malformed(at, detail)


def _malformed(at: str, detail: str) -> Malformed:
    place = at.removeprefix("$").lstrip(".")
    return Malformed(f"{place}: {detail}" if place else detail, ((at, detail),))
