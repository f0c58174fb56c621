"""The routes of people and sessions, a part of the table in `routes.py`."""

from http import HTTPMethod

from callcenter.accounts.roles import Permission
from callcenter.accounts.values import OneTimePassword, Person
from callcenter.web.endpoint import Route, route
from callcenter.web.handlers import accounts, keys, session
from callcenter.web.schemas.accounts import Locks, NewUser, SessionViews, Unlocking, UserChange, Users
from callcenter.web.schemas.keys import AuditTrail, Keys, MadeKey, NewKey, TrailQuery
from callcenter.web.schemas.people import PasswordChange, Session

GET, POST, PUT, PATCH, DELETE = (
    HTTPMethod.GET,
    HTTPMethod.POST,
    HTTPMethod.PUT,
    HTTPMethod.PATCH,
    HTTPMethod.DELETE,
)
_API = "/api/v1"
_USERS = f"{_API}/users"
_ONE = f"{_USERS}/{{login}}"

ACCOUNT_ROUTES: tuple[Route, ...] = (
    route(
        PUT,
        f"{_API}/session/password",
        session.change_password,
        permission=Permission.SESSION,
        tag="session",
        summary="Choose another password; all other sessions end",
        body=PasswordChange,
        response=Session,
    ),
    route(
        GET,
        f"{_API}/session/all",
        session.list_own_sessions,
        permission=Permission.SESSION,
        tag="session",
        summary="Where one is logged in",
        response=SessionViews,
    ),
    route(
        DELETE,
        f"{_API}/session/all/{{session}}",
        session.end_own_session,
        permission=Permission.SESSION,
        tag="session",
        summary="Log out somewhere else",
        response=None,
        status=204,
    ),
    route(
        GET,
        _USERS,
        accounts.list_users,
        permission=Permission.USERS_MANAGE,
        tag="accounts",
        summary="Who logs in, and what they are",
        response=Users,
    ),
    route(
        POST,
        _USERS,
        accounts.create_user,
        permission=Permission.USERS_MANAGE,
        tag="accounts",
        summary="Add a person; the answer has a password for one log-in",
        body=NewUser,
        response=OneTimePassword,
        status=201,
        secret=True,
    ),
    route(
        GET,
        _ONE,
        accounts.show_user,
        permission=Permission.USERS_MANAGE,
        tag="accounts",
        summary="One person",
        response=Person,
    ),
    route(
        PATCH,
        _ONE,
        accounts.change_user,
        permission=Permission.USERS_MANAGE,
        tag="accounts",
        summary="Change somebody's name, role or queues, shut them out, or let them in again",
        body=UserChange,
        response=Person,
    ),
    route(
        POST,
        f"{_ONE}/password",
        accounts.reset_password,
        permission=Permission.USERS_MANAGE,
        tag="accounts",
        summary="Give somebody a password for one log-in; their sessions end",
        response=OneTimePassword,
        secret=True,
    ),
    route(
        GET,
        f"{_API}/locks",
        accounts.list_locks,
        permission=Permission.USERS_MANAGE,
        tag="accounts",
        summary="Logins and addresses that are locked, because passwords were wrong too often",
        response=Locks,
    ),
    route(
        POST,
        f"{_API}/locks/release",
        accounts.unlock,
        permission=Permission.USERS_MANAGE,
        tag="accounts",
        summary="Unlock a login or an address",
        body=Unlocking,
        response=None,
        status=204,
    ),
    route(
        GET,
        f"{_API}/sessions",
        accounts.list_sessions,
        permission=Permission.USERS_MANAGE,
        tag="accounts",
        summary="Open sessions of everybody",
        response=SessionViews,
    ),
    route(
        DELETE,
        f"{_API}/sessions/{{session}}",
        accounts.end_session,
        permission=Permission.USERS_MANAGE,
        tag="accounts",
        summary="End somebody's session",
        response=None,
        status=204,
    ),
    route(
        GET,
        f"{_API}/keys",
        keys.list_keys,
        permission=Permission.KEYS_MANAGE,
        tag="accounts",
        summary="API keys of other systems",
        response=Keys,
    ),
    route(
        POST,
        f"{_API}/keys",
        keys.create_key,
        permission=Permission.KEYS_MANAGE,
        tag="accounts",
        summary="Make an API key; the answer has it, once",
        body=NewKey,
        response=MadeKey,
        status=201,
        secret=True,
    ),
    route(
        DELETE,
        f"{_API}/keys/{{key}}",
        keys.revoke_key,
        permission=Permission.KEYS_MANAGE,
        tag="accounts",
        summary="Revoke an API key",
        response=None,
        status=204,
    ),
    route(
        GET,
        f"{_API}/audit",
        keys.list_audit,
        permission=Permission.AUDIT_READ,
        tag="accounts",
        summary="Who did and saw what",
        query=TrailQuery,
        response=AuditTrail,
    ),
)
