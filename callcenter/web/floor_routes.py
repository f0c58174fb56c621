"""The routes of what supervisors do, a part of the table in `routes.py`."""

from datetime import timedelta
from http import HTTPMethod

from callcenter.accounts.roles import Permission
from callcenter.web.endpoint import Route, route
from callcenter.web.handlers import floor
from callcenter.web.schemas.floor import (
    Done,
    LogOut,
    MemberChange,
    MemberQuery,
    Move,
    NewMember,
    PauseChange,
    QueueLimits,
    SpyChange,
    SpyQuery,
    SpyView,
    SpyViews,
    SpyWish,
    TakeOver,
)

GET, POST, PUT, PATCH, DELETE = (
    HTTPMethod.GET,
    HTTPMethod.POST,
    HTTPMethod.PUT,
    HTTPMethod.PATCH,
    HTTPMethod.DELETE,
)
_FLOOR = "/api/v1/floor"
_MEMBERS = f"{_FLOOR}/members"
_SPYING = f"{_FLOOR}/spying"
PICK_UP_DEADLINE = timedelta(seconds=45)
"""The supervisor's phone rings first."""

FLOOR_ROUTES: tuple[Route, ...] = (
    route(
        POST,
        f"{_FLOOR}/callers/{{id}}/front",
        floor.move_to_front,
        permission=Permission.QUEUES_STEER,
        tag="floor",
        summary="Let a caller be the next of their queue",
        response=Done,
    ),
    route(
        POST,
        f"{_FLOOR}/callers/{{id}}/move",
        floor.move_caller,
        permission=Permission.QUEUES_STEER,
        tag="floor",
        summary="Send a caller who waits to another queue or to an agent",
        body=Move,
        response=Done,
    ),
    route(
        PUT,
        f"{_FLOOR}/pause",
        floor.pause_agent,
        permission=Permission.QUEUES_STEER,
        tag="floor",
        summary="Pause an agent in all queues, or end the pause",
        body=PauseChange,
        response=Done,
    ),
    route(
        POST,
        f"{_FLOOR}/logout",
        floor.log_agent_out,
        permission=Permission.QUEUES_STEER,
        tag="floor",
        summary="Log an agent out of all queues and off their phone",
        body=LogOut,
        response=Done,
    ),
    route(
        POST,
        _MEMBERS,
        floor.add_member,
        permission=Permission.QUEUES_STEER,
        tag="floor",
        summary="Let a queue ring an agent",
        body=NewMember,
        response=Done,
    ),
    route(
        PATCH,
        _MEMBERS,
        floor.change_member,
        permission=Permission.QUEUES_STEER,
        tag="floor",
        summary="Change a member's penalty, or pause it in this queue",
        body=MemberChange,
        response=Done,
    ),
    route(
        DELETE,
        _MEMBERS,
        floor.remove_member,
        permission=Permission.QUEUES_STEER,
        tag="floor",
        summary="Take a member out of a queue",
        query=MemberQuery,
        response=None,
        status=204,
    ),
    route(
        PUT,
        f"{_FLOOR}/limits",
        floor.set_limits,
        permission=Permission.QUEUES_STEER,
        tag="floor",
        summary="Say what a queue is measured by, and when to be told",
        body=QueueLimits,
        response=Done,
    ),
    route(
        POST,
        f"{_FLOOR}/calls/{{id}}/spy",
        floor.spy,
        permission=Permission.CALLS_SUPERVISE,
        tag="floor",
        summary="Listen to a call, whisper to its agent, or talk to both, with one's own phone",
        body=SpyWish,
        response=SpyView,
        status=202,
    ),
    route(
        POST,
        f"{_FLOOR}/calls/{{id}}/takeover",
        floor.take_over,
        permission=Permission.CALLS_SUPERVISE,
        tag="floor",
        summary="Take a call over from its agent",
        body=TakeOver,
        response=Done,
        deadline=PICK_UP_DEADLINE,
    ),
    route(
        GET,
        _SPYING,
        floor.list_spying,
        permission=Permission.CALLS_SUPERVISE,
        tag="floor",
        summary="The calls that one listens to",
        response=SpyViews,
    ),
    route(
        PATCH,
        _SPYING,
        floor.change_spying,
        permission=Permission.CALLS_SUPERVISE,
        tag="floor",
        summary="Listen, whisper or talk to both from now on",
        body=SpyChange,
        response=SpyView,
    ),
    route(
        DELETE,
        _SPYING,
        floor.stop_spying,
        permission=Permission.CALLS_SUPERVISE,
        tag="floor",
        summary="Stop listening",
        query=SpyQuery,
        response=None,
        status=204,
    ),
)
