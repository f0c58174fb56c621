"""The built front end: hashed files for ever, the page itself always asked for again.

Files are found in a list that is made at the start, never by a path from outside. Each is compressed when it
is first asked for, and kept: the whole front end is a few megabytes.
"""

import asyncio
import gzip
import hashlib
import mimetypes
import re
from dataclasses import dataclass
from pathlib import Path

import msgspec
from aiohttp import web
from aiohttp.web_request import Request

from callcenter.web.endpoint import Exchange
from callcenter.web.schemas import Nothing

_INDEX = "index.html"
_HASHED = re.compile(r"^assets/.*[-.][A-Za-z0-9_-]{8,}\.[a-z0-9.]+$")
_COMPRESSIBLE = ("text/", "application/json", "text/javascript", "image/svg+xml", "application/manifest+json")
_FOREVER = "public, max-age=31536000, immutable"
_TYPES = {
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}
_WORKER = "sw.js"
# a worker is bound by the policy of its own file: it fetches the page's files, and loads no other code
_WORKER_POLICY = "default-src 'none'; connect-src 'self'; frame-ancestors 'none'"


@dataclass(frozen=True, slots=True)
class _File:
    """A file of the front end, ready to be sent."""

    body: bytes
    zipped: bytes | None
    media: str
    tag: str


class Frontend:
    """All files below a directory, as they were at the start."""

    def __init__(self, directory: Path | None) -> None:
        """Lists the directory; a missing one is an empty front end."""
        self._paths: dict[str, Path] = {}
        self._files: dict[str, _File] = {}
        if directory is not None and directory.is_dir():
            for path in sorted(directory.rglob("*")):
                if path.is_file():
                    self._paths[path.relative_to(directory).as_posix()] = path

    async def answer(self, request: Request, path: str) -> web.Response:
        """The file at `path`; for a page of the application, which has no file, the index.

        Raises:
            web.HTTPNotFound: there is no such file, and no page was asked for.
        """
        name = path.strip("/") or _INDEX
        if name not in self._paths:
            last = name.rpartition("/")[2]
            if "." in last or _INDEX not in self._paths:
                raise web.HTTPNotFound
            name = _INDEX
        file = self._files.get(name)
        if file is None:
            file = await asyncio.to_thread(_load, self._paths[name])
            self._files[name] = file
        headers = {
            "Cache-Control": _FOREVER if _HASHED.match(name) else "no-cache",
            "ETag": f'"{file.tag}"',
            "Vary": "Accept-Encoding",
        }
        if name == _WORKER:
            headers["Content-Security-Policy"] = _WORKER_POLICY
        if any(tag.value == file.tag for tag in request.if_none_match or ()):
            return web.Response(status=304, headers=headers)
        body = file.body
        if file.zipped is not None and "gzip" in request.headers.get("Accept-Encoding", "").casefold():
            body = file.zipped
            headers["Content-Encoding"] = "gzip"
        charset = "utf-8" if file.media.startswith("text/") else None
        return web.Response(body=body, headers=headers, content_type=file.media, charset=charset)


FRONTEND = web.AppKey("frontend", Frontend)


class PageQuery(msgspec.Struct, frozen=True):
    """What stands behind a page's address is for the page itself: anything may."""


async def serve_frontend(exchange: Exchange[PageQuery, Nothing]) -> web.StreamResponse:
    """A file of the front end, or its page."""
    request = exchange.request
    return await request.app[FRONTEND].answer(request, request.match_info["path"])


def _load(path: Path) -> _File:
    body = path.read_bytes()
    media = _TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    zipped = None
    if len(body) > 512 and media.startswith(_COMPRESSIBLE):
        zipped = gzip.compress(body, compresslevel=6, mtime=0)
    return _File(body, zipped, media, hashlib.sha256(body).hexdigest()[:20])
