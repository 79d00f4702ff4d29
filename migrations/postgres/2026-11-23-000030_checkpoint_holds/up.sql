-- Rows that are held back for as long as it takes, a check's or a photo's, and not in the list below yet. An import holds
-- back a million rows for minutes: those are not.
ALTER TABLE audit_unsealed ADD COLUMN uncommitted BOOLEAN NOT NULL DEFAULT FALSE;
-- Under forced row-level security the owner, who has no tenant, would find none of them.
ALTER TABLE audit_log NO FORCE ROW LEVEL SECURITY;
ALTER TABLE audit_unsealed NO FORCE ROW LEVEL SECURITY;
UPDATE audit_unsealed SET uncommitted = TRUE
WHERE held_by IS NOT NULL AND EXISTS (
    SELECT 1 FROM audit_log
    WHERE audit_log.tenant_id = audit_unsealed.tenant_id AND audit_log.id = audit_unsealed.entry_id
    AND audit_log.entity IN ('unannounced_check', 'unannounced_check_look', 'attachment')
);
ALTER TABLE audit_unsealed FORCE ROW LEVEL SECURITY;
ALTER TABLE audit_log FORCE ROW LEVEL SECURITY;
CREATE INDEX audit_unsealed_uncommitted ON audit_unsealed (tenant_id, entry_id) WHERE uncommitted;

-- Where the list goes on, as the chain does.
ALTER TABLE audit_heads ADD COLUMN held BIGINT NOT NULL DEFAULT 0;
ALTER TABLE audit_heads ADD COLUMN held_roots TEXT NOT NULL DEFAULT '';

-- The rows that were held back when a checkpoint was made or before, with their commitments: src/audit/holds.rs tells what
-- checkpoints say of them. Nobody reads it but the verifier.
CREATE TABLE audit_held (
    tenant_id  TEXT COLLATE "C" NOT NULL REFERENCES provinces (tenant_id),
    position   BIGINT NOT NULL,
    entry_id   UUID NOT NULL,
    commitment TEXT NOT NULL,
    PRIMARY KEY (tenant_id, position)
);
CREATE UNIQUE INDEX audit_held_entry ON audit_held (tenant_id, entry_id);

-- What opens that which a checkpoint says: the salt, and how many rows of the list there were.
CREATE TABLE checkpoint_holds (
    tenant_id  TEXT COLLATE "C" NOT NULL REFERENCES provinces (tenant_id),
    commitment TEXT COLLATE "C" NOT NULL,
    salt       TEXT NOT NULL,
    held       BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, commitment)
);

CREATE TRIGGER audit_held_no_change BEFORE UPDATE OR DELETE ON audit_held
    FOR EACH ROW EXECUTE FUNCTION audit_chain_refuse();
CREATE TRIGGER audit_held_no_truncate BEFORE TRUNCATE ON audit_held
    FOR EACH STATEMENT EXECUTE FUNCTION audit_chain_refuse();
CREATE TRIGGER checkpoint_holds_no_change BEFORE UPDATE OR DELETE ON checkpoint_holds
    FOR EACH ROW EXECUTE FUNCTION audit_chain_refuse();
CREATE TRIGGER checkpoint_holds_no_truncate BEFORE TRUNCATE ON checkpoint_holds
    FOR EACH STATEMENT EXECUTE FUNCTION audit_chain_refuse();

ALTER TABLE audit_held ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_held FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON audit_held
    USING (tenant_id = nullif(current_setting('app.tenant', true), ''))
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant', true), ''));

ALTER TABLE checkpoint_holds ENABLE ROW LEVEL SECURITY;
ALTER TABLE checkpoint_holds FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON checkpoint_holds
    USING (tenant_id = nullif(current_setting('app.tenant', true), ''))
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant', true), ''));
