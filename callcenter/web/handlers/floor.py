"""What supervisors do. Which of the queues are theirs is decided by the service, which knows the queues."""

from callcenter.web.endpoint import Exchange
from callcenter.web.schemas import Nothing
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


async def move_to_front(exchange: Exchange[Nothing, Nothing]) -> Done:
    """The caller is the next of their queue."""
    await exchange.services.steering.to_front(exchange.principal, exchange.id)
    return Done()


async def move_caller(exchange: Exchange[Nothing, Move]) -> Done:
    """The caller goes to another queue, or to an agent."""
    await exchange.services.steering.move(exchange.principal, exchange.id, exchange.body.queue, exchange.body.agent)
    return Done()


async def pause_agent(exchange: Exchange[Nothing, PauseChange]) -> Done:
    """In all queues."""
    body = exchange.body
    await exchange.services.steering.pause(exchange.principal, body.agent, body.paused, body.reason)
    return Done()


async def log_agent_out(exchange: Exchange[Nothing, LogOut]) -> Done:
    """Out of the queues and off the seat; the session of the page stays."""
    await exchange.services.steering.log_out(exchange.principal, exchange.body.agent)
    return Done()


async def add_member(exchange: Exchange[Nothing, NewMember]) -> Done:
    """The agent's phone is rung by the queue from now on."""
    await exchange.services.steering.add_member(exchange.principal, exchange.body)
    return Done()


async def change_member(exchange: Exchange[Nothing, MemberChange]) -> Done:
    """Penalty, or a pause in this queue alone."""
    await exchange.services.steering.change_member(exchange.principal, exchange.body)
    return Done()


async def remove_member(exchange: Exchange[MemberQuery, Nothing]) -> None:
    """Only members that were added while Asterisk runs can be removed."""
    query = exchange.query
    await exchange.services.steering.remove_member(exchange.principal, query.pbx, query.queue, query.interface)


async def set_limits(exchange: Exchange[Nothing, QueueLimits]) -> Done:
    """For everybody who watches the queue."""
    await exchange.services.steering.set_queue_limits(exchange.principal, exchange.body)
    return Done()


async def spy(exchange: Exchange[Nothing, SpyWish]) -> SpyView:
    """Rings the supervisor's phone, or changes how they listen to this call already."""
    wish = exchange.body
    return await exchange.services.steering.spy(exchange.principal, exchange.id, wish.agent, wish.mode)


async def list_spying(exchange: Exchange[Nothing, Nothing]) -> SpyViews:
    """One's own."""
    return SpyViews(items=tuple(exchange.services.steering.spies(exchange.principal)))


async def change_spying(exchange: Exchange[Nothing, SpyChange]) -> SpyView:
    """The phone need not be rung again."""
    change = exchange.body
    return await exchange.services.steering.change_spying(exchange.principal, change.spy_id, change.mode)


async def stop_spying(exchange: Exchange[SpyQuery, Nothing]) -> None:
    """Hangs up the supervisor's phone."""
    await exchange.services.steering.stop_spying(exchange.principal, exchange.query.spy_id)


async def take_over(exchange: Exchange[Nothing, TakeOver]) -> Done:
    """The customer talks with the supervisor from now on; where their phone must be rung first, when it is up."""
    await exchange.services.steering.take_over(exchange.principal, exchange.id, exchange.body.agent)
    return Done()
