"""What the change feed and the filters of the call log need: a notice of each change, and two indexes.

The trigger stands on the one row that every writer of calls locks anyway, so that none of them can forget to tell.
"""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

STATEMENTS = (
    "ALTER TABLE calls ADD COLUMN campaign TEXT",
    """
CREATE INDEX ix_calls_campaign ON calls (tenant_id, campaign, started_at DESC, call_id DESC)
    WHERE campaign IS NOT NULL
""",
    """
CREATE INDEX ix_calls_noted ON calls (tenant_id, started_at DESC, call_id DESC) WHERE notes <> '[]'::jsonb
""",
    """
CREATE FUNCTION tell_of_calls() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('callcenter_calls', NEW.tenant_id::text);
    RETURN NULL;
END
$$
""",
    """
CREATE TRIGGER tell_of_calls AFTER INSERT OR UPDATE ON call_feeds FOR EACH ROW EXECUTE FUNCTION tell_of_calls()
""",
)


def upgrade() -> None:
    """Make what is missing; calls that are there belong to no campaign."""
    for statement in STATEMENTS:
        op.execute(statement)
