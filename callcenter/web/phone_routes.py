"""The routes of the session's phone, and of what it may do with a call; a part of the table in `routes`."""

from http import HTTPMethod

from callcenter.accounts.roles import Permission
from callcenter.web.endpoint import Route, route
from callcenter.web.handlers import phone
from callcenter.web.schemas.phone import (
    DialableTarget,
    Ordered,
    ParkedCalls,
    PhoneCredential,
    PhoneNow,
    PhoneRequest,
    TargetQuery,
    TransferTarget,
)

_API = "/api/v1"

PHONE_ROUTES: tuple[Route, ...] = (
    route(
        HTTPMethod.GET,
        f"{_API}/phone",
        phone.show_phone,
        permission=Permission.SOFTPHONE,
        tag="phone",
        summary="Where the phone of the session's extension is: on the desk, or in the browser",
        response=PhoneNow,
    ),
    route(
        HTTPMethod.POST,
        f"{_API}/phone/credential",
        phone.open_phone,
        permission=Permission.SOFTPHONE,
        tag="phone",
        summary="A short-lived password for the phone in this browser",
        body=PhoneRequest,
        response=PhoneCredential,
        status=201,
        secret=True,
    ),
    route(
        HTTPMethod.DELETE,
        f"{_API}/phone/credential",
        phone.close_phone,
        permission=Permission.SOFTPHONE,
        tag="phone",
        summary="Give the password of the phone in the browser back",
        response=None,
        status=204,
    ),
    route(
        HTTPMethod.GET,
        f"{_API}/phone/parked",
        phone.list_parked,
        permission=Permission.CALLS_HANDLE,
        tag="phone",
        summary="Calls that are parked now",
        response=ParkedCalls,
    ),
    route(
        HTTPMethod.GET,
        f"{_API}/phone/target",
        phone.show_target,
        permission=Permission.CALLS_HANDLE,
        tag="phone",
        summary="What one's phone would dial to reach a number",
        query=TargetQuery,
        response=DialableTarget,
    ),
    route(
        HTTPMethod.POST,
        f"{_API}/calls/{{id}}/transfer",
        phone.transfer,
        permission=Permission.CALLS_HANDLE,
        tag="phone",
        summary="Hand one's own call on, blindly or after talking with the target",
        body=TransferTarget,
        response=Ordered,
        status=202,
    ),
    route(
        HTTPMethod.DELETE,
        f"{_API}/calls/{{id}}/transfer",
        phone.cancel_transfer,
        permission=Permission.CALLS_HANDLE,
        tag="phone",
        summary="Give an attended transfer up, and go back to whoever waits",
        response=None,
        status=204,
    ),
    route(
        HTTPMethod.POST,
        f"{_API}/calls/{{id}}/park",
        phone.park,
        permission=Permission.CALLS_HANDLE,
        tag="phone",
        summary="Park one's own call: the other side hears music, and the phone is free",
        response=Ordered,
        status=202,
    ),
    route(
        HTTPMethod.POST,
        f"{_API}/calls/{{id}}/fetch",
        phone.fetch,
        permission=Permission.CALLS_HANDLE,
        tag="phone",
        summary="Ring one's phone and give it a parked call",
        response=Ordered,
        status=202,
    ),
)
