"""Whether the parts work, for /readyz; and what they count, for /metrics."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import asyncpg

from callcenter.ami.state import Phase
from callcenter.calllog.writer import CallLogWriter, WriterState
from callcenter.db.claim import Claim, Standing
from callcenter.db.engine import Database
from callcenter.fanout import FanOut
from callcenter.pbx import Pbx
from callcenter.web.schemas.problems import PartHealth
from callcenter.web.telemetry import Meter, one
from screenpop.server import ScreenpopServer

DEADLINE_S: Final = 3.0

PbxReading = Callable[[Pbx], float]


class ServiceHealth:
    """`callcenter.web.services.Health`."""

    def __init__(
        self,
        database: Database,
        pbxs: Mapping[str, Pbx],
        claims: Mapping[str, Claim],
        screenpop: ScreenpopServer,
        writer: CallLogWriter,
    ) -> None:
        self._database = database
        self._pbxs = pbxs
        self._claims = claims
        self._screenpop = screenpop
        self._writer = writer

    async def parts(self) -> Sequence[PartHealth]:
        """Ask all parts, within a deadline."""
        own = (await self._ask_database(), self._look_at_call_log(), self._look_at_screenpop())
        return [*own, *(_look_at(pbx, self._claims[name].standing) for name, pbx in self._pbxs.items())]

    async def _ask_database(self) -> PartHealth:
        try:
            async with asyncio.timeout(DEADLINE_S), self._database.pool.acquire(timeout=DEADLINE_S) as connection:
                await connection.fetchval("SELECT 1")
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as problem:
            return PartHealth(
                name="database",
                kind="database",
                ok=False,
                state="unreachable",
                detail=f"PostgreSQL does not answer ({type(problem).__name__})",
            )
        return PartHealth(name="database", kind="database", ok=True, state="reachable")

    def _look_at_call_log(self) -> PartHealth:
        """Bad where calls are about to be lost; while they wait on the disk they are safe."""
        state = self._writer.state
        detail = {
            WriterState.WRITING: None,
            WriterState.SPOOLING: f"{self._writer.spool_bytes} bytes wait on the disk for PostgreSQL",
            WriterState.HOLDING: "PostgreSQL is away and the disk takes no more: calls wait in memory, see the log",
        }[state]
        ok = state is not WriterState.HOLDING
        return PartHealth(name="call log", kind="other", ok=ok, state=state.value, detail=detail)

    def _look_at_screenpop(self) -> PartHealth:
        ok = self._screenpop.ready.is_set()
        return PartHealth(name="screenpop", kind="screenpop", ok=ok, state="listening" if ok else "not listening")


def _look_at(pbx: Pbx, standing: Standing) -> PartHealth:
    if standing is Standing.STANDING_BY:
        detail = "another process follows this PBX; this one does when that one is gone"
        return PartHealth(name=pbx.settings.id, kind="pbx", ok=False, state=standing.value, detail=detail)
    state = pbx.state
    ok = state.phase is Phase.LOGGED_IN and pbx.synced
    return PartHealth(
        name=pbx.settings.id,
        kind="pbx",
        ok=ok,
        state="following" if ok else state.phase.value,
        # The reason may name host and user: the log and the doctor say it.
        detail=None if ok else "see the log, or run callcenter doctor",
    )


def meters(
    pbxs: Mapping[str, Pbx], claims: Mapping[str, Claim], fanout: FanOut, writer: CallLogWriter
) -> tuple[Meter, ...]:
    """The metrics that the screen-pop does not count itself."""
    per_pbx = ("pbx",)

    def of_pbx(name: str, help: str, read: PbxReading, kind: str = "counter") -> Meter:
        return Meter(
            name=name,
            kind="gauge" if kind == "gauge" else "counter",
            help=help,
            labels=per_pbx,
            read=lambda: [((pbx_id,), float(read(pbx))) for pbx_id, pbx in pbxs.items()],
        )

    return (
        of_pbx("ami_events", "Events received from the PBX.", lambda pbx: pbx.counters.events),
        of_pbx("ami_unreadable", "Events that could not be read.", lambda pbx: pbx.counters.unreadable),
        of_pbx("tracker_failures", "Events on which the tracker failed.", lambda pbx: pbx.counters.failed),
        of_pbx("ami_oversized", "Events that were too long to be read.", lambda pbx: pbx.client.oversized),
        of_pbx("ami_overflows", "Times that too many events waited.", lambda pbx: pbx.inbox.overflows),
        of_pbx("ami_resyncs", "Snapshots taken after a log-in.", lambda pbx: pbx.counters.resyncs),
        of_pbx("anomalies", "Events that contradicted what was known.", lambda pbx: pbx.counters.anomalies),
        of_pbx(
            "ami_connected",
            "1 while the service is logged in to the PBX.",
            lambda pbx: pbx.state.phase is Phase.LOGGED_IN,
            "gauge",
        ),
        Meter(
            name="standing_by",
            kind="gauge",
            help="1 while another process follows the PBX.",
            labels=per_pbx,
            read=lambda: [((name,), float(one.standing is Standing.STANDING_BY)) for name, one in claims.items()],
        ),
        of_pbx("ami_waiting", "Events read, but not worked on.", lambda pbx: len(pbx.inbox), "gauge"),
        of_pbx("ami_lag_seconds", "Age of the oldest such event.", lambda pbx: pbx.inbox.lag.total_seconds(), "gauge"),
        of_pbx("calls_in_progress", "Calls that have not ended.", lambda pbx: pbx.tracker.open_calls, "gauge"),
        Meter(
            name="calls_ended",
            kind="counter",
            help="Calls that have ended, by status.",
            labels=("pbx", "status"),
            read=lambda: [(labels, float(count)) for labels, count in fanout.ended.items()],
        ),
        Meter(name="calllog_written", kind="counter", help="Calls written.", read=lambda: one(writer.counters.written)),
        Meter(
            name="calllog_refused",
            kind="counter",
            help="Calls that PostgreSQL refused.",
            read=lambda: one(writer.counters.refused),
        ),
        Meter(
            name="calllog_overflowed",
            kind="counter",
            help="Calls that found no room on the disk and in memory while PostgreSQL was away, and are lost.",
            read=lambda: one(writer.overflowed),
        ),
        Meter(
            name="calllog_waiting",
            kind="gauge",
            help="Calls that wait in memory to be written.",
            read=lambda: one(writer.waiting),
        ),
        Meter(
            name="calllog_spooled",
            kind="counter",
            help="States of calls that were put on the disk while PostgreSQL was away.",
            read=lambda: one(writer.counters.spooled),
        ),
        Meter(
            name="calllog_spool_bytes",
            kind="gauge",
            help="What waits on the disk to be written.",
            read=lambda: one(writer.spool_bytes),
        ),
        Meter(
            name="calllog_spool_damaged",
            kind="counter",
            help="Entries on the disk that could not be read.",
            read=lambda: one(writer.counters.damaged),
        ),
        Meter(
            name="calllog_disk_full",
            kind="gauge",
            help="1 while neither PostgreSQL nor the disk takes calls.",
            read=lambda: one(writer.state is WriterState.HOLDING),
        ),
    )
