"""Roll-ups of calls by quarter of an hour, kept right by marks that a trigger on `calls` leaves.

Marks are added and never waited for, so that a writer of calls cannot be held up by another over a quarter. A call in
progress is in no sum and leaves none. What is there already is marked, and summed up after the start.
"""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_TENANT = "FOREIGN KEY(tenant_id) REFERENCES tenants (id) ON DELETE CASCADE"
_QUARTER = "date_bin('15 minutes', started_at, 'epoch'::timestamptz)"


def _marking(event: str, rows: str, tables: str) -> tuple[str, str]:
    return (
        f"""
CREATE FUNCTION report_mark_{event}() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    INSERT INTO report_marks (tenant_id, quarter)
    SELECT DISTINCT tenant_id, {_QUARTER} FROM ({rows}) touched
    WHERE status <> 'in_progress' AND EXISTS (SELECT FROM tenants t WHERE t.id = tenant_id);
    RETURN NULL;
END
$body$
""",
        f"""
CREATE TRIGGER report_mark_{event} AFTER {event} ON calls REFERENCING {tables}
FOR EACH STATEMENT EXECUTE FUNCTION report_mark_{event}()
""",
    )


_ROW = "SELECT tenant_id, started_at, status FROM"
STATEMENTS = (
    f"""
CREATE TABLE report_marks (
    tenant_id INTEGER NOT NULL,
    n BIGINT GENERATED ALWAYS AS IDENTITY,
    quarter TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_report_marks PRIMARY KEY (tenant_id, n),
    CONSTRAINT fk_report_marks_tenants {_TENANT}
)
""",
    "CREATE INDEX ix_report_marks_tenant_id_quarter ON report_marks (tenant_id, quarter)",
    f"""
CREATE TABLE report_calls (
    tenant_id INTEGER NOT NULL,
    quarter TIMESTAMP WITH TIME ZONE NOT NULL,
    direction TEXT NOT NULL,
    status TEXT NOT NULL,
    did TEXT NOT NULL,
    outcome TEXT NOT NULL,
    calls INTEGER NOT NULL,
    talked INTEGER NOT NULL,
    talk_s DOUBLE PRECISION NOT NULL,
    handle_s DOUBLE PRECISION NOT NULL,
    talks INTEGER[] NOT NULL,
    CONSTRAINT pk_report_calls PRIMARY KEY (tenant_id, quarter, direction, status, did, outcome),
    CONSTRAINT fk_report_calls_tenants {_TENANT}
)
""",
    f"""
CREATE TABLE report_queues (
    tenant_id INTEGER NOT NULL,
    quarter TIMESTAMP WITH TIME ZONE NOT NULL,
    pbx TEXT NOT NULL,
    queue TEXT NOT NULL,
    offered INTEGER NOT NULL,
    refused INTEGER NOT NULL,
    answered_waits INTEGER[] NOT NULL,
    abandoned_waits INTEGER[] NOT NULL,
    answered_wait_s DOUBLE PRECISION NOT NULL,
    handled INTEGER NOT NULL,
    handle_s DOUBLE PRECISION NOT NULL,
    CONSTRAINT pk_report_queues PRIMARY KEY (tenant_id, quarter, pbx, queue),
    CONSTRAINT fk_report_queues_tenants {_TENANT}
)
""",
    f"""
CREATE TABLE report_agents (
    tenant_id INTEGER NOT NULL,
    quarter TIMESTAMP WITH TIME ZONE NOT NULL,
    agent TEXT NOT NULL,
    answered INTEGER NOT NULL,
    dialed INTEGER NOT NULL,
    missed INTEGER NOT NULL,
    connected_s DOUBLE PRECISION NOT NULL,
    CONSTRAINT pk_report_agents PRIMARY KEY (tenant_id, quarter, agent),
    CONSTRAINT fk_report_agents_tenants {_TENANT}
)
""",
    *_marking("insert", f"{_ROW} new_rows", "NEW TABLE AS new_rows"),
    *_marking("delete", f"{_ROW} old_rows", "OLD TABLE AS old_rows"),
    *_marking("update", f"{_ROW} old_rows UNION ALL {_ROW} new_rows", "OLD TABLE AS old_rows NEW TABLE AS new_rows"),
    f"""
INSERT INTO report_marks (tenant_id, quarter)
SELECT DISTINCT tenant_id, {_QUARTER} FROM calls WHERE status <> 'in_progress'
""",
)


def upgrade() -> None:
    """Make the tables and triggers, and mark what is there."""
    for statement in STATEMENTS:
        op.execute(statement)
