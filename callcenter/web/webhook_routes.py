"""The routes of webhooks, a part of the table in `routes.py`."""

from http import HTTPMethod

from callcenter.accounts.roles import Permission
from callcenter.web.endpoint import Route, route
from callcenter.web.handlers import webhooks
from callcenter.web.schemas.webhooks import (
    Deliveries,
    Delivery,
    DeliveryBody,
    DeliveryQuery,
    NewWebhook,
    Replay,
    Replayed,
    SecretChange,
    Webhook,
    WebhookChange,
    Webhooks,
    WebhookSecret,
)

GET, POST, PATCH, DELETE = HTTPMethod.GET, HTTPMethod.POST, HTTPMethod.PATCH, HTTPMethod.DELETE
_ALL = "/api/v1/webhooks"
_ONE = f"{_ALL}/{{id}}"
_LOG = f"{_ONE}/deliveries"

WEBHOOK_ROUTES: tuple[Route, ...] = (
    route(
        GET,
        _ALL,
        webhooks.list_webhooks,
        permission=Permission.WEBHOOKS_MANAGE,
        tag="webhooks",
        summary="Which systems are told of calls",
        response=Webhooks,
    ),
    route(
        POST,
        _ALL,
        webhooks.create_webhook,
        permission=Permission.WEBHOOKS_MANAGE,
        tag="webhooks",
        summary="Tell another system of calls; the answer has the secret, once",
        body=NewWebhook,
        response=WebhookSecret,
        status=201,
        secret=True,
    ),
    route(
        GET,
        _ONE,
        webhooks.show_webhook,
        permission=Permission.WEBHOOKS_MANAGE,
        tag="webhooks",
        summary="One webhook",
        response=Webhook,
    ),
    route(
        PATCH,
        _ONE,
        webhooks.change_webhook,
        permission=Permission.WEBHOOKS_MANAGE,
        tag="webhooks",
        summary="Change or pause a webhook",
        body=WebhookChange,
        response=Webhook,
    ),
    route(
        DELETE,
        _ONE,
        webhooks.delete_webhook,
        permission=Permission.WEBHOOKS_MANAGE,
        tag="webhooks",
        summary="Delete a webhook and its delivery log",
        response=None,
        status=204,
    ),
    route(
        POST,
        f"{_ONE}/secret",
        webhooks.rotate_webhook_secret,
        permission=Permission.WEBHOOKS_MANAGE,
        tag="webhooks",
        summary="Give a webhook a new secret",
        body=SecretChange,
        response=WebhookSecret,
        status=201,
        secret=True,
    ),
    route(
        POST,
        f"{_ONE}/test",
        webhooks.send_test_event,
        permission=Permission.WEBHOOKS_MANAGE,
        tag="webhooks",
        summary="Send a test event now",
        response=Delivery,
    ),
    route(
        GET,
        _LOG,
        webhooks.list_deliveries,
        permission=Permission.WEBHOOKS_MANAGE,
        tag="webhooks",
        summary="The delivery log of a webhook",
        query=DeliveryQuery,
        response=Deliveries,
    ),
    route(
        GET,
        f"{_LOG}/{{event}}",
        webhooks.show_delivery,
        permission=Permission.WEBHOOKS_MANAGE,
        tag="webhooks",
        summary="One delivery, with what is sent",
        response=DeliveryBody,
    ),
    route(
        POST,
        f"{_LOG}/{{event}}/replay",
        webhooks.replay_delivery,
        permission=Permission.WEBHOOKS_MANAGE,
        tag="webhooks",
        summary="Send one event again",
        response=Delivery,
        status=202,
    ),
    route(
        POST,
        f"{_ONE}/replay",
        webhooks.replay_deliveries,
        permission=Permission.WEBHOOKS_MANAGE,
        tag="webhooks",
        summary="Send all dead letters again, or all events after a cursor",
        body=Replay,
        response=Replayed,
        status=202,
    ),
)
