"""The OpenAPI 3.1 description, made from the table of routes and the types of its bodies."""

import re
from collections.abc import Iterable
from http import HTTPMethod, HTTPStatus
from typing import Any

import msgspec

from callcenter.accounts.roles import PEOPLE, PERMISSIONS, Permission, Role
from callcenter.web.endpoint import Route
from callcenter.web.guard import CSRF_HEADER
from callcenter.web.once import HEADER
from callcenter.web.problems import KINDS, MEDIA_TYPE, UNEXPECTED
from callcenter.web.schemas import Nothing
from callcenter.web.schemas.problems import Problem
from callcenter.web.schemas.reports import ReportKind

Json = dict[str, Any]
Schemas = dict[Any, Json]
"""The schema of each type of body."""

_REF = "#/components/schemas/{name}"
_PARAMETER = re.compile(r"{(\w+)}")
_UUID = {"type": "string", "format": "uuid"}
_NAMED: Json = {
    "code": {"type": "string", "minLength": 1, "maxLength": 64},
    "key": {"type": "string", "pattern": "^[0-9a-f]{8}$"},
    "login": {"type": "string", "minLength": 1, "maxLength": 64},
    "session": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
    "agent": {"type": "string", "minLength": 1, "maxLength": 64},
    "kind": {"type": "string", "enum": list(ReportKind)},
}
"""Parts of a path that are names, and no ids."""
_IDEMPOTENCY: Json = {
    "name": HEADER,
    "in": "header",
    "required": False,
    "description": "One's own key, such as a UUID: sent again with it, a request is done once and answered alike.",
    "schema": {"type": "string", "pattern": "^[!-~]{1,255}$"},
}
_TAGS = {
    "session": "Logging in, the seat, and the ticket of the screen-pop",
    "customers": "Customers, and whose number it is",
    "calls": "The call log, click-to-dial",
    "desk": "What agents choose from, and whom they have to call",
    "phone": "The phone of the session, transfers and parked calls",
    "live": "What happens at this moment",
    "floor": "What supervisors do: callers, members, agents, listening, limits",
    "reports": "Numbers of the past",
    "accounts": "People, what they may, their passwords and sessions",
    "webhooks": "Other systems that are told of calls",
    "service": "The service about itself",
}
_ABOUT = f"""\
People log in and are known by the cookie `{{cookie}}`; every request of theirs that changes something carries the
header `{CSRF_HEADER}: 1`. Other systems send an API key, `Authorization: Bearer cck_…`, made by
`callcenter apikey create`.

Bodies are JSON in UTF-8. Unknown fields are refused; fields may be added to answers. Times are RFC 3339 in UTC,
durations are seconds and end in `_s`. Lists come in pages: send `next_cursor` back as `cursor`, unchanged,
until it is null. A POST may carry `{HEADER}`: sent again within a day it is done once, and refused with another body.
Answers tell in `RateLimit` how many requests are left in this minute; then comes 429 with `Retry-After`.
Errors are problem details (RFC 9457): `type` is for programs, `detail` is for people.
"""


def describe(routes: Iterable[Route], version: str, cookie: str) -> Json:
    """The whole description, with the session cookie's name; pages for people are left out."""
    shown = [entry for entry in routes if not entry.hidden]
    schemas, components = msgspec.json.schema_components(_types(shown), ref_template=_REF)
    by_type: Schemas = dict(zip(_types(shown), schemas, strict=True))
    paths: Json = {}
    for entry in shown:
        paths.setdefault(entry.path, {})[entry.method.value.lower()] = _operation(entry, by_type, components)
    used = {name: schema for name, schema in components.items() if not _is_query(name, shown)}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Call center", "version": version, "description": _ABOUT.format(cookie=cookie)},
        "servers": [{"url": "/"}],
        "tags": [{"name": name, "description": text} for name, text in _TAGS.items()],
        "paths": paths,
        "components": {
            "schemas": used,
            "securitySchemes": {
                "session": {"type": "apiKey", "in": "cookie", "name": cookie},
                "key": {"type": "http", "scheme": "bearer", "description": "An API key, `cck_…`"},
            },
        },
        "x-problems": [
            {"name": kind.name, "status": int(kind.status), "title": kind.title}
            for kind in (*(kind for _, kind in KINDS), UNEXPECTED)
        ],
    }


