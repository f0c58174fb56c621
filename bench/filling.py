"""A call log of any size, as a company would have it after years: made by PostgreSQL itself, the same in each run.

Of ten calls seven come in through a queue (of these six are answered), two go out and one is internal. A queue call
rang two agents and has a visit and mostly a connection. A tenth of the customers make half of the calls, so that some
have hundreds and most have a few; agents have equally many. Calls stand evenly over `YEARS`, in the order of their
`seq`. Indexes and foreign keys are taken away first and made last, in the form that the migrations gave them.

    await fill_calls(database, tenant_id, calls=10_000_000, customers=1_000_000)
"""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from callcenter.db.engine import Database

YEARS = 3
END = datetime(2026, 3, 1, tzinfo=UTC)
AGENTS = 200
QUEUES = 12
STEP = 250_000
"""Calls per statement."""

Progress = Callable[[str], None]
"""Told what is being done."""

FILLED = ("calls", "queue_visits", "offers", "connections", "call_agents")

_CUSTOMERS = """
    INSERT INTO customers (tenant_id, customer_id, name, company)
    SELECT $1, md5('customer ' || n)::uuid, 'Customer ' || n, 'Company ' || n % 1000 FROM generate_series(0, $2 - 1) n
"""
_PHONES = """
    INSERT INTO customer_phones (tenant_id, customer_id, position, raw, e164, national)
    SELECT $1, md5('customer ' || n)::uuid, 0, '0' || 7000000000 + n, '+44' || 7000000000 + n,
        (7000000000 + n)::text
    FROM generate_series(0, $2 - 1) n
"""
_NAMED = f"""
    SELECT n, md5('call ' || n)::uuid AS call_id, $5::timestamptz + n * $6::interval AS at,
        CASE WHEN hash % 2 = 0 THEN hash / 2 % greatest($4 / 10, 1) ELSE hash / 2 % $4 END AS customer,
        hash % {AGENTS} AS agent, (hash + 7) % {AGENTS} AS other, hash % {QUEUES} AS queue,
        CASE WHEN n % 10 < 7 THEN 'inbound' WHEN n % 10 < 9 THEN 'outbound' ELSE 'internal' END AS direction,
        n % 10 <> 6 AS answered, 5 + hash % 25 AS ring, 20 + hash % 400 AS talk
    FROM (SELECT n, abs(hashint8(n)::bigint) AS hash FROM generate_series($2::bigint, $3::bigint - 1) n) numbered
"""
"""$1 tenant, $2 first and $3 last call, $4 customers, $5 time of call 0, $6 between two calls."""

_SECONDS = "* interval '1 second'"
_ENDS = {
    "external": """jsonb_build_object(
        'number', '0' || 7000000000 + c.customer, 'e164', '+44' || 7000000000 + c.customer, 'name', NULL,
        'channel', 'PJSIP/trunk-' || to_hex(c.n), 'kind', 'external', 'agent', NULL)""",
    "agent": """jsonb_build_object('number', (1000 + c.agent)::text, 'e164', NULL, 'name', 'Agent ' || c.agent,
        'channel', 'PJSIP/' || 1000 + c.agent || '-' || to_hex(c.n), 'kind', 'agent', 'agent', 'agent' || c.agent)""",
    "queue": """jsonb_build_object('number', (600 + c.queue)::text, 'e164', NULL, 'name', NULL, 'channel', NULL,
        'kind', 'extension', 'agent', NULL)""",
}
_STEPS = (
    f"""
    INSERT INTO calls (tenant_id, call_id, pbx, linkedids, direction, status, caller, callee, did,
        started_at, answered_at, ended_at, wait_s, ring_s, talk_s, hold_s, duration_s, hangup_by, hangup_cause,
        digest, customer_id, seq)
    SELECT $1, c.call_id, 'pbx', ARRAY[extract(epoch FROM c.at)::bigint || '.' || c.n], c.direction,
        CASE WHEN c.answered THEN 'answered' ELSE 'abandoned' END,
        CASE WHEN c.direction = 'inbound' THEN {_ENDS["external"]} ELSE {_ENDS["agent"]} END,
        CASE WHEN c.direction = 'outbound' THEN {_ENDS["external"]}
             WHEN c.direction = 'inbound' AND c.answered THEN {_ENDS["agent"]} ELSE {_ENDS["queue"]} END,
        CASE WHEN c.direction = 'inbound' THEN '+442079460000' END,
        c.at, CASE WHEN c.answered THEN c.at + c.ring {_SECONDS} END,
        c.at + (c.ring + CASE WHEN c.answered THEN c.talk ELSE 0 END) {_SECONDS},
        CASE WHEN c.direction = 'inbound' THEN c.ring END, c.ring, CASE WHEN c.answered THEN c.talk END, 0,
        c.ring + CASE WHEN c.answered THEN c.talk ELSE 0 END, 'caller', 16, decode(md5(c.n::text), 'hex'),
        CASE WHEN c.direction <> 'internal' THEN md5('customer ' || c.customer)::uuid END, c.n + 1
    FROM ({_NAMED}) c
    """,
    f"""
    INSERT INTO queue_visits (tenant_id, call_id, n, queue, joined_at, left_at, exit, wait_s, position)
    SELECT $1, c.call_id, 0, 'queue' || c.queue, c.at, c.at + c.ring {_SECONDS},
        CASE WHEN c.answered THEN 'answered' ELSE 'abandoned' END, c.ring, 1
    FROM ({_NAMED}) c WHERE c.direction = 'inbound'
    """,
    f"""
    INSERT INTO offers (tenant_id, call_id, n, agent, interface, queue, rang_at, ended_at, ring_s, result)
    SELECT $1, c.call_id, o.n, 'agent' || o.agent, 'PJSIP/' || 1000 + o.agent, 'queue' || c.queue,
        c.at + interval '1 second', c.at + c.ring {_SECONDS}, c.ring - 1,
        CASE WHEN NOT c.answered THEN 'caller_gave_up' WHEN o.n = 0 THEN 'answered' ELSE 'answered_elsewhere' END
    FROM ({_NAMED}) c CROSS JOIN LATERAL (VALUES (0, c.agent), (1, c.other)) o (n, agent)
    WHERE c.direction = 'inbound'
    """,
    f"""
    INSERT INTO connections (tenant_id, call_id, n, agent, interface, number, from_at, to_at)
    SELECT $1, c.call_id, 0, 'agent' || c.agent, 'PJSIP/' || 1000 + c.agent, (1000 + c.agent)::text,
        c.at + c.ring {_SECONDS}, c.at + (c.ring + c.talk) {_SECONDS}
    FROM ({_NAMED}) c WHERE c.answered
    """,
    f"""
    INSERT INTO call_agents (tenant_id, call_id, agent, started_at)
    SELECT $1, c.call_id, 'agent' || o.agent, c.at
    FROM ({_NAMED}) c CROSS JOIN LATERAL (
        SELECT c.agent UNION SELECT c.other WHERE NOT c.answered AND c.direction = 'inbound'
    ) o (agent)
    """,
)

