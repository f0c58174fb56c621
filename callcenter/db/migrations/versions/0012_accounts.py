"""People under control: one-time passwords, the queues that supervisors are given, locks against guessing."""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

STATEMENTS = (
    "ALTER TABLE users ADD COLUMN one_time_until TIMESTAMP WITH TIME ZONE",
    "ALTER TABLE users ADD COLUMN every_queue BOOLEAN DEFAULT true NOT NULL",
    """
CREATE TABLE user_queues (
    tenant_id INTEGER NOT NULL,
    login TEXT NOT NULL,
    pbx TEXT NOT NULL,
    queue TEXT NOT NULL,
    CONSTRAINT pk_user_queues PRIMARY KEY (tenant_id, login, pbx, queue),
    CONSTRAINT fk_user_queues_users FOREIGN KEY(tenant_id, login) REFERENCES users (tenant_id, login)
        ON DELETE CASCADE ON UPDATE CASCADE
)
""",
    """
CREATE TABLE login_locks (
    tenant_id INTEGER NOT NULL,
    subject TEXT NOT NULL,
    failures INTEGER NOT NULL,
    last_at TIMESTAMP WITH TIME ZONE NOT NULL,
    locked_until TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_login_locks PRIMARY KEY (tenant_id, subject),
    CONSTRAINT fk_login_locks_tenants FOREIGN KEY(tenant_id) REFERENCES tenants (id) ON DELETE CASCADE
)
""",
)


def upgrade() -> None:
    """Add the columns and tables."""
    for statement in STATEMENTS:
        op.execute(statement)
