"""Parts of paths that are no UUID."""

import re
from typing import Any

from callcenter.errors import NotFound
from callcenter.web.endpoint import Exchange

_HASH = re.compile(r"^[0-9a-f]{64}$")


def login_of_path(exchange: Exchange[Any, Any]) -> str:
    """The `{login}` of the path."""
    return exchange.request.match_info["login"]


def session_of_path(exchange: Exchange[Any, Any]) -> str:
    """The `{session}` of the path.

    Raises:
        NotFound: it names none, whichever there are.
    """
    text = exchange.request.match_info["session"]
    if not _HASH.match(text):
        raise NotFound("there is no such session: it may be over already")
    return text
