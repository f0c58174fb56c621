"""Whose calls they were, in an index: lists of an agent's calls walked through everybody's before.

The key is made last, as `0001` explains.
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
CREATE TABLE call_agents (
    tenant_id INTEGER NOT NULL,
    call_id UUID NOT NULL,
    agent TEXT NOT NULL,
    started_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT fk_call_agents_calls FOREIGN KEY(tenant_id, call_id) REFERENCES calls (tenant_id, call_id)
        ON DELETE CASCADE
)
""",
    """
INSERT INTO call_agents (tenant_id, call_id, agent, started_at)
SELECT c.tenant_id, c.call_id, a.agent, c.started_at
FROM calls c
CROSS JOIN LATERAL (
    SELECT c.caller ->> 'agent' AS agent
    UNION SELECT c.callee ->> 'agent'
    UNION SELECT p.agent FROM connections p WHERE p.tenant_id = c.tenant_id AND p.call_id = c.call_id
    UNION SELECT p.agent FROM offers p WHERE p.tenant_id = c.tenant_id AND p.call_id = c.call_id
        AND p.result IS DISTINCT FROM 'answered_elsewhere'
) a
WHERE c.merged_into IS NULL AND a.agent IS NOT NULL
""",
    """
CREATE INDEX ix_call_agents_newest ON call_agents (tenant_id, agent, started_at DESC, call_id DESC)
""",
    """
ALTER TABLE call_agents ADD CONSTRAINT pk_call_agents PRIMARY KEY (tenant_id, call_id, agent)
""",
)


def upgrade() -> None:
    """Make the table, and fill it from the calls that are there."""
    for statement in STATEMENTS:
        op.execute(statement)
