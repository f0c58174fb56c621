"""What the person who asks does: ready, paused, wrapping up, in their queues."""

from datetime import timedelta

from callcenter.accounts.roles import Principal
from callcenter.errors import Forbidden
from callcenter.web.endpoint import Exchange
from callcenter.web.schemas import Nothing
from callcenter.web.schemas import desk as schema


async def show_own_state(exchange: Exchange[Nothing, Nothing]) -> schema.OwnState:
    """What one does now, as queues and calls say."""
    return exchange.services.duty.state(_agent_of(exchange.principal))


async def pause(exchange: Exchange[Nothing, schema.PauseChoice]) -> schema.OwnState:
    """Asked of the PBX; during a call it begins when that is over."""
    agent = _agent_of(exchange.principal)
    await exchange.services.duty.pause_agent(agent, exchange.body.reason)
    return exchange.services.duty.state(agent)


async def be_ready(exchange: Exchange[Nothing, Nothing]) -> schema.OwnState:
    """Ends a pause, and a wrap-up."""
    agent = _agent_of(exchange.principal)
    await exchange.services.duty.make_ready(agent)
    return exchange.services.duty.state(agent)


async def extend_wrapup(exchange: Exchange[Nothing, schema.MoreTime]) -> schema.OwnState:
    """An hour is the most."""
    agent = _agent_of(exchange.principal)
    await exchange.services.duty.extend_wrapup(agent, timedelta(seconds=exchange.body.seconds))
    return exchange.services.duty.state(agent)


async def list_own_queues(exchange: Exchange[Nothing, Nothing]) -> schema.OwnQueues:
    """Those that one may log in to, and those that one's phone is in."""
    who = exchange.principal
    return schema.OwnQueues(items=tuple(await exchange.services.duty.own_queues(who.tenant_id, _agent_of(who))))


async def log_into_own_queues(exchange: Exchange[Nothing, schema.QueueLogIn]) -> schema.OwnQueues:
    """All of them at once."""
    who = exchange.principal
    agent = _agent_of(who)
    await exchange.services.duty.log_into_own_queues(who.tenant_id, agent, exchange.body.logged_in)
    return schema.OwnQueues(items=tuple(await exchange.services.duty.own_queues(who.tenant_id, agent)))


def _agent_of(principal: Principal) -> str:
    if principal.agent is None:
        raise Forbidden("only a person takes calls; an API key cannot do this")
    return principal.agent
