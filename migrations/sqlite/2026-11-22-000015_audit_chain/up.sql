-- 16 random bytes, hexadecimal, that keep the commitment to a row from telling what it says. Rows from before the
-- chain have none.
ALTER TABLE audit_log ADD COLUMN salt TEXT;
-- Who did what, and what was done by one action: what auditors ask for.
CREATE INDEX audit_log_user ON audit_log (tenant_id, user_id, id);
CREATE INDEX audit_log_action ON audit_log (tenant_id, action, id);

-- Rows that stand in the log and not yet in the chain: entered in the transaction of the row, taken out by the relay.
CREATE TABLE audit_unsealed (
    tenant_id TEXT NOT NULL REFERENCES provinces (tenant_id),
    entry_id  BLOB NOT NULL,
    PRIMARY KEY (tenant_id, entry_id)
);
INSERT INTO audit_unsealed SELECT tenant_id, id FROM audit_log;

-- The chain: src/audit/chain.rs tells what is computed.
CREATE TABLE audit_chain (
    tenant_id  TEXT NOT NULL REFERENCES provinces (tenant_id),
    position   BIGINT NOT NULL,
    entry_id   BLOB NOT NULL,
    commitment TEXT NOT NULL,
    link       TEXT NOT NULL,
    sealed_at  BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, position)
);
CREATE UNIQUE INDEX audit_chain_entry ON audit_chain (tenant_id, entry_id);

-- Where the relay goes on: it is told by the chain too, and nobody trusts it.
CREATE TABLE audit_heads (
    tenant_id  TEXT NOT NULL PRIMARY KEY REFERENCES provinces (tenant_id),
    size       BIGINT NOT NULL,
    link       TEXT NOT NULL,
    roots      TEXT NOT NULL,
    signed     BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

CREATE TABLE audit_checkpoints (
    tenant_id  TEXT NOT NULL REFERENCES provinces (tenant_id),
    id         BLOB NOT NULL,
    size       BIGINT NOT NULL,
    root       TEXT NOT NULL,
    note       TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE UNIQUE INDEX audit_checkpoints_size ON audit_checkpoints (tenant_id, size);

CREATE TRIGGER audit_chain_no_update BEFORE UPDATE ON audit_chain
BEGIN
    SELECT RAISE(ABORT, 'audit_chain is append-only');
END;
CREATE TRIGGER audit_chain_no_delete BEFORE DELETE ON audit_chain
BEGIN
    SELECT RAISE(ABORT, 'audit_chain is append-only');
END;
CREATE TRIGGER audit_chain_no_replace BEFORE INSERT ON audit_chain
WHEN EXISTS (
    SELECT 1 FROM audit_chain
    WHERE tenant_id = NEW.tenant_id AND (position = NEW.position OR entry_id = NEW.entry_id)
)
BEGIN
    SELECT RAISE(ABORT, 'audit_chain is append-only');
END;
CREATE TRIGGER audit_checkpoints_no_update BEFORE UPDATE ON audit_checkpoints
BEGIN
    SELECT RAISE(ABORT, 'audit_checkpoints is append-only');
END;
CREATE TRIGGER audit_checkpoints_no_delete BEFORE DELETE ON audit_checkpoints
BEGIN
    SELECT RAISE(ABORT, 'audit_checkpoints is append-only');
END;
CREATE TRIGGER audit_checkpoints_no_replace BEFORE INSERT ON audit_checkpoints
WHEN EXISTS (
    SELECT 1 FROM audit_checkpoints
    WHERE tenant_id = NEW.tenant_id AND (id = NEW.id OR size = NEW.size)
)
BEGIN
    SELECT RAISE(ABORT, 'audit_checkpoints is append-only');
END;
