"""Since when a PBX's calls wait to be compared, so that no restart forgets it."""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

STATEMENTS = (
    "ALTER TABLE pbx_watch ADD COLUMN gap_since TIMESTAMP WITH TIME ZONE",
    "ALTER TABLE pbx_watch ADD COLUMN gap_until TIMESTAMP WITH TIME ZONE",
)


def upgrade() -> None:
    """Add the columns."""
    for statement in STATEMENTS:
        op.execute(statement)
