-- What an account has been given to take along, so that the next time it is told what has changed and what is gone: since names it by
-- its content; bytes: kind, identifier and digest of each thing, 25 bytes apiece.
CREATE TABLE offline_bundles (
    tenant_id  TEXT COLLATE "C" NOT NULL,
    user_id    UUID NOT NULL,
    since      TEXT COLLATE "C" NOT NULL,
    bytes      BYTEA NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (tenant_id, user_id, since),
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id)
);

ALTER TABLE offline_bundles ENABLE ROW LEVEL SECURITY;
ALTER TABLE offline_bundles FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON offline_bundles
    USING (tenant_id = nullif(current_setting('app.tenant', true), ''))
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant', true), ''));
