"""People as admins see them: who there is, what they may, their passwords, locks and sessions."""

from callcenter.accounts.values import OneTimePassword, Person
from callcenter.errors import BadInput
from callcenter.web.endpoint import Exchange
from callcenter.web.handlers.paths import login_of_path, session_of_path
from callcenter.web.schemas import Nothing
from callcenter.web.schemas.accounts import Locks, NewUser, SessionViews, Unlocking, UserChange, Users


async def list_users(exchange: Exchange[Nothing, Nothing]) -> Users:
    """Those who are shut out too."""
    return Users(items=tuple(await exchange.services.administration.users(exchange.principal.tenant_id)))


async def create_user(exchange: Exchange[Nothing, NewUser]) -> OneTimePassword:
    """Answers with a password to be told to the person, who chooses another at the first log-in."""
    who = exchange.principal
    made = await exchange.services.administration.add_user(who.tenant_id, exchange.body, who.actor)
    exchange.headers["Location"] = f"/api/v1/users/{made.login}"
    return made


async def show_user(exchange: Exchange[Nothing, Nothing]) -> Person:
    """One person."""
    return await exchange.services.administration.user(exchange.principal.tenant_id, login_of_path(exchange))


async def change_user(exchange: Exchange[Nothing, UserChange]) -> Person:
    """Counts at once: with another role open pages come back, and with `disabled` everything ends."""
    who = exchange.principal
    return await exchange.services.administration.change_user(
        who.tenant_id, login_of_path(exchange), exchange.body, who
    )


async def reset_password(exchange: Exchange[Nothing, Nothing]) -> OneTimePassword:
    """Whoever had the old one is out."""
    who = exchange.principal
    return await exchange.services.administration.reset_password(who.tenant_id, login_of_path(exchange), who.actor)


async def list_locks(exchange: Exchange[Nothing, Nothing]) -> Locks:
    """They open by themselves after a quarter of an hour."""
    return Locks(items=tuple(await exchange.services.administration.locked(exchange.principal.tenant_id)))


async def unlock(exchange: Exchange[Nothing, Unlocking]) -> None:
    """One of both, because they are locked apart."""
    body, who = exchange.body, exchange.principal
    if (body.login is None) == (body.address is None):
        raise BadInput("name either a login or an address")
    await exchange.services.administration.unlock(who.tenant_id, body.login, body.address, who.actor)


async def list_sessions(exchange: Exchange[Nothing, Nothing]) -> SessionViews:
    """Of everybody."""
    return SessionViews(items=tuple(await exchange.services.administration.sessions(exchange.principal, None)))


async def end_session(exchange: Exchange[Nothing, Nothing]) -> None:
    """Anybody's; what is open with it ends within a second."""
    session = session_of_path(exchange)
    await exchange.services.administration.end_session(exchange.principal, session, anybodys=True)
