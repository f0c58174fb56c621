"""What agents choose from and how calls are wrapped up, kept in memory for whoever cannot wait."""

from datetime import timedelta

from callcenter.db.engine import Database
from callcenter.desk import lists
from callcenter.desk.words import DeskSettings, FieldDefinition, Outcome, PauseReason
from callcenter.errors import BadInput


class DeskWords:
    """The lists of one tenant. `refresh` them at the start, after each change, and now and then."""

    def __init__(self, database: Database, tenant_id: int) -> None:
        self._database = database
        self._tenant_id = tenant_id
        self._reasons: dict[str, PauseReason] = {}
        self._outcomes: dict[str, Outcome] = {}
        self._settings = DeskSettings()
        self.fields: tuple[FieldDefinition, ...] = ()

    async def refresh(self) -> None:
        """Read all lists; those of a tenant that is new are made."""
        async with self._database.unit(self._tenant_id) as unit:
            await lists.begin(unit)
            self._reasons = {one.code: one for one in await lists.listed(unit, PauseReason)}
            self._outcomes = {one.code: one for one in await lists.listed(unit, Outcome)}
            self.fields = tuple(await lists.listed(unit, FieldDefinition))
            self._settings = await lists.settings(unit)

    def wrapup_of(self, queue: str) -> timedelta:
        """How long a call from a queue is wrapped up."""
        return timedelta(seconds=self._settings.wrapup_queues.get(queue, self._settings.wrapup_s))

    def budget_of(self, reason: str) -> int | None:
        """Seconds after which a pause is too long."""
        known = self._reasons.get(reason)
        return known.budget_s if known is not None else None

    def check_reason(self, code: str) -> None:
        """Check a reason that an agent gives.

        Raises:
            BadInput: it is none, or not in use.
        """
        _check(code, [one.code for one in self._reasons.values() if one.active], "pause reason")

    def check_outcome(self, code: str) -> None:
        """Check an outcome that somebody gives to a call.

        Raises:
            BadInput: it is none, or not in use.
        """
        _check(code, [one.code for one in self._outcomes.values() if one.active], "outcome")


def _check(code: str, known: list[str], what: str) -> None:
    if code not in known:
        raise BadInput(f"{code[:40]!r} is no {what} in use: choose from {', '.join(known)}")
