-- 16 random bytes, hexadecimal, that keep the commitment to a row from telling what it says. Rows from before the
-- chain have none.
ALTER TABLE audit_log ADD COLUMN salt TEXT;
ALTER TABLE audit_log ALTER COLUMN action TYPE TEXT COLLATE "C";
-- Who did what, and what was done by one action: what auditors ask for.
CREATE INDEX audit_log_user ON audit_log (tenant_id, user_id, id);
CREATE INDEX audit_log_action ON audit_log (tenant_id, action, id);

-- Rows that stand in the log and not yet in the chain: entered in the transaction of the row, taken out by the relay.
-- So the chain needs no order of commits: what is visible here is committed, and what commits later is sealed later.
CREATE TABLE audit_unsealed (
    tenant_id TEXT COLLATE "C" NOT NULL REFERENCES provinces (tenant_id),
    entry_id  UUID NOT NULL,
    PRIMARY KEY (tenant_id, entry_id)
);
-- Under forced row-level security the owner, who has no tenant, would read none of them.
ALTER TABLE audit_log NO FORCE ROW LEVEL SECURITY;
INSERT INTO audit_unsealed SELECT tenant_id, id FROM audit_log;
ALTER TABLE audit_log FORCE ROW LEVEL SECURITY;

-- The chain: src/audit/chain.rs tells what is computed.
CREATE TABLE audit_chain (
    tenant_id  TEXT COLLATE "C" NOT NULL REFERENCES provinces (tenant_id),
    position   BIGINT NOT NULL,
    entry_id   UUID NOT NULL,
    commitment TEXT NOT NULL,
    link       TEXT NOT NULL,
    sealed_at  TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (tenant_id, position)
);
CREATE UNIQUE INDEX audit_chain_entry ON audit_chain (tenant_id, entry_id);

-- Where the relay goes on: it is told by the chain too, and nobody trusts it.
CREATE TABLE audit_heads (
    tenant_id  TEXT COLLATE "C" NOT NULL PRIMARY KEY REFERENCES provinces (tenant_id),
    size       BIGINT NOT NULL,
    link       TEXT NOT NULL,
    roots      TEXT NOT NULL,
    signed     BIGINT NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL
);

CREATE TABLE audit_checkpoints (
    tenant_id  TEXT COLLATE "C" NOT NULL REFERENCES provinces (tenant_id),
    id         UUID NOT NULL,
    size       BIGINT NOT NULL,
    root       TEXT NOT NULL,
    note       TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE UNIQUE INDEX audit_checkpoints_size ON audit_checkpoints (tenant_id, size);

CREATE FUNCTION audit_chain_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME;
END
$$;
CREATE TRIGGER audit_chain_no_change BEFORE UPDATE OR DELETE ON audit_chain
    FOR EACH ROW EXECUTE FUNCTION audit_chain_refuse();
CREATE TRIGGER audit_chain_no_truncate BEFORE TRUNCATE ON audit_chain
    FOR EACH STATEMENT EXECUTE FUNCTION audit_chain_refuse();
CREATE TRIGGER audit_checkpoints_no_change BEFORE UPDATE OR DELETE ON audit_checkpoints
    FOR EACH ROW EXECUTE FUNCTION audit_chain_refuse();
CREATE TRIGGER audit_checkpoints_no_truncate BEFORE TRUNCATE ON audit_checkpoints
    FOR EACH STATEMENT EXECUTE FUNCTION audit_chain_refuse();

ALTER TABLE audit_unsealed ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_unsealed FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON audit_unsealed
    USING (tenant_id = nullif(current_setting('app.tenant', true), ''))
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant', true), ''));

ALTER TABLE audit_chain ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_chain FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON audit_chain
    USING (tenant_id = nullif(current_setting('app.tenant', true), ''))
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant', true), ''));

ALTER TABLE audit_heads ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_heads FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON audit_heads
    USING (tenant_id = nullif(current_setting('app.tenant', true), ''))
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant', true), ''));

ALTER TABLE audit_checkpoints ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_checkpoints FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON audit_checkpoints
    USING (tenant_id = nullif(current_setting('app.tenant', true), ''))
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant', true), ''));
