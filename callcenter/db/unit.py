"""A tenant's unit of work: one transaction that sees and writes the rows of one tenant only.

`Unit` works with tables: every SELECT, UPDATE and DELETE of a table class gets `tenant_id = …` added,
whatever the statement says, and a row of another tenant is refused. `NativeUnit` works with bare SQL, whose
`$1` is the tenant. A mistake in a WHERE clause thus never shows one company's calls to another.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import lru_cache
from typing import Any, TypeVar

import asyncpg
from asyncpg.pool import PoolConnectionProxy
from sqlalchemy import Executable, Result, ScalarResult, event
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession
from sqlalchemy.orm import LoaderCriteriaOption, ORMExecuteState, Session, UOWTransaction, with_loader_criteria
from sqlalchemy.sql.elements import TextClause

from callcenter.db.schema import Table

Row = TypeVar("Row", bound=Table)


class TenantSession(Session):
    """SQLAlchemy's session, bound to a tenant by `info["tenant_id"]`; the listeners below guard it."""


class Unit:
    """One transaction of one tenant. Made by `Database.unit`; gone when its block ends."""

    def __init__(self, session: AsyncSession, tenant_id: int) -> None:
        self.session = session
        self.tenant_id = tenant_id

    async def get(self, table: type[Row], *key: object, lock: bool = False) -> Row | None:
        """The row with this primary key, given without its tenant; with `lock` it is ours until the end."""
        return await self.session.get(table, (self.tenant_id, *key), with_for_update=lock or None)

    async def execute(self, statement: Executable, parameters: dict[str, Any] | None = None) -> Result[Any]:
        """Run a statement. `text(…)` must use `:tenant_id`, which is filled in.

        Raises:
            ValueError: a textual statement without `:tenant_id`.
        """
        if isinstance(statement, TextClause):
            if ":tenant_id" not in statement.text:
                raise ValueError("a textual statement must be limited by :tenant_id")
            parameters = {**(parameters or {}), "tenant_id": self.tenant_id}
        return await self.session.execute(statement, parameters)

    async def scalars(self, statement: Executable) -> ScalarResult[Any]:
        """Run a statement and give the first column of each row."""
        result: ScalarResult[Any] = (await self.execute(statement)).scalars()
        return result

    async def scalar(self, statement: Executable) -> Any:
        """Run a statement and give the first column of the first row, or None."""
        return (await self.execute(statement)).scalar()

    def add(self, row: Table) -> None:
        """Put a new row into the transaction; it is written at the next query or at the end."""
        self.session.add(row)

    async def delete(self, row: Table) -> None:
        """Take a row out."""
        await self.session.delete(row)

    async def flush(self) -> None:
        """Write what was added now, to see its defaults or its conflict."""
        await self.session.flush()


class NativeUnit:
    """The same for bare SQL: `$1` of every statement is the tenant."""

    def __init__(self, connection: "PoolConnectionProxy[asyncpg.Record]", tenant_id: int) -> None:
        self.connection = connection
        self.tenant_id = tenant_id

    async def execute(self, sql: str, *arguments: object) -> str:
        """Run a statement and give PostgreSQL's tag (`UPDATE 3`)."""
        return await self.connection.execute(sql, self.tenant_id, *arguments)

    async def fetch(self, sql: str, *arguments: object) -> Sequence[asyncpg.Record]:
        """All rows."""
        return await self.connection.fetch(sql, self.tenant_id, *arguments)

    async def fetchrow(self, sql: str, *arguments: object) -> asyncpg.Record | None:
        """The first row, or None."""
        return await self.connection.fetchrow(sql, self.tenant_id, *arguments)

    async def fetchval(self, sql: str, *arguments: object) -> Any:
        """The first column of the first row, or None."""
        return await self.connection.fetchval(sql, self.tenant_id, *arguments)


@asynccontextmanager
async def open_session(engine: AsyncEngine, tenant_id: int) -> AsyncIterator[AsyncSession]:
    """A session that is bound to a tenant; rows stay readable after its end."""
    async with AsyncSession(
        engine, expire_on_commit=False, sync_session_class=TenantSession, info={"tenant_id": tenant_id}
    ) as session:
        yield session


@event.listens_for(TenantSession, "do_orm_execute")
def _limit(state: ORMExecuteState) -> None:
    if state.is_select or state.is_update or state.is_delete:
        tables = tuple(Table.__subclasses__())
        state.statement = state.statement.options(*_limits(tables, state.session.info["tenant_id"]))


@lru_cache(maxsize=1024)
def _limits(tables: tuple[type[Any], ...], tenant_id: int) -> tuple[LoaderCriteriaOption, ...]:
    """What is added to each statement: for each table that it touches, under whatever alias, the tenant."""
    # functions, because SQLAlchemy moves an expression that is made here to only one alias of a table
    return tuple(
        with_loader_criteria(table, lambda entity: entity.tenant_id == tenant_id, include_aliases=True)
        if "tenant_id" in table.model_fields
        else with_loader_criteria(table, lambda entity: entity.id == tenant_id, include_aliases=True)
        for table in tables
    )


@event.listens_for(TenantSession, "before_flush")
def _refuse_strangers(session: Session, context: UOWTransaction, instances: object) -> None:
    tenant_id = session.info["tenant_id"]
    for row in (*session.new, *session.dirty, *session.deleted):
        owner = getattr(row, "tenant_id", None)
        if owner != tenant_id:
            raise ValueError(f"a {type(row).__name__} of tenant {owner} in a unit of work of tenant {tenant_id}")
