"""Answers that are not sent again to whoever has them: ETag and If-None-Match (RFC 9110, sections 8.8.3 and 13.1.2).

The tag is made of the answer itself, so that it also tells a customer who got another name, which no version of the
call says. It is weak, because a proxy may compress what it passes on.
"""

import hashlib

from aiohttp import web


def entity_tag(body: bytes) -> str:
    """The ETag of an answer."""
    return f'W/"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'


def is_known(request: web.Request, tag: str) -> bool:
    """Whether the client has the answer with this tag already."""
    known = request.if_none_match or ()
    value = tag.removeprefix("W/").strip('"')
    return any(one.value in (value, "*") for one in known)
