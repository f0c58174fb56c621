"""Answers to requests that may be sent twice, kept by the key that their sender gave."""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
CREATE TABLE idempotency_keys (
    tenant_id INTEGER NOT NULL,
    actor TEXT NOT NULL,
    key TEXT NOT NULL,
    digest BYTEA NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    status INTEGER,
    location TEXT,
    body BYTEA,
    CONSTRAINT pk_idempotency_keys PRIMARY KEY (tenant_id, actor, key),
    CONSTRAINT fk_idempotency_keys_tenants FOREIGN KEY(tenant_id) REFERENCES tenants (id) ON DELETE CASCADE
)
""",
    "CREATE INDEX ix_idempotency_keys_tenant_id_at ON idempotency_keys (tenant_id, at)",
)


def upgrade() -> None:
    """Add the table."""
    for statement in STATEMENTS:
        op.execute(statement)
