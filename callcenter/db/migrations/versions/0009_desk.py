"""The agents' desk: what they choose from, what they do when, callbacks, and an index of missed calls."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_TENANT = "FOREIGN KEY(tenant_id) REFERENCES tenants (id) ON DELETE CASCADE"

STATEMENTS = (
    f"""
CREATE TABLE desk_settings (
    tenant_id INTEGER NOT NULL,
    wrapup_s INTEGER DEFAULT 0 NOT NULL,
    wrapup_queues JSONB DEFAULT '{{}}' NOT NULL,
    CONSTRAINT pk_desk_settings PRIMARY KEY (tenant_id),
    CONSTRAINT ck_desk_settings_wrapup_s CHECK (wrapup_s BETWEEN 0 AND 3600),
    CONSTRAINT fk_desk_settings_tenants {_TENANT}
)
""",
    f"""
CREATE TABLE pause_reasons (
    tenant_id INTEGER NOT NULL,
    code TEXT NOT NULL,
    names JSONB NOT NULL,
    budget_s INTEGER,
    place INTEGER DEFAULT 0 NOT NULL,
    active BOOLEAN DEFAULT true NOT NULL,
    CONSTRAINT pk_pause_reasons PRIMARY KEY (tenant_id, code),
    CONSTRAINT ck_pause_reasons_budget_s CHECK (budget_s > 0),
    CONSTRAINT fk_pause_reasons_tenants {_TENANT}
)
""",
    f"""
CREATE TABLE outcomes (
    tenant_id INTEGER NOT NULL,
    code TEXT NOT NULL,
    names JSONB NOT NULL,
    kind TEXT NOT NULL,
    place INTEGER DEFAULT 0 NOT NULL,
    active BOOLEAN DEFAULT true NOT NULL,
    CONSTRAINT pk_outcomes PRIMARY KEY (tenant_id, code),
    CONSTRAINT ck_outcomes_kind CHECK (kind IN ('success', 'callback', 'failure', 'no_contact', 'other')),
    CONSTRAINT fk_outcomes_tenants {_TENANT}
)
""",
    f"""
CREATE TABLE field_definitions (
    tenant_id INTEGER NOT NULL,
    code TEXT NOT NULL,
    names JSONB NOT NULL,
    kind TEXT NOT NULL,
    choices TEXT[] DEFAULT '{{}}' NOT NULL,
    place INTEGER DEFAULT 0 NOT NULL,
    active BOOLEAN DEFAULT true NOT NULL,
    CONSTRAINT pk_field_definitions PRIMARY KEY (tenant_id, code),
    CONSTRAINT ck_field_definitions_kind CHECK (kind IN ('text', 'number', 'date', 'choice')),
    CONSTRAINT fk_field_definitions_tenants {_TENANT}
)
""",
    f"""
CREATE TABLE agent_queues (
    tenant_id INTEGER NOT NULL,
    agent TEXT NOT NULL,
    pbx TEXT NOT NULL,
    queue TEXT NOT NULL,
    penalty INTEGER DEFAULT 0 NOT NULL,
    CONSTRAINT pk_agent_queues PRIMARY KEY (tenant_id, agent, pbx, queue),
    CONSTRAINT ck_agent_queues_penalty CHECK (penalty BETWEEN 0 AND 1000),
    CONSTRAINT fk_agent_queues_tenants {_TENANT}
)
""",
    f"""
CREATE TABLE agent_states (
    tenant_id INTEGER NOT NULL,
    agent TEXT NOT NULL,
    from_at TIMESTAMP WITH TIME ZONE NOT NULL,
    to_at TIMESTAMP WITH TIME ZONE,
    state TEXT NOT NULL,
    reason TEXT,
    until_at TIMESTAMP WITH TIME ZONE,
    call_id UUID,
    seen_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_agent_states PRIMARY KEY (tenant_id, agent, from_at),
    CONSTRAINT ck_agent_states_state CHECK (state IN ('offline', 'ready', 'ringing', 'busy', 'paused', 'wrapup')),
    CONSTRAINT ck_agent_states_to_at CHECK (to_at > from_at),
    CONSTRAINT fk_agent_states_tenants {_TENANT}
)
""",
    "CREATE INDEX ix_agent_states_from ON agent_states (tenant_id, from_at)",
    "CREATE INDEX ix_agent_states_open ON agent_states (tenant_id, agent) WHERE to_at IS NULL",
    "CREATE INDEX ix_agent_states_call ON agent_states (tenant_id, call_id) WHERE call_id IS NOT NULL",
    f"""
CREATE TABLE callbacks (
    tenant_id INTEGER NOT NULL,
    callback_id UUID NOT NULL,
    number TEXT NOT NULL,
    customer_id UUID,
    agent TEXT,
    due_at TIMESTAMP WITH TIME ZONE NOT NULL,
    note TEXT DEFAULT '' NOT NULL,
    call_id UUID,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    created_by TEXT NOT NULL,
    done_at TIMESTAMP WITH TIME ZONE,
    done_by TEXT,
    CONSTRAINT pk_callbacks PRIMARY KEY (tenant_id, callback_id),
    CONSTRAINT fk_callbacks_customers FOREIGN KEY(tenant_id, customer_id)
        REFERENCES customers (tenant_id, customer_id) ON DELETE CASCADE,
    CONSTRAINT fk_callbacks_tenants {_TENANT}
)
""",
    "CREATE INDEX ix_callbacks_due ON callbacks (tenant_id, due_at) WHERE done_at IS NULL",
    "CREATE INDEX ix_callbacks_customer ON callbacks (tenant_id, customer_id) WHERE customer_id IS NOT NULL",
    f"""
CREATE TABLE missed_settled (
    tenant_id INTEGER NOT NULL,
    number TEXT NOT NULL,
    settled_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    settled_by TEXT NOT NULL,
    CONSTRAINT pk_missed_settled PRIMARY KEY (tenant_id, number),
    CONSTRAINT fk_missed_settled_tenants {_TENANT}
)
""",
    # what nobody answered, so that the list of missed calls need not read all calls of a week
    """
CREATE INDEX ix_calls_missed ON calls (tenant_id, started_at DESC)
WHERE direction = 'inbound'::text AND answered_at IS NULL AND ended_at IS NOT NULL AND merged_into IS NULL
""",
)


def upgrade() -> None:
    """Make the tables; what is chosen from is filled in when the service starts."""
    for statement in STATEMENTS:
        op.execute(statement)
