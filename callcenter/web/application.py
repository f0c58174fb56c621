"""Builds the aiohttp application from the table of routes and the services it is given."""

import time
from importlib.metadata import version

import msgspec
from aiohttp import web

from callcenter.web.endpoint import SERVICES
from callcenter.web.envelope import envelope, protect
from callcenter.web.frontend import FRONTEND, Frontend
from callcenter.web.guard import cookie_name
from callcenter.web.handlers.service import DESCRIPTION
from callcenter.web.openapi import describe
from callcenter.web.rates import RATES, Rates
from callcenter.web.routes import ROUTES, add_routes
from callcenter.web.services import Services
from callcenter.web.turns import TURNS, Turns

BODY_LIMIT = 1024 * 1024
"""Largest body of a request, in bytes."""


def build(services: Services) -> web.Application:
    """The application, ready for a `callcenter.web.port.BoundedRunner`; it logs requests by itself."""
    app = web.Application(middlewares=[envelope], client_max_size=BODY_LIMIT)
    app[SERVICES] = services
    app[TURNS] = Turns(services.at_once)
    app[RATES] = Rates(services.people_rate, services.key_rate, time.monotonic)
    app[FRONTEND] = Frontend(services.static)
    app[DESCRIPTION] = msgspec.json.encode(
        describe(ROUTES, version("asterisk-callcenter"), cookie_name(services.public_url))
    )
    app.on_response_prepare.append(protect)
    add_routes(app)
    return app
