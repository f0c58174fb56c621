"""The service about itself: is it well, its metrics, its description."""

from http import HTTPStatus
from importlib.resources import files

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from callcenter.web.endpoint import Exchange
from callcenter.web.schemas import Nothing
from callcenter.web.schemas.problems import Alive, Readiness

DESCRIPTION = web.AppKey("description", bytes)
"""The OpenAPI description, encoded once."""

_PAGES = files("callcenter.web.pages")
_DOCS = {
    name: (_PAGES.joinpath(name).read_bytes(), media)
    for name, media in (
        ("docs.html", "text/html"),
        ("docs.css", "text/css"),
        ("docs.js", "text/javascript"),
    )
}


async def check_alive(exchange: Exchange[Nothing, Nothing]) -> Alive:
    """Asks no other part: a supervisor that restarts the process cannot mend the database by it."""
    return Alive()


async def check_ready(exchange: Exchange[Nothing, Nothing]) -> Readiness:
    """503 while a part does not work, so that a load balancer sends nobody here."""
    parts = tuple(await exchange.services.health.parts())
    ready = all(part.ok for part in parts)
    if not ready:
        exchange.status = HTTPStatus.SERVICE_UNAVAILABLE
    return Readiness(ready=ready, parts=parts)


async def show_metrics(exchange: Exchange[Nothing, Nothing]) -> web.Response:
    """The text format of Prometheus."""
    return web.Response(body=generate_latest(exchange.services.registry), headers={"Content-Type": CONTENT_TYPE_LATEST})


async def show_description(exchange: Exchange[Nothing, Nothing]) -> web.Response:
    """OpenAPI 3.1, made from the table of routes."""
    return web.Response(body=exchange.request.app[DESCRIPTION], content_type="application/json")


async def show_docs(exchange: Exchange[Nothing, Nothing]) -> web.Response:
    """A page for people that reads the description; it loads nothing from elsewhere."""
    name = exchange.request.match_info.get("file", "docs.html")
    found = _DOCS.get(name)
    if found is None:
        raise web.HTTPNotFound
    body, media = found
    return web.Response(body=body, content_type=media, charset="utf-8", headers={"Cache-Control": "no-cache"})
