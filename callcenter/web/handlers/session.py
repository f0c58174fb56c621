"""Logging in and out, the language, the seat, and tickets for the screen-pop."""

from callcenter.accounts.values import Extension, OpenSession
from callcenter.web.endpoint import Exchange
from callcenter.web.envelope import screenpop_url
from callcenter.web.guard import address_of, check_origin, cookie_name
from callcenter.web.handlers.paths import session_of_path
from callcenter.web.schemas import Nothing
from callcenter.web.schemas.accounts import SessionViews
from callcenter.web.schemas.people import (
    Extensions,
    LanguageChoice,
    LogIn,
    PasswordChange,
    SeatChoice,
    Session,
    Ticket,
    User,
)


async def log_in(exchange: Exchange[Nothing, LogIn]) -> Session:
    """Always a new token: a cookie that somebody planted before cannot become a session."""
    check_origin(exchange.request, exchange.services)
    session = await exchange.services.accounts.log_in(
        exchange.body.login,
        exchange.body.password,
        address_of(exchange.request, exchange.services),
        replaces=exchange.request.cookies.get(cookie_name(exchange.services.public_url)),
    )
    exchange.cookie = session.token
    return await _describe(exchange, session)


async def change_password(exchange: Exchange[Nothing, PasswordChange]) -> Session:
    """All sessions of the person end, this one too; the answer sets the cookie of a new one."""
    session = await exchange.services.accounts.change_password(
        exchange.principal,
        exchange.body.current,
        exchange.body.new,
        address_of(exchange.request, exchange.services),
    )
    exchange.cookie = session.token
    return await _describe(exchange, session)


async def list_own_sessions(exchange: Exchange[Nothing, Nothing]) -> SessionViews:
    """Where one is logged in."""
    who = exchange.principal
    return SessionViews(items=tuple(await exchange.services.administration.sessions(who, who.agent)))


async def end_own_session(exchange: Exchange[Nothing, Nothing]) -> None:
    """Somebody else's is not found."""
    session = session_of_path(exchange)
    await exchange.services.administration.end_session(exchange.principal, session, anybodys=False)


async def show_session(exchange: Exchange[Nothing, Nothing]) -> Session:
    """Who is logged in, for a page that was loaded anew."""
    return await _describe(exchange, _session_of(exchange))


async def log_out(exchange: Exchange[Nothing, Nothing]) -> None:
    """The seat stays taken: closing the browser does not unplug the phone."""
    await exchange.services.accounts.log_out(exchange.principal)
    exchange.cookie = ""


async def choose_language(exchange: Exchange[Nothing, LanguageChoice]) -> Session:
    """Kept with the person, so that it is the same on every device."""
    await exchange.services.accounts.set_language(exchange.principal, exchange.body.language)
    session = _session_of(exchange)
    return await _describe(exchange, session, language=exchange.body.language)


async def list_extensions(exchange: Exchange[Nothing, Nothing]) -> Extensions:
    """Taken ones too: the person sees who sits there."""
    items = await exchange.services.accounts.extensions(exchange.principal.tenant_id)
    return Extensions(items=tuple(items))


async def take_seat(exchange: Exchange[Nothing, SeatChoice]) -> Extension:
    """Whether `force` is allowed is decided by the accounts."""
    choice = exchange.body
    return await exchange.services.accounts.take_seat(
        exchange.principal, choice.pbx, choice.extension, force=choice.force
    )


async def leave_seat(exchange: Exchange[Nothing, Nothing]) -> None:
    """Leaving where one does not sit is no error."""
    await exchange.services.accounts.leave_seat(exchange.principal)


async def issue_ticket(exchange: Exchange[Nothing, Nothing]) -> Ticket:
    """The URL is told here, so that the page needs no configuration of its own."""
    ticket, expires_at = exchange.services.tickets.issue(exchange.principal)
    url = screenpop_url(exchange.request, exchange.services)
    return Ticket(ticket=ticket, url=url, expires_at=expires_at)


def _session_of(exchange: Exchange[Nothing, Nothing] | Exchange[Nothing, LanguageChoice]) -> OpenSession:
    session = exchange.caller.session
    assert session is not None
    return session


async def _describe(
    exchange: Exchange[Nothing, LogIn]
    | Exchange[Nothing, Nothing]
    | Exchange[Nothing, LanguageChoice]
    | Exchange[Nothing, PasswordChange],
    session: OpenSession,
    language: str | None = None,
) -> Session:
    principal = session.principal
    return Session(
        user=User(
            login=session.login,
            name=principal.name,
            role=principal.role,
            agent=session.login,
            language=language or principal.language,
            must_change_password=session.must_change,
        ),
        extension=await exchange.services.accounts.seat(principal),
        expires_at=session.expires_at,
    )
