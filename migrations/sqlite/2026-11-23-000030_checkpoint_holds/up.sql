-- Rows that are held back for as long as it takes, a check's or a photo's, and not in the list below yet. A job holds back a
-- million rows for minutes: those are not.
ALTER TABLE audit_unsealed ADD COLUMN uncommitted BOOLEAN NOT NULL DEFAULT FALSE;
UPDATE audit_unsealed SET uncommitted = TRUE
WHERE held_by IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM jobs WHERE jobs.tenant_id = audit_unsealed.tenant_id AND jobs.id = audit_unsealed.held_by
);
CREATE INDEX audit_unsealed_uncommitted ON audit_unsealed (tenant_id, entry_id) WHERE uncommitted;

-- Where the list goes on, as the chain does.
ALTER TABLE audit_heads ADD COLUMN held BIGINT NOT NULL DEFAULT 0;
ALTER TABLE audit_heads ADD COLUMN held_roots TEXT NOT NULL DEFAULT '';

-- The rows that were held back when a checkpoint was made or before, with their commitments: src/audit/holds.rs tells what
-- checkpoints say of them. Nobody reads it but the verifier. What opens that follows from the key that signs, and stands nowhere.
CREATE TABLE audit_held (
    tenant_id  TEXT NOT NULL REFERENCES provinces (tenant_id),
    position   BIGINT NOT NULL,
    entry_id   BLOB NOT NULL,
    commitment TEXT NOT NULL,
    PRIMARY KEY (tenant_id, position)
);
CREATE UNIQUE INDEX audit_held_entry ON audit_held (tenant_id, entry_id);

CREATE TRIGGER audit_held_no_update BEFORE UPDATE ON audit_held
BEGIN
    SELECT RAISE(ABORT, 'audit_held is append-only');
END;
CREATE TRIGGER audit_held_no_delete BEFORE DELETE ON audit_held
BEGIN
    SELECT RAISE(ABORT, 'audit_held is append-only');
END;
CREATE TRIGGER audit_held_no_replace BEFORE INSERT ON audit_held
WHEN EXISTS (
    SELECT 1 FROM audit_held
    WHERE tenant_id = NEW.tenant_id AND (position = NEW.position OR entry_id = NEW.entry_id)
)
BEGIN
    SELECT RAISE(ABORT, 'audit_held is append-only');
END;
