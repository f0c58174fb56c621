"""Users, who are agents at the same time: added, listed, changed, disabled."""

import re
from dataclasses import dataclass

import asyncpg

from callcenter.accounts.roles import PEOPLE, Role
from callcenter.accounts.values import Extension, Person
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


class People:
    """The users of the tenants."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, tenant_id: int, login: str, name: str, role: Role, password_hash: str | None, by: str) -> None:
        """Add a person, who is an agent from now on.

        Raises:
            BadInput: the login cannot be one.
            Conflict: there is somebody of that login.
        """
        login = read_login(login)
        async with self._database.unit(tenant_id) as unit:
            added = await unit.fetchval(
                "INSERT INTO users (tenant_id, login, name, role, password_hash) VALUES ($1, $2, $3, $4, $5)"
                " ON CONFLICT DO NOTHING RETURNING login",
                login,
                name.strip(),
                role.value,
                password_hash,
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
                " e.pbx, e.extension, e.interface, e.name AS phone FROM users u"
                " LEFT JOIN extensions e ON e.tenant_id = u.tenant_id AND e.agent_id = u.login"
                " WHERE u.tenant_id = $1 AND u.role = ANY($2) ORDER BY u.login",
                [role.value for role in PEOPLE],
            )
        return tuple(_person(row) for row in rows)

    async def credentials(self, tenant_id: int, login: str) -> Credentials | None:
        """What to check a password against; None where nobody of that login may log in."""
        async with self._database.unit(tenant_id) as unit:
            row = await unit.fetchrow(
                "SELECT name, role, language, password_hash FROM users"
                " WHERE tenant_id = $1 AND login = $2 AND NOT disabled AND role = ANY($3)",
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

    async def set_password(self, tenant_id: int, login: str, password_hash: str, by: str) -> None:
        """Give a person a new password and end all sessions: whoever had the old one is out.

        Raises:
            NotFound: there is no such person.
        """
        async with self._database.unit(tenant_id) as unit:
            done = await unit.fetchval(
                "UPDATE users SET password_hash = $3, failed_logins = 0 WHERE tenant_id = $1 AND login = $2"
                " RETURNING login",
                login,
                password_hash,
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
            await note(
                unit,
                actor=by,
                action="user.disable" if disabled else "user.enable",
                subject_type="user",
                subject_id=login,
            )


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


async def _end_sessions(unit: Unit, login: str) -> None:
    await unit.execute("DELETE FROM sessions WHERE tenant_id = $1 AND login = $2", login)


def _found(login: str | None, wanted: str) -> None:
    if login is None:
        raise NotFound(f"there is no user {wanted!r}: see `callcenter user list`")


def _person(row: "asyncpg.Record") -> Person:
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
        seat=seat,
    )
