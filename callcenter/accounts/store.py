"""Users, who are agents at the same time: added, listed, changed, disabled."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from callcenter.accounts.given import GIVEN, give, given
from callcenter.accounts.roles import PEOPLE, Role
from callcenter.accounts.scope import Scope, key_of
from callcenter.accounts.values import Extension, GivenQueue, Person
from callcenter.db.audit import note
from callcenter.db.engine import Database
from callcenter.db.unit import Unit
from callcenter.errors import BadInput, Conflict, NotFound

_LOGIN = re.compile(r"^[a-z0-9][a-z0-9._-]{0,63}$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What a log-in is checked against."""

    name: str
    role: Role
    language: str | None
    password_hash: str | None
    queues: Scope
    one_time_until: datetime | None


class People:
    """The users of the tenants."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(
        self,
        tenant_id: int,
        login: str,
        name: str,
        role: Role,
        password_hash: str | None,
        by: str,
        *,
        one_time_until: datetime | None = None,
    ) -> None:
        """Add a person, who is an agent from now on. `one_time_until`: they must choose another password before.

        Raises:
            BadInput: the login cannot be one.
            Conflict: there is somebody of that login.
        """
        login = read_login(login)
        async with self._database.unit(tenant_id) as unit:
            added = await unit.fetchval(
                "INSERT INTO users (tenant_id, login, name, role, password_hash, one_time_until)"
                " VALUES ($1, $2, $3, $4, $5, $6)"
                " ON CONFLICT DO NOTHING RETURNING login",
                login,
                name.strip(),
                role.value,
                password_hash,
                one_time_until,
            )
            if added is None:
                raise Conflict(f"there is a user {login!r} already: choose another login")
            await unit.execute(
                "INSERT INTO agents (tenant_id, agent_id, name, login) VALUES ($1, $2, $3, $2)"
                " ON CONFLICT (tenant_id, agent_id) DO UPDATE SET name = excluded.name, login = excluded.login",
                login,
                name.strip() or login,
            )
            await note(
                unit, actor=by, action="user.add", subject_type="user", subject_id=login, detail={"role": role.value}
            )

    async def list(self, tenant_id: int) -> tuple[Person, ...]:
        """All people and where they sit, by login."""
        async with self._database.unit(tenant_id) as unit:
            rows = await unit.fetch(
                "SELECT u.login, u.name, u.role, u.language, u.disabled, u.last_login_at, u.failed_logins,"
                " u.created_at, u.one_time_until, u.every_queue,"
                " e.pbx, e.extension, e.interface, e.name AS phone FROM users u"
                " LEFT JOIN extensions e ON e.tenant_id = u.tenant_id AND e.agent_id = u.login"
                " WHERE u.tenant_id = $1 AND u.role = ANY($2) ORDER BY u.login",
                [role.value for role in PEOPLE],
            )
            queues = await given(unit)
        return tuple(_person(row, queues.get(row["login"], ())) for row in rows)

    async def credentials(self, tenant_id: int, login: str) -> Credentials | None:
        """What to check a password against; None where nobody of that login may log in."""
        async with self._database.unit(tenant_id) as unit:
            row = await unit.fetchrow(
                f"SELECT u.name, u.role, u.language, u.password_hash, u.one_time_until, {GIVEN} AS queues FROM users u"
                " WHERE u.tenant_id = $1 AND u.login = $2 AND NOT u.disabled AND u.role = ANY($3)",
                login,
                [role.value for role in PEOPLE],
            )
        if row is None:
            return None
        return Credentials(
            name=row["name"],
            role=Role(row["role"]),
            language=row["language"],
            password_hash=row["password_hash"],
            queues=None if row["queues"] is None else frozenset(row["queues"]),
            one_time_until=row["one_time_until"],
        )

    async def note_login(self, tenant_id: int, login: str, *, right: bool, rehashed: str | None = None) -> None:
        """Count a wrong password, or note a right one and a hash that was made anew."""
        async with self._database.unit(tenant_id) as unit:
            if right:
                await unit.execute(
                    "UPDATE users SET failed_logins = 0, last_login_at = now(),"
                    " password_hash = coalesce($3, password_hash) WHERE tenant_id = $1 AND login = $2",
                    login,
                    rehashed,
                )
            else:
                await unit.execute(
                    "UPDATE users SET failed_logins = failed_logins + 1 WHERE tenant_id = $1 AND login = $2",
                    login,
                )

    async def set_language(self, tenant_id: int, login: str, language: str) -> None:
        """Keep the language that a person reads."""
        async with self._database.unit(tenant_id) as unit:
            await unit.execute("UPDATE users SET language = $3 WHERE tenant_id = $1 AND login = $2", login, language)

    async def set_password(
        self, tenant_id: int, login: str, password_hash: str, by: str, *, one_time_until: datetime | None = None
    ) -> None:
        """Give a person a new password and end all sessions: whoever had the old one is out.

        `one_time_until`: they must choose another before.

        Raises:
            NotFound: there is no such person.
        """
        async with self._database.unit(tenant_id) as unit:
            done = await unit.fetchval(
                "UPDATE users SET password_hash = $3, failed_logins = 0, one_time_until = $4"
                " WHERE tenant_id = $1 AND login = $2 RETURNING login",
                login,
                password_hash,
                one_time_until,
            )
            _found(done, login)
            await _end_sessions(unit, login)
            await note(unit, actor=by, action="user.password", subject_type="user", subject_id=login)

    async def set_disabled(self, tenant_id: int, login: str, disabled: bool, by: str) -> None:
        """Shut a person out at once (sessions end, the seat is free), or let the person in again.

        Raises:
            NotFound: there is no such person.
        """
        async with self._database.unit(tenant_id) as unit:
            await _disable(unit, login, disabled, by)

    async def change(
        self, unit: Unit, login: str, name: str | None, role: Role | None, disabled: bool | None, by: str
    ) -> None:
        """Change what a person is; what is None stays.

        Raises:
            NotFound: there is no such person.
            Conflict: nobody would be left who administers.
        """
        # One change at a time: two admins cannot disable each other at the same moment.
        await unit.execute("SELECT 1 FROM tenants WHERE id = $1 FOR NO KEY UPDATE")
        before = await unit.fetchrow("SELECT name, role FROM users WHERE tenant_id = $1 AND login = $2", login)
        _found(login if before is not None else None, login)
        assert before is not None
        if name is not None and name.strip() != before["name"]:
            await unit.execute("UPDATE users SET name = $3 WHERE tenant_id = $1 AND login = $2", login, name.strip())
            await unit.execute(
                "UPDATE agents SET name = $3 WHERE tenant_id = $1 AND agent_id = $2", login, name.strip() or login
            )
            await note(unit, actor=by, action="user.name", subject_type="user", subject_id=login)
        if role is not None and role.value != before["role"]:
            await unit.execute("UPDATE users SET role = $3 WHERE tenant_id = $1 AND login = $2", login, role.value)
            detail = {"from": before["role"], "to": role.value}
            await note(unit, actor=by, action="user.role", subject_type="user", subject_id=login, detail=detail)
        if disabled is not None:
            await _disable(unit, login, disabled, by)
        if not await unit.fetchval(
            "SELECT EXISTS (SELECT FROM users WHERE tenant_id = $1 AND role = 'admin' AND NOT disabled)"
        ):
            raise Conflict("nobody would be left who administers: make somebody else an admin first")

    async def give_queues(
        self, tenant_id: int, login: str, every_queue: bool, queues: Iterable[GivenQueue], by: str
    ) -> None:
        """Say which queues a supervisor sees and steers: all, or these.

        Raises:
            NotFound: there is no such person.
        """
        chosen = tuple(queues)
        async with self._database.unit(tenant_id) as unit:
            done = await unit.fetchval(
                "UPDATE users SET every_queue = $3 WHERE tenant_id = $1 AND login = $2 RETURNING login",
                login,
                every_queue,
            )
            _found(done, login)
            await give(unit, login, chosen)
            detail = {"every_queue": every_queue, "queues": [key_of(one.pbx, one.queue) for one in chosen]}
            await note(unit, actor=by, action="user.queues", subject_type="user", subject_id=login, detail=detail)


def read_login(text: str) -> str:
    """A login as it is stored: lower case.

    Raises:
        BadInput: it holds something else than letters, digits, dot, dash and underscore.
    """
    login = text.strip().casefold()
    if not _LOGIN.match(login):
        raise BadInput(
            f"{text!r} cannot be a login: use up to 64 of a-z, 0-9, dot, dash, underscore, a letter or digit first"
        )
    return login


async def _disable(unit: Unit, login: str, disabled: bool, by: str) -> None:
    done = await unit.fetchval(
        "UPDATE users SET disabled = $3 WHERE tenant_id = $1 AND login = $2 RETURNING login",
        login,
        disabled,
    )
    _found(done, login)
    if disabled:
        await _end_sessions(unit, login)
        await unit.execute(
            "UPDATE extensions SET agent_id = NULL, seated_at = NULL WHERE tenant_id = $1 AND agent_id = $2",
            login,
        )
    action = "user.disable" if disabled else "user.enable"
    await note(unit, actor=by, action=action, subject_type="user", subject_id=login)


async def _end_sessions(unit: Unit, login: str) -> None:
    await unit.execute("DELETE FROM sessions WHERE tenant_id = $1 AND login = $2", login)


def _found(login: str | None, wanted: str) -> None:
    if login is None:
        raise NotFound(f"there is no user {wanted!r}: see `callcenter user list`")


def _person(row: "asyncpg.Record", queues: tuple[GivenQueue, ...]) -> Person:
    seat = None
    if row["extension"] is not None:
        seat = Extension(
            pbx=row["pbx"],
            extension=row["extension"],
            interface=row["interface"],
            name=row["phone"] or None,
            agent=row["login"],
        )
    return Person(
        agent=row["login"],
        name=row["name"] or row["login"],
        role=Role(row["role"]),
        language=row["language"],
        disabled=row["disabled"],
        last_login_at=row["last_login_at"],
        failed_logins=row["failed_logins"],
        created_at=row["created_at"],
        one_time_until=row["one_time_until"],
        every_queue=row["every_queue"],
        queues=queues,
        seat=seat,
    )
