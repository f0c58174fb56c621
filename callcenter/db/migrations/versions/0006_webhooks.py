"""Webhooks: subscriptions, the events of calls, and who is to be told of each.

A trigger on `calls` notes the events, in the transaction of whoever writes the call; docs/decisions/0016 says why.
"""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
CREATE TABLE webhook_subscriptions (
    tenant_id INTEGER NOT NULL,
    subscription_id UUID DEFAULT gen_random_uuid() NOT NULL,
    name TEXT NOT NULL,
    url TEXT NOT NULL,
    kinds TEXT[] NOT NULL,
    secret TEXT NOT NULL,
    previous_secret TEXT,
    previous_until TIMESTAMP WITH TIME ZONE,
    paused_at TIMESTAMP WITH TIME ZONE,
    paused_reason TEXT,
    failures INTEGER DEFAULT 0 NOT NULL,
    hold_until TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    created_by TEXT NOT NULL,
    CONSTRAINT pk_webhook_subscriptions PRIMARY KEY (tenant_id, subscription_id),
    CONSTRAINT fk_webhook_subscriptions_tenants FOREIGN KEY(tenant_id) REFERENCES tenants (id) ON DELETE CASCADE
)
""",
    """
CREATE TABLE webhook_events (
    tenant_id INTEGER NOT NULL,
    event_seq BIGINT GENERATED ALWAYS AS IDENTITY,
    event_id UUID DEFAULT gen_random_uuid() NOT NULL,
    kind TEXT NOT NULL,
    call_id UUID,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    merged_into UUID,
    body BYTEA,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT fk_webhook_events_tenants FOREIGN KEY(tenant_id) REFERENCES tenants (id) ON DELETE CASCADE
)
""",
    "CREATE INDEX ix_webhook_events_call ON webhook_events (tenant_id, call_id)",
    "CREATE INDEX ix_webhook_events_created ON webhook_events (tenant_id, created_at)",
    "CREATE INDEX ix_webhook_events_unsealed ON webhook_events (tenant_id, event_seq) WHERE body IS NULL",
    "CREATE UNIQUE INDEX uq_webhook_events_id ON webhook_events (tenant_id, event_id)",
    "ALTER TABLE webhook_events ADD CONSTRAINT pk_webhook_events PRIMARY KEY (tenant_id, event_seq)",
    """
CREATE TABLE webhook_deliveries (
    tenant_id INTEGER NOT NULL,
    subscription_id UUID NOT NULL,
    event_seq BIGINT NOT NULL,
    call_id UUID,
    state TEXT DEFAULT 'waiting' NOT NULL,
    attempts INTEGER DEFAULT 0 NOT NULL,
    next_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    sent_at TIMESTAMP WITH TIME ZONE,
    took_s DOUBLE PRECISION,
    status INTEGER,
    error TEXT,
    answer TEXT,
    done_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT ck_webhook_deliveries_state CHECK (state IN ('waiting', 'done', 'dead')),
    CONSTRAINT ck_webhook_deliveries_attempts CHECK (attempts >= 0),
    CONSTRAINT fk_webhook_deliveries_webhook_events FOREIGN KEY(tenant_id, event_seq)
        REFERENCES webhook_events (tenant_id, event_seq) ON DELETE CASCADE
)
""",
    """
CREATE INDEX ix_webhook_deliveries_due ON webhook_deliveries (tenant_id, subscription_id, next_at, event_seq)
WHERE state = 'waiting'::text
""",
    """
CREATE INDEX ix_webhook_deliveries_order ON webhook_deliveries (tenant_id, subscription_id, call_id, event_seq)
WHERE state = 'waiting'::text
""",
    """
CREATE INDEX ix_webhook_deliveries_dead ON webhook_deliveries (tenant_id, subscription_id, event_seq)
WHERE state = 'dead'::text
""",
    "CREATE INDEX ix_webhook_deliveries_event ON webhook_deliveries (tenant_id, event_seq)",
    """
ALTER TABLE webhook_deliveries
ADD CONSTRAINT pk_webhook_deliveries PRIMARY KEY (tenant_id, subscription_id, event_seq)
""",
    # a tenant that is being deleted takes its calls along, and nobody is told
    """
CREATE FUNCTION webhook_emit(the_tenant int, the_kind text, the_call uuid, the_time timestamptz, the_survivor uuid)
RETURNS void LANGUAGE plpgsql AS $body$
DECLARE
    seq bigint;
BEGIN
    INSERT INTO webhook_events (tenant_id, kind, call_id, at, merged_into)
    SELECT the_tenant, the_kind, the_call, the_time, the_survivor
    WHERE EXISTS (
        SELECT FROM webhook_subscriptions s WHERE s.tenant_id = the_tenant AND the_kind = ANY (s.kinds)
    ) AND EXISTS (SELECT FROM tenants t WHERE t.id = the_tenant)
    RETURNING event_seq INTO seq;
    IF seq IS NULL THEN
        RETURN;
    END IF;
    INSERT INTO webhook_deliveries (tenant_id, subscription_id, event_seq, call_id)
    SELECT the_tenant, s.subscription_id, seq, the_call
    FROM webhook_subscriptions s WHERE s.tenant_id = the_tenant AND the_kind = ANY (s.kinds);
    PERFORM pg_notify('callcenter_webhooks', the_tenant::text);
