-- One row a write, in the transaction of the write. Nobody changes or removes a row: the triggers
-- refuse it whatever the caller's rights.
CREATE TABLE audit_log (
    tenant_id     TEXT NOT NULL REFERENCES provinces (tenant_id),
    id            BLOB NOT NULL,
    at            BIGINT NOT NULL,
    actor         TEXT NOT NULL,
    user_id       BLOB,
    roles         TEXT NOT NULL,
    action        TEXT NOT NULL,
    entity        TEXT NOT NULL,
    entity_id     TEXT NOT NULL,
    before_digest TEXT,
    after_digest  TEXT,
    reason        TEXT,
    request_id    TEXT NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX audit_log_entity ON audit_log (tenant_id, entity, entity_id, id);

CREATE TRIGGER audit_log_no_update BEFORE UPDATE ON audit_log
BEGIN
    SELECT RAISE(ABORT, 'audit_log is append-only');
END;
CREATE TRIGGER audit_log_no_delete BEFORE DELETE ON audit_log
BEGIN
    SELECT RAISE(ABORT, 'audit_log is append-only');
END;
-- REPLACE removes the row in its way without asking the trigger on DELETE.
CREATE TRIGGER audit_log_no_replace BEFORE INSERT ON audit_log
WHEN EXISTS (
    SELECT 1 FROM audit_log
    WHERE (tenant_id = NEW.tenant_id AND id = NEW.id) OR rowid = NEW.rowid
)
BEGIN
    SELECT RAISE(ABORT, 'audit_log is append-only');
END;
