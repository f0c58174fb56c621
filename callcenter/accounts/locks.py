"""Locks against who guesses passwords: kept in PostgreSQL, so that a restart opens none; an admin takes them off.

`throttle` slows guessing down within a process; here too many wrong passwords in a row close the door for a while,
for the login and for the address. Whoever logged in lately from an address is counted apart there, as in the
throttle, so that strangers cannot lock somebody out of their own desk. Logins that nobody has are locked alike: a
lock tells nothing.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Final

from callcenter.accounts.throttle import Attempt
from callcenter.accounts.values import Lock
from callcenter.db.audit import note
from callcenter.db.engine import Database
from callcenter.errors import NotFound, TooMany

LOGIN_MOST: Final = 10
"""Wrong passwords in a row for one login."""
ADDRESS_MOST: Final = 100
"""Wrong passwords in a row from one address, behind which there may be an office."""
LOCKED: Final = timedelta(minutes=15)
FORGOTTEN: Final = timedelta(hours=1)
"""After so long without a wrong password the count begins anew."""
KEPT: Final = timedelta(days=1)

_LOGIN, _ADDRESS = "login:", "address:"


class Locks:
    """The locks of the tenants."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock

    async def check(self, tenant_id: int, attempt: Attempt) -> None:
        """Let an attempt pass where nothing is locked for it.

        Raises:
            TooMany: login or address is locked; says until when.
        """
        now = self._clock()
        async with self._database.unit(tenant_id) as unit:
            until = await unit.fetchval(
                "SELECT max(locked_until) FROM login_locks"
                " WHERE tenant_id = $1 AND subject = ANY($2) AND locked_until > $3",
                list(_subjects(attempt)),
                now,
            )
        if until is not None:
            minutes = max(1, round((until - now).total_seconds() / 60))
            raise TooMany(
                f"too many wrong passwords: wait {minutes} minutes, or have an admin unlock it", retry_after=until - now
            )

    async def failed(self, tenant_id: int, attempt: Attempt) -> None:
        """Count a wrong password, and lock where there were too many."""
        now = self._clock()
        async with self._database.unit(tenant_id) as unit:
            await unit.execute("DELETE FROM login_locks WHERE tenant_id = $1 AND last_at < $2", now - KEPT)
            for subject, most in sorted(_subjects(attempt).items()):
                failures = await unit.fetchval(
                    "INSERT INTO login_locks AS l (tenant_id, subject, failures, last_at) VALUES ($1, $2, 1, $3)"
                    " ON CONFLICT (tenant_id, subject) DO UPDATE SET last_at = $3,"
                    " failures = CASE WHEN l.last_at < $4 OR l.locked_until <= $3 THEN 1 ELSE l.failures + 1 END,"
                    " locked_until = CASE WHEN l.locked_until > $3 THEN l.locked_until END RETURNING failures",
                    subject,
                    now,
                    now - FORGOTTEN,
                )
                if failures == most:
                    await unit.execute(
                        "UPDATE login_locks SET locked_until = $3 WHERE tenant_id = $1 AND subject = $2",
                        subject,
                        now + LOCKED,
                    )
                    kind, _, name = subject.partition(":")
                    await note(unit, actor="system", action="login.lock", subject_type=kind, subject_id=name)

    async def succeeded(self, tenant_id: int, attempt: Attempt) -> None:
        """Begin the count of the login anew; other logins may still be guessed from the address."""
        logins = [subject for subject in _subjects(attempt) if subject.startswith(_LOGIN)]
        async with self._database.unit(tenant_id) as unit:
            await unit.execute("DELETE FROM login_locks WHERE tenant_id = $1 AND subject = ANY($2)", logins)

    async def list(self, tenant_id: int) -> tuple[Lock, ...]:
        """What is locked now."""
        async with self._database.unit(tenant_id) as unit:
            rows = await unit.fetch(
                "SELECT subject, failures, locked_until FROM login_locks WHERE tenant_id = $1 AND locked_until > $2"
                " ORDER BY locked_until DESC, subject LIMIT 500",
                self._clock(),
            )
        return tuple(_value(row["subject"], row["failures"], row["locked_until"]) for row in rows)

    async def release(self, tenant_id: int, by: str, *, login: str | None = None, address: str | None = None) -> None:
        """Take the locks of a login off, from wherever, or that of an address.

        Raises:
            NotFound: nothing of them is counted.
        """
        async with self._database.unit(tenant_id) as unit:
            gone = await unit.fetch(
                "DELETE FROM login_locks WHERE tenant_id = $1 AND ((subject = $2 OR starts_with(subject, $3))"
                " OR subject = $4) RETURNING subject",
                f"{_LOGIN}{login}",
                f"{_LOGIN}{login}@",
                f"{_ADDRESS}{address}",
            )
            if not gone:
                raise NotFound(f"{(login or address or '')[:64]} is not locked")
            kind = "user" if login is not None else "address"
            await note(unit, actor=by, action="login.unlock", subject_type=kind, subject_id=login or address or "")


def _subjects(attempt: Attempt) -> Mapping[str, int]:
    """What an attempt is counted for, and how often it may be wrong."""
    if attempt.known:
        return {f"{_LOGIN}{attempt.login}@{attempt.origin}": LOGIN_MOST}
    return {f"{_LOGIN}{attempt.login}": LOGIN_MOST, f"{_ADDRESS}{attempt.origin}": ADDRESS_MOST}


def _value(subject: str, failures: int, until: datetime) -> Lock:
    if subject.startswith(_ADDRESS):
        return Lock(login=None, address=subject.removeprefix(_ADDRESS), failures=failures, until=until)
    login, _, address = subject.removeprefix(_LOGIN).partition("@")
    return Lock(login=login, address=address or None, failures=failures, until=until)
