"""By what supervisors measure each queue, and when they want to be told."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
CREATE TABLE queue_limits (
    tenant_id INTEGER NOT NULL,
    pbx TEXT NOT NULL,
    queue TEXT NOT NULL,
    threshold_s DOUBLE PRECISION NOT NULL,
    short_s DOUBLE PRECISION NOT NULL,
    formula TEXT NOT NULL,
    most_waiting INTEGER,
    longest_wait_s DOUBLE PRECISION,
    least_level DOUBLE PRECISION,
    least_ready INTEGER,
    changed_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    changed_by TEXT NOT NULL,
    CONSTRAINT pk_queue_limits PRIMARY KEY (tenant_id, pbx, queue),
    CONSTRAINT fk_queue_limits_tenants FOREIGN KEY(tenant_id) REFERENCES tenants (id) ON DELETE CASCADE,
    CONSTRAINT ck_queue_limits_formula CHECK (
        formula IN ('offered_less_short', 'offered', 'answered', 'handled_in_time', 'late_abandons')
    ),
    CONSTRAINT ck_queue_limits_goal CHECK (threshold_s > 0 AND short_s >= 0),
    CONSTRAINT ck_queue_limits_least_level CHECK (least_level IS NULL OR (least_level > 0 AND least_level <= 1)),
    CONSTRAINT ck_queue_limits_most_waiting CHECK (most_waiting IS NULL OR most_waiting >= 0),
    CONSTRAINT ck_queue_limits_longest_wait CHECK (longest_wait_s IS NULL OR longest_wait_s > 0),
    CONSTRAINT ck_queue_limits_least_ready CHECK (least_ready IS NULL OR least_ready >= 1)
)
""",
)


def upgrade() -> None:
    """Make the table."""
    for statement in STATEMENTS:
        op.execute(statement)
