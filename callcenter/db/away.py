"""Which errors say that PostgreSQL is away or busy, and how the same is tried again later."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TypeVar

import asyncpg
import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

Result = TypeVar("Result")

_log = structlog.get_logger("callcenter.db")

AWAY = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    # what asyncpg raises where a connection breaks in the middle of a statement
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.TransactionRollbackError,
    asyncpg.QueryCanceledError,
    # refused at the door: under maintenance, a replica after a fail-over, a password that was just changed
    asyncpg.ObjectNotInPrerequisiteStateError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.InvalidAuthorizationSpecificationError,
)
"""Errors that pass: PostgreSQL is restarting, unreachable, full or busy."""


def is_away(error: BaseException) -> bool:
    """Whether `error` is one of these, as asyncpg raises it or wrapped by SQLAlchemy."""
    if isinstance(error, DBAPIError):
        original = error.orig
        return error.connection_invalidated or isinstance(getattr(original, "__cause__", original), AWAY)
    return isinstance(error, (*AWAY, PoolTimeoutError))


async def until_done(task: str, work: Callable[[], Awaitable[Result]], pause: timedelta) -> Result:
    """Do `work`, and again after each `pause` while PostgreSQL is away; says once that it is, and once that it is back.

    `task` names the work in the log. It may be done twice, where PostgreSQL did it and could not say so.
    """
    told = False
    while True:
        try:
            result = await work()
        except AWAY as problem:
            if not told:
                _log.warning("database_away", task=task, reason=type(problem).__name__)
            told = True
            await asyncio.sleep(pause.total_seconds())
        else:
            if told:
                _log.info("database_back", task=task)
            return result


async def repeat(task: str, work: Callable[[], Awaitable[None]], every: timedelta) -> None:
    """Do `work` for ever, the first time after `every`; to be run as a task. PostgreSQL may be away meanwhile."""
    while True:
        await asyncio.sleep(every.total_seconds())
        await until_done(task, work, every)
