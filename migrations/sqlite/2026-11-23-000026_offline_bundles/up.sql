-- What an account has been given to take along, so that the next time it is told what has changed and what is gone: since names it by
-- its content; bytes: kind, identifier and digest of each thing, 25 bytes apiece.
CREATE TABLE offline_bundles (
    tenant_id  TEXT NOT NULL,
    user_id    BLOB NOT NULL,
    since      TEXT NOT NULL,
    bytes      BLOB NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, user_id, since),
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id)
);
