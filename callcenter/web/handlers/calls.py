"""The call log, what people add to it, click-to-dial and hanging up."""

from datetime import UTC, datetime
from uuid import UUID

from callcenter.accounts.roles import Permission, Principal
from callcenter.accounts.scope import check_name, shows
from callcenter.callrecord import CallRecord
from callcenter.errors import BadInput, Conflict, Forbidden, NotFound
from callcenter.web.cursor import read_cursor, write_cursor
from callcenter.web.endpoint import Exchange
from callcenter.web.numbers import read_dialed, read_number
from callcenter.web.schemas import Nothing
from callcenter.web.schemas.calls import (
    CallConditions,
    CallQuery,
    Calls,
    CustomerChoice,
    Dial,
    Dialing,
    HangingUp,
    NoteText,
    OutcomeChoice,
)
from callcenter.web.services import CallFilter, Services


async def list_calls(exchange: Exchange[CallQuery, Nothing]) -> Calls:
    """The newest first; a page begins where the one before ended, however many calls came meanwhile."""
    query = exchange.query
    wanted = read_conditions(exchange.services, query, exchange.principal)
    page = await exchange.services.calls.page(
        exchange.principal.tenant_id, wanted, cursor=read_cursor(query.cursor, query), limit=query.limit
    )
    return Calls(items=tuple(page.items), next_cursor=write_cursor(page.next_cursor, query))


def read_conditions(services: Services, query: CallConditions, principal: Principal) -> CallFilter:
    """Which calls a query means of those that `principal` may see, with its number read and its times in UTC.

    Raises:
        BadInput: they contradict each other, or a number is none.
        Forbidden: it asks for a queue that is not theirs.
    """
    if query.queue is not None:
        check_name(principal.queues, query.queue)
    since, until = in_utc(query.since), in_utc(query.until)
    if since is not None and until is not None and since >= until:
        raise BadInput("`since` must be before `until`")
    return CallFilter(
        customer=query.customer,
        agent=query.agent,
        number=read_number(services.numbers, query.number) if query.number is not None else None,
        status=query.status,
        direction=query.direction,
        queue=query.queue,
        exit=query.exit,
        did=query.did,
        outcome=query.outcome,
        campaign=query.campaign,
        text=query.text,
        within=principal.queues,
        since=since,
        until=until,
    )


async def show_call(exchange: Exchange[Nothing, Nothing]) -> CallRecord:
    """One call."""
    call = await exchange.services.calls.get(exchange.principal.tenant_id, exchange.id)
    if not shows(exchange.principal.queues, call):
        raise NotFound(f"there is no call {exchange.id}")
    return call


async def write_note(exchange: Exchange[Nothing, NoteText]) -> CallRecord:
    """Replaces what the same person wrote before."""
    principal = exchange.principal
    await _check_seen(exchange.services, principal, exchange.id)
    return await exchange.services.calls.set_note(principal.tenant_id, exchange.id, exchange.body.text, principal.actor)


async def choose_customer(exchange: Exchange[Nothing, CustomerChoice]) -> CallRecord:
    """Where several customers share a number, a person says which one it was."""
    principal = exchange.principal
    await _check_seen(exchange.services, principal, exchange.id)
    return await exchange.services.calls.set_customer(
        principal.tenant_id, exchange.id, exchange.body.customer_id, principal.actor
    )


async def choose_outcome(exchange: Exchange[Nothing, OutcomeChoice]) -> CallRecord:
    """What the call came to, in the agent's words."""
    principal = exchange.principal
    await _check_seen(exchange.services, principal, exchange.id)
    return await exchange.services.calls.set_outcome(
        principal.tenant_id, exchange.id, exchange.body.outcome, principal.actor
    )


async def dial(exchange: Exchange[Nothing, Dial]) -> Dialing:
    """From the seat of the session; without one there is no phone that could ring."""
    principal = exchange.principal
    agent = _agent_of(principal)
    seat = await exchange.services.accounts.seat(principal)
    if seat is None:
        raise Conflict("choose your extension first: there is no phone to call from")
    number = read_dialed(exchange.services.numbers, exchange.body.number, seat.pbx)
    return await exchange.services.dialer.dial(principal.tenant_id, agent, seat, number)


async def hang_up(exchange: Exchange[Nothing, Nothing]) -> HangingUp:
    """One's own part of a call; where the role allows it, also a call that one has no part in, as a whole."""
    principal = exchange.principal
    anybodys = principal.may(Permission.CALLS_HANGUP_ANY)
    if anybodys:
        await _check_seen(exchange.services, principal, exchange.id)
    agent = principal.agent if anybodys else _agent_of(principal)
    await exchange.services.dialer.hang_up(principal.tenant_id, exchange.id, agent, anybodys=anybodys)
    return HangingUp(call_id=exchange.id)


async def _check_seen(services: Services, principal: Principal, call_id: UUID) -> None:
    """Let a call pass; who sees all of them need not wait for it to be looked up.

    Raises:
        NotFound: it was in queues of others alone.
    """
    if principal.queues is not None and not shows(
        principal.queues, await services.calls.get(principal.tenant_id, call_id)
    ):
        raise NotFound(f"there is no call {call_id}")


def in_utc(time: datetime | None) -> datetime | None:
    """The same moment in UTC.

    Raises:
        BadInput: the first and last hours of the calendar may not have it.
    """
    try:
        return None if time is None else time.astimezone(UTC)
    except OverflowError:
        raise BadInput("`since` and `until` must lie within the years 1 to 9999 in UTC") from None


def _agent_of(principal: Principal) -> str:
    if principal.agent is None:
        raise Forbidden("only a person has a phone; an API key cannot do this")
    return principal.agent
