"""The shapes of AMI's answers. Pure."""

from collections.abc import Callable, Iterator, Mapping

from callcenter.simulator.channels import Headers

Request = Mapping[str, str]
"""Headers of an action, by name in lower case."""

Answer = Iterator[Headers]
"""Blocks of headers: the answer, then the events of its list."""

Actions = dict[str, tuple[tuple[str, ...], Callable[[Request], Answer]]]
"""Name → rights of which one is needed (none: all may), and what does it."""


def action_id(request: Request) -> Headers:
    """Return the ActionID of a request as a header, if it has one."""
    return [("ActionID", request["actionid"])] if "actionid" in request else []


def good(request: Request, *headers: tuple[str, str]) -> Headers:
    """Return an answer that says yes."""
    return [("Response", "Success"), *action_id(request), *headers]


def bad(request: Request, message: str) -> Headers:
    """Return an answer that says no, and why."""
    return [("Response", "Error"), *action_id(request), ("Message", message)]


def listed(request: Request, message: str, complete: str, rows: list[Headers]) -> Answer:
    """Yield an answer with the events of its list."""
    yield good(request, ("EventList", "start"), ("Message", message))
    yield from rows
    end = [("EventList", "Complete"), ("ListItems", str(len(rows)))]
    yield [("Event", complete), *action_id(request), *end]
