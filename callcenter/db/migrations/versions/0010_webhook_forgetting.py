"""Who forgets a call's webhooks waits for those that are being put together or noted at that moment.

What another transaction has written and not committed cannot be seen, so that it was neither waited for nor taken
away. All events of the call are locked first, sealed or not: a statement after that sees what the others wrote. Sealing
skips what is locked, and noting an answer waits for it.
"""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
CREATE OR REPLACE FUNCTION webhook_forget(the_tenant int, the_call uuid) RETURNS void LANGUAGE plpgsql AS $body$
BEGIN
    PERFORM FROM webhook_events e WHERE e.tenant_id = the_tenant AND e.call_id = the_call
    ORDER BY e.event_seq FOR UPDATE;
    UPDATE webhook_deliveries d SET answer = NULL FROM webhook_events e
    WHERE e.tenant_id = the_tenant AND e.call_id = the_call
        AND d.tenant_id = the_tenant AND d.event_seq = e.event_seq AND d.answer IS NOT NULL;
    UPDATE webhook_events SET body = NULL WHERE tenant_id = the_tenant AND call_id = the_call AND body IS NOT NULL;
END
$body$
""",
)


def upgrade() -> None:
    """Replace the function."""
    for statement in STATEMENTS:
        op.execute(statement)
