"""Agents and queues as they are at this moment."""

from callcenter.web.endpoint import Exchange
from callcenter.web.schemas import Nothing
from callcenter.web.schemas.people import Agent, Agents, AgentState, Queues


async def list_agents(exchange: Exchange[Nothing, Nothing]) -> Agents:
    """Who they are comes from the accounts, what they do from the board."""
    tenant_id = exchange.principal.tenant_id
    people = await exchange.services.accounts.agents(tenant_id)
    states = exchange.services.board.agent_states(tenant_id)
    items = []
    for person in people:
        state, since = states.get(person.agent, (AgentState.OFFLINE, None))
        seat = person.seat
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
    return Queues(items=tuple(exchange.services.board.queues(exchange.principal.tenant_id)))