def _types(routes: Iterable[Route]) -> list[Any]:
    """All types that bodies have, each once, in the order of the table."""
    found: dict[Any, None] = {Problem: None}
    for entry in routes:
        for kind in (entry.query, entry.body, entry.response, *entry.also.values()):
            if kind is not None and kind is not Nothing:
                found[kind] = None
    return list(found)


def _is_query(name: str, routes: Iterable[Route]) -> bool:
    """Queries are described as parameters, not as bodies."""
    return any(entry.query.__name__ == name for entry in routes)


def _operation(entry: Route, schemas: Schemas, components: Json) -> Json:
    operation: Json = {
        "operationId": entry.name,
        "tags": [entry.tag],
        "summary": entry.summary,
        "responses": _responses(entry, schemas),
        "security": _security(entry),
    }
    if isinstance(entry.permission, Permission):
        operation["description"] = f"Needs the permission `{entry.permission.value}`."
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": _NAMED.get(name, _UUID)}
        for name in _PARAMETER.findall(entry.path)
    ]
    parameters += _query_parameters(entry, components)
    if entry.method is HTTPMethod.POST and isinstance(entry.permission, Permission):
        parameters.append(_IDEMPOTENCY)
    if parameters:
        operation["parameters"] = parameters
    if entry.body is not Nothing:
        operation["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": schemas[entry.body]}},
        }
    return operation


def _query_parameters(entry: Route, components: Json) -> list[Json]:
    if entry.query is Nothing:
        return []
    schema = components[entry.query.__name__]
    required = schema.get("required", [])
    parameters = []
    for name, declared in schema["properties"].items():
        parameter: Json = {"name": name, "in": "query", "required": name in required}
        kept = _without_null(declared)
        if "description" in kept:
            parameter["description"] = kept.pop("description")
        parameter["schema"] = kept
        parameters.append(parameter)
    return parameters


def _without_null(declared: Json) -> Json:
    """A parameter that is left out is absent, never null."""
    kept = {key: value for key, value in declared.items() if key != "default" or value not in (None, ())}
    choices = [choice for choice in kept.pop("anyOf", []) if choice != {"type": "null"}]
    if len(choices) == 1:
        kept = {**choices[0], **kept}
    elif choices:
        kept["anyOf"] = choices
    return kept


def _responses(entry: Route, schemas: Schemas) -> Json:
    responses: Json = {}
    bodies: dict[int, Any] = {entry.status: entry.response, **entry.also}
    for status, kind in sorted(bodies.items()):
        answer: Json = {"description": HTTPStatus(status).phrase}
        if kind is not None:
            answer["content"] = {media: {"schema": schemas[kind]} for media in entry.media}
        responses[str(status)] = answer
    if entry.tagged:
        responses["304"] = {"description": "The same as before: `If-None-Match` names its `ETag`"}
    responses["default"] = {
        "description": "What went wrong",
        "content": {MEDIA_TYPE: {"schema": schemas[Problem]}},
    }
    return responses


def _security(entry: Route) -> list[Json]:
    """How to be known for it: people by cookie, and a key where an integration can have the permission."""
    if not isinstance(entry.permission, Permission):
        return []
    kinds: list[Json] = []
    if entry.nearby:
        kinds.append({})
    if any(entry.permission in PERMISSIONS[role] for role in PEOPLE):
        kinds.append({"session": []})
    if entry.permission in PERMISSIONS[Role.INTEGRATION]:
        kinds.append({"key": []})
    return kinds
