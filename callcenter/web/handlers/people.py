"""Agents and queues as they are at this moment."""

from callcenter.accounts.scope import covers, workers
from callcenter.web.endpoint import Exchange
from callcenter.web.schemas import Nothing
from callcenter.web.schemas.people import Agent, Agents, AgentState, Queues


async def list_agents(exchange: Exchange[Nothing, Nothing]) -> Agents:
    """Who they are comes from the accounts, what they do from the board. Names are everybody's, doings are not."""
    who, board = exchange.principal, exchange.services.board
    people = await exchange.services.accounts.agents(who.tenant_id)
    states = board.agent_states(who.tenant_id)
    members = ((queue.pbx, queue.name, one.agent) for queue in board.queues(who.tenant_id) for one in queue.members)
    seen = workers(who.queues, members)
    items = []
    for person in people:
        visible = seen is None or person.agent in seen or person.agent == who.agent
        state, since = states.get(person.agent, (AgentState.OFFLINE, None)) if visible else (None, None)
        seat = person.seat if visible else None
        items.append(
            Agent(
                agent=person.agent,
                name=person.name,
                role=person.role,
                state=state,
                since=since,
                pbx=seat.pbx if seat else None,
                extension=seat.extension if seat else None,
                interface=seat.interface if seat else None,
            )
        )
    return Agents(items=tuple(items))


async def list_queues(exchange: Exchange[Nothing, Nothing]) -> Queues:
    """Counted from what was seen, never from the PBX's own counters, which a reset empties."""
    scope = exchange.principal.queues
    queues = exchange.services.board.queues(exchange.principal.tenant_id)
    return Queues(items=tuple(queue for queue in queues if covers(scope, queue.pbx, queue.name)))
