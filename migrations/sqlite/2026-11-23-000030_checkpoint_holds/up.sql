-- Rows that are held back for as long as it takes, a check's or a photo's, and not in the list below yet. An import holds
-- back a million rows for minutes: those are not.
ALTER TABLE audit_unsealed ADD COLUMN uncommitted BOOLEAN NOT NULL DEFAULT FALSE;
UPDATE audit_unsealed SET uncommitted = TRUE
WHERE held_by IS NOT NULL AND EXISTS (
    SELECT 1 FROM audit_log
    WHERE audit_log.tenant_id = audit_unsealed.tenant_id AND audit_log.id = audit_unsealed.entry_id
    AND audit_log.entity IN ('unannounced_check', 'unannounced_check_look', 'attachment')
);
CREATE INDEX audit_unsealed_uncommitted ON audit_unsealed (tenant_id, entry_id) WHERE uncommitted;

-- Where the list goes on, as the chain does.
ALTER TABLE audit_heads ADD COLUMN held BIGINT NOT NULL DEFAULT 0;
ALTER TABLE audit_heads ADD COLUMN held_roots TEXT NOT NULL DEFAULT '';

-- The rows that were held back when a checkpoint was made or before, with their commitments: src/audit/holds.rs tells what
-- checkpoints say of them. Nobody reads it but the verifier.
CREATE TABLE audit_held (
    tenant_id  TEXT NOT NULL REFERENCES provinces (tenant_id),
    position   BIGINT NOT NULL,
    entry_id   BLOB NOT NULL,
    commitment TEXT NOT NULL,
    PRIMARY KEY (tenant_id, position)
);
CREATE UNIQUE INDEX audit_held_entry ON audit_held (tenant_id, entry_id);

-- What opens that which a checkpoint says: the salt, and how many rows of the list there were.
CREATE TABLE checkpoint_holds (
    tenant_id  TEXT NOT NULL REFERENCES provinces (tenant_id),
    commitment TEXT NOT NULL,
    salt       TEXT NOT NULL,
    held       BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, commitment)
);

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
CREATE TRIGGER checkpoint_holds_no_update BEFORE UPDATE ON checkpoint_holds
BEGIN
    SELECT RAISE(ABORT, 'checkpoint_holds is append-only');
END;
CREATE TRIGGER checkpoint_holds_no_delete BEFORE DELETE ON checkpoint_holds
BEGIN
    SELECT RAISE(ABORT, 'checkpoint_holds is append-only');
END;
CREATE TRIGGER checkpoint_holds_no_replace BEFORE INSERT ON checkpoint_holds
WHEN EXISTS (
    SELECT 1 FROM checkpoint_holds
    WHERE tenant_id = NEW.tenant_id AND commitment = NEW.commitment
)
BEGIN
    SELECT RAISE(ABORT, 'checkpoint_holds is append-only');
END;