_CONSTRAINTS = """
    SELECT conrelid::regclass::text AS place, conname AS name, pg_get_constraintdef(oid) AS definition
    FROM pg_constraint
    WHERE conrelid::regclass::text = ANY($1::text[]) AND contype IN ('p', 'u', 'f')
    ORDER BY contype = 'f' DESC, 1, 2
"""
_INDEXES = """
    SELECT indexname AS name, indexdef AS definition FROM pg_indexes
    WHERE schemaname = 'public' AND tablename = ANY($1::text[])
      AND indexname NOT IN (SELECT conname FROM pg_constraint) ORDER BY 1
"""


async def fill_calls(
    database: Database, tenant_id: int, calls: int, customers: int, progress: Progress = lambda doing: None
) -> None:
    """Put so many customers and calls into an empty call log, with their parts, and ANALYZE it.

    The database's statement timeout must allow for it: an index of ten million calls takes about half a minute.
    """
    pool = database.pool
    progress(f"{customers:,} customers")
    await pool.execute(_CUSTOMERS, tenant_id, customers)
    await pool.execute(_PHONES, tenant_id, customers)
    constraints = await pool.fetch(_CONSTRAINTS, list(FILLED))
    indexes = await pool.fetch(_INDEXES, list(FILLED))
    for row in constraints:
        await pool.execute(f"ALTER TABLE {row['place']} DROP CONSTRAINT {row['name']}")
    for row in indexes:
        await pool.execute(f"DROP INDEX {row['name']}")
    between = timedelta(days=365 * YEARS) / calls
    for first in range(0, calls, STEP):
        progress(f"calls from {first:,}")
        values = (tenant_id, first, min(first + STEP, calls), customers, END - calls * between, between)
        # the tables side by side, on as many processors as there are
        await asyncio.gather(*(pool.execute(step, *values) for step in _STEPS))
    for row in indexes:
        progress(row["name"])
        await pool.execute(row["definition"])
    for row in reversed(constraints):
        progress(row["name"])
        await pool.execute(f"ALTER TABLE {row['place']} ADD CONSTRAINT {row['name']} {row['definition']}")
    await pool.execute(
        "INSERT INTO call_feeds (tenant_id, last_seq) VALUES ($1, $2)"
        " ON CONFLICT (tenant_id) DO UPDATE SET last_seq = excluded.last_seq",
        *(tenant_id, calls),
    )
    progress("VACUUM ANALYZE")
    for table in (*FILLED, "customers", "customer_phones"):
        await pool.execute(f"VACUUM (ANALYZE) {table}")


async def size_on_disk(database: Database) -> dict[str, int]:
    """Bytes of each table that was filled, without and with its indexes: `calls`, `calls, indexes` …"""
    rows = await database.pool.fetch(
        "SELECT place, pg_table_size(place::regclass) AS heap, pg_indexes_size(place::regclass) AS indexes"
        " FROM unnest($1::text[]) AS place",
        list(FILLED),
    )
    sizes = {row["place"]: int(row["heap"]) for row in rows}
    return sizes | {f"{row['place']}, indexes": int(row["indexes"]) for row in rows}
