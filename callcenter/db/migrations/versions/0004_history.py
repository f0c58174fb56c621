"""What history needs: calls that are deleted or erased leave a mark that others can follow.

Two indexes go that nothing reads since `0002`: lists by agent walk `call_agents`.
"""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

STATEMENTS = (
    "DROP INDEX ix_offers_agent",
    "DROP INDEX ix_connections_agent",
    "ALTER TABLE calls ADD COLUMN erasure TEXT",
    """
CREATE INDEX ix_calls_merged ON calls (tenant_id, merged_into) WHERE merged_into IS NOT NULL
""",
    """
CREATE TABLE call_tombstones (
    tenant_id INTEGER NOT NULL,
    seq BIGINT NOT NULL,
    call_id UUID NOT NULL,
    deleted_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_call_tombstones PRIMARY KEY (tenant_id, seq),
    CONSTRAINT fk_call_tombstones_tenants FOREIGN KEY(tenant_id) REFERENCES tenants (id) ON DELETE CASCADE
)
""",
    """
CREATE TABLE erasures (
    tenant_id INTEGER NOT NULL,
    customer_id UUID NOT NULL,
    token TEXT NOT NULL,
    begun_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    done_at TIMESTAMP WITH TIME ZONE,
    calls INTEGER DEFAULT 0 NOT NULL,
    salt BYTEA,
    numbers BYTEA[] DEFAULT '{}' NOT NULL,
    CONSTRAINT pk_erasures PRIMARY KEY (tenant_id, customer_id),
    CONSTRAINT fk_erasures_tenants FOREIGN KEY(tenant_id) REFERENCES tenants (id) ON DELETE CASCADE
)
""",
    """
CREATE INDEX ix_erasures_watched ON erasures (tenant_id) WHERE salt IS NOT NULL
""",
    """
CREATE INDEX ix_outbox_call ON outbox (tenant_id, call_id) WHERE call_id IS NOT NULL
""",
)


def upgrade() -> None:
    """Make the tables and indexes, and drop what is dead."""
    for statement in STATEMENTS:
        op.execute(statement)
