"""Which errors say that PostgreSQL is away or busy, so that the same may be tried again later."""

import asyncpg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

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