END
$body$
""",
    # what came about in one write is told in the order of a call's life, from whatever was told before
    """
CREATE FUNCTION webhook_tell(old_call calls, new_call calls) RETURNS void LANGUAGE plpgsql AS $body$
DECLARE
    transfer jsonb;
    told int := coalesce(jsonb_array_length(old_call.transfers), 0);
BEGIN
    IF new_call.answered_at IS NOT NULL AND old_call.answered_at IS NULL THEN
        PERFORM webhook_emit(
            new_call.tenant_id, 'call.answered', new_call.call_id, new_call.answered_at, NULL);
    END IF;
    FOR transfer IN
        SELECT one.value FROM jsonb_array_elements(new_call.transfers) WITH ORDINALITY one (value, n)
        WHERE one.n > told ORDER BY one.n
    LOOP
        PERFORM webhook_emit(
            new_call.tenant_id, 'call.transferred', new_call.call_id, (transfer ->> 'at')::timestamptz, NULL);
    END LOOP;
    IF new_call.ended_at IS NOT NULL THEN
        PERFORM webhook_emit(new_call.tenant_id, 'call.ended', new_call.call_id, new_call.ended_at, NULL);
    END IF;
END
$body$
""",
    # a person was taken out of the call, or the call was deleted: nothing that was put together before stays
    """
CREATE FUNCTION webhook_forget(the_tenant int, the_call uuid) RETURNS void LANGUAGE plpgsql AS $body$
BEGIN
    UPDATE webhook_deliveries d SET answer = NULL FROM webhook_events e
    WHERE e.tenant_id = the_tenant AND e.call_id = the_call
        AND d.tenant_id = the_tenant AND d.event_seq = e.event_seq AND d.answer IS NOT NULL;
    UPDATE webhook_events SET body = NULL WHERE tenant_id = the_tenant AND call_id = the_call AND body IS NOT NULL;
END
$body$
""",
    """
CREATE FUNCTION webhook_note_call() RETURNS trigger LANGUAGE plpgsql AS $body$
DECLARE
    nobody calls;
BEGIN
    IF NOT EXISTS (
        SELECT FROM webhook_subscriptions s WHERE s.tenant_id = coalesce(NEW.tenant_id, OLD.tenant_id)
    ) THEN
        RETURN NULL;
    END IF;
    IF TG_OP = 'INSERT' THEN
        IF NEW.merged_into IS NOT NULL THEN
            RETURN NULL;
        ELSIF NEW.source = 'backfill' AND NEW.ended_at IS NOT NULL THEN
            PERFORM webhook_emit(NEW.tenant_id, 'call.ended', NEW.call_id, NEW.ended_at, NULL);
        ELSE
            PERFORM webhook_emit(NEW.tenant_id, 'call.started', NEW.call_id, NEW.started_at, NULL);
            PERFORM webhook_tell(nobody, NEW);
        END IF;
    ELSIF TG_OP = 'DELETE' THEN
        PERFORM webhook_forget(OLD.tenant_id, OLD.call_id);
        IF OLD.merged_into IS NULL THEN
            PERFORM webhook_emit(OLD.tenant_id, 'call.deleted', OLD.call_id, now(), NULL);
        END IF;
    ELSE
        IF NEW.erasure IS NOT NULL OR (OLD.customer_id IS NOT NULL AND NEW.customer_id IS NULL) THEN
            PERFORM webhook_forget(NEW.tenant_id, NEW.call_id);
        END IF;
        IF OLD.merged_into IS NOT NULL THEN
            RETURN NULL;
        ELSIF NEW.merged_into IS NOT NULL THEN
            PERFORM webhook_emit(NEW.tenant_id, 'call.deleted', NEW.call_id, now(), NEW.merged_into);
        ELSIF OLD.ended_at IS NULL THEN
            PERFORM webhook_tell(OLD, NEW);
        ELSIF NEW.version > OLD.version THEN
            PERFORM webhook_emit(NEW.tenant_id, 'call.corrected', NEW.call_id, now(), NULL);
        END IF;
    END IF;
    RETURN NULL;
END
$body$
""",
    """
CREATE TRIGGER webhook_call_written AFTER INSERT OR DELETE ON calls
FOR EACH ROW EXECUTE FUNCTION webhook_note_call()
""",
    # most writes of a call in progress change none of these, and cost nothing then
    """
CREATE TRIGGER webhook_call_changed AFTER UPDATE ON calls
FOR EACH ROW WHEN (
    OLD.ended_at IS DISTINCT FROM NEW.ended_at
    OR OLD.answered_at IS DISTINCT FROM NEW.answered_at
    OR OLD.version <> NEW.version
    OR OLD.merged_into IS DISTINCT FROM NEW.merged_into
    OR OLD.transfers <> NEW.transfers
    OR (OLD.customer_id IS NOT NULL AND NEW.customer_id IS NULL)
    OR NEW.erasure IS NOT NULL
)
EXECUTE FUNCTION webhook_note_call()
""",
)


def upgrade() -> None:
    """Make the tables, the functions and the triggers."""
    for statement in STATEMENTS:
        op.execute(statement)
