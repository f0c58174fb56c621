"""What agents choose from, whom they have to call, and the search over everything."""

from datetime import UTC, datetime, timedelta

from callcenter.accounts.scope import check_queue
from callcenter.errors import BadInput, BadNumber
from callcenter.web.endpoint import Exchange
from callcenter.web.numbers import read_number
from callcenter.web.schemas import Nothing
from callcenter.web.schemas import desk as schema
from callcenter.web.services import CallFilter

MOST_WORDS_OF_A_NUMBER = 64


async def list_pause_reasons(exchange: Exchange[Nothing, Nothing]) -> schema.PauseReasons:
    """Those out of use too, since calls and pauses of the past name them."""
    return schema.PauseReasons(items=tuple(await exchange.services.desk.pause_reasons(exchange.principal.tenant_id)))


async def put_pause_reason(exchange: Exchange[Nothing, schema.PauseReasonDraft]) -> schema.PauseReason:
    """Adds it where it is new; take it out of use with `active`."""
    who = exchange.principal
    return await exchange.services.desk.put_pause_reason(who.tenant_id, _code(exchange), exchange.body, who.actor)


async def list_outcomes(exchange: Exchange[Nothing, Nothing]) -> schema.Outcomes:
    """Those out of use too, since calls of the past name them."""
    return schema.Outcomes(items=tuple(await exchange.services.desk.outcomes(exchange.principal.tenant_id)))


async def put_outcome(exchange: Exchange[Nothing, schema.OutcomeDraft]) -> schema.Outcome:
    """Adds it where it is new; take it out of use with `active`."""
    who = exchange.principal
    return await exchange.services.desk.put_outcome(who.tenant_id, _code(exchange), exchange.body, who.actor)


async def list_customer_fields(exchange: Exchange[Nothing, Nothing]) -> schema.FieldDefinitions:
    """Fields that a card has beyond these were imported, and hold any text."""
    return schema.FieldDefinitions(items=tuple(await exchange.services.desk.fields(exchange.principal.tenant_id)))


async def put_customer_field(exchange: Exchange[Nothing, schema.FieldDraft]) -> schema.FieldDefinition:
    """Adds it where it is new. What cards have already stays until somebody edits that field."""
    who = exchange.principal
    return await exchange.services.desk.put_field(who.tenant_id, _code(exchange), exchange.body, who.actor)


async def show_desk_settings(exchange: Exchange[Nothing, Nothing]) -> schema.DeskSettings:
    """How the desk works."""
    return await exchange.services.desk.settings(exchange.principal.tenant_id)


async def change_desk_settings(exchange: Exchange[Nothing, schema.DeskSettingsDraft]) -> schema.DeskSettings:
    """Counts for calls that end from now on."""
    who = exchange.principal
    return await exchange.services.desk.configure(who.tenant_id, exchange.body, who.actor)


async def list_agent_queues(exchange: Exchange[Nothing, Nothing]) -> schema.QueueRights:
    """The queues that an agent may log in to."""
    agent = exchange.request.match_info["agent"]
    return schema.QueueRights(
        items=tuple(await exchange.services.desk.queue_rights(exchange.principal.tenant_id, agent))
    )


async def assign_agent_queues(exchange: Exchange[Nothing, schema.QueueRights]) -> schema.QueueRights:
    """Replaces them all; who is in a queue now stays in it."""
    who = exchange.principal
    agent = exchange.request.match_info["agent"]
    if who.queues is not None:
        before = await exchange.services.desk.queue_rights(who.tenant_id, agent)
        for right in {*before} ^ {*exchange.body.items}:
            check_queue(who.queues, right.pbx, right.queue)
    rights = await exchange.services.desk.assign_queues(who.tenant_id, agent, exchange.body.items, who.actor)
    return schema.QueueRights(items=tuple(rights))


async def list_missed(exchange: Exchange[schema.MissedQuery, Nothing]) -> schema.MissedCalls:
    """A number leaves the list by itself when anybody reaches the customer."""
    query = exchange.query
    since = datetime.now(UTC) - timedelta(days=query.days)
    who = exchange.principal
    missed = await exchange.services.desk.missed(who.tenant_id, since, query.agent, who.queues, query.limit)
    return schema.MissedCalls(items=tuple(missed))


async def settle_missed(exchange: Exchange[Nothing, schema.Settling]) -> None:
    """Later calls of the number come into the list again."""
    who = exchange.principal
    number = read_number(exchange.services.numbers, exchange.body.number)
    await exchange.services.desk.settle(who.tenant_id, number, who.actor)


async def list_callbacks(exchange: Exchange[schema.CallbackQuery, Nothing]) -> schema.Callbacks:
    """Of an agent: those of theirs, and those that anybody may take."""
    query = exchange.query
    items = await exchange.services.desk.callbacks(
        exchange.principal.tenant_id, query.agent, query.customer, done=query.done, limit=query.limit
    )
    return schema.Callbacks(items=tuple(items))


async def make_callback(exchange: Exchange[Nothing, schema.NewCallback]) -> schema.Callback:
    """The number is stored as it is understood, so that the call that does it is found."""
    who = exchange.principal
    number = read_number(exchange.services.numbers, exchange.body.number)
    return await exchange.services.desk.make_callback(who.tenant_id, exchange.body, number, who.actor)


async def move_callback(exchange: Exchange[Nothing, schema.CallbackChange]) -> schema.Callback:
    """Another time, or another agent."""
    who = exchange.principal
    return await exchange.services.desk.move_callback(who.tenant_id, exchange.id, exchange.body, who.actor)


async def finish_callback(exchange: Exchange[Nothing, Nothing]) -> schema.Callback:
    """What a call has done already stays done by that call."""
    who = exchange.principal
    return await exchange.services.desk.finish_callback(who.tenant_id, exchange.id, who.actor)


async def find_anything(exchange: Exchange[schema.FindQuery, Nothing]) -> schema.Found:
    """Customers by text or number; calls by number, or by what a note contains."""
    query, services, tenant_id = exchange.query, exchange.services, exchange.principal.tenant_id
    number = None
    if len(query.q) <= MOST_WORDS_OF_A_NUMBER and sum(sign.isdigit() for sign in query.q) >= 3:
        try:
            number = read_number(services.numbers, query.q)
        except (BadInput, BadNumber):
            number = None
    text = None if number is not None else query.q
    customers = await services.customers.page(tenant_id, text, number, cursor=None, limit=query.limit)
    wanted = CallFilter(number=number, text=text, within=exchange.principal.queues)
    calls = await services.calls.page(tenant_id, wanted, cursor=None, limit=query.limit)
    return schema.Found(number=number, customers=tuple(customers.items), calls=tuple(calls.items))


def _code(
    exchange: Exchange[Nothing, schema.PauseReasonDraft]
    | Exchange[Nothing, schema.OutcomeDraft]
    | Exchange[Nothing, schema.FieldDraft],
) -> str:
    return exchange.request.match_info["code"]
