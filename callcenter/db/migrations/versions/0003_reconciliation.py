"""Where Asterisk writes its channel events, when each PBX was last seen, and what comparing the two came to.

`asterisk.cel` is Asterisk's own table, in a schema of its own: cel_pgsql fills the columns that it knows by name, and
cannot be taught a tenant. Its time is in seconds since 1970, because cel_pgsql writes a timestamp in the PBX's local
time and without saying so.
"""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

STATEMENTS = (
    "CREATE SCHEMA asterisk",
    """
CREATE TABLE asterisk.cel (
    id BIGSERIAL PRIMARY KEY,
    eventtime DOUBLE PRECISION NOT NULL,
    eventtype TEXT NOT NULL,
    uniqueid TEXT NOT NULL,
    linkedid TEXT NOT NULL,
    channame TEXT NOT NULL,
    cid_num TEXT,
    cid_name TEXT,
    exten TEXT,
    context TEXT,
    appname TEXT,
    appdata TEXT,
    extra TEXT
)
""",
    "CREATE INDEX ix_cel_eventtime ON asterisk.cel (eventtime, id)",
    """
CREATE TABLE pbx_watch (
    tenant_id INTEGER NOT NULL,
    pbx TEXT NOT NULL,
    seen_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_pbx_watch PRIMARY KEY (tenant_id, pbx),
    CONSTRAINT fk_pbx_watch_tenants FOREIGN KEY(tenant_id) REFERENCES tenants (id) ON DELETE CASCADE
)
""",
    """
CREATE TABLE reconciliations (
    tenant_id INTEGER NOT NULL,
    reconciliation_id UUID NOT NULL,
    pbx TEXT NOT NULL,
    reason TEXT NOT NULL,
    since TIMESTAMP WITH TIME ZONE NOT NULL,
    until TIMESTAMP WITH TIME ZONE NOT NULL,
    dry_run BOOLEAN NOT NULL,
    started_at TIMESTAMP WITH TIME ZONE NOT NULL,
    ended_at TIMESTAMP WITH TIME ZONE,
    problem TEXT,
    result JSONB NOT NULL,
    CONSTRAINT pk_reconciliations PRIMARY KEY (tenant_id, reconciliation_id),
    CONSTRAINT fk_reconciliations_tenants FOREIGN KEY(tenant_id) REFERENCES tenants (id) ON DELETE CASCADE,
    CONSTRAINT ck_reconciliations_reason CHECK (reason IN ('gap', 'nightly', 'asked'))
)
""",
    "CREATE INDEX ix_reconciliations_tenant_id_started_at ON reconciliations (tenant_id, started_at)",
)


def upgrade() -> None:
    """Make the tables."""
    for statement in STATEMENTS:
        op.execute(statement)
