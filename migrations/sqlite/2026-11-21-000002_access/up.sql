CREATE TABLE users (
    tenant_id            TEXT NOT NULL REFERENCES provinces (tenant_id),
    id                   BLOB NOT NULL,
    login                TEXT NOT NULL,
    display_name         TEXT NOT NULL,
    search_text          TEXT NOT NULL,
    unit_id              BLOB,
    unit_path            TEXT NOT NULL,
    status               TEXT NOT NULL CHECK (status IN ('active', 'disabled')),
    password_hash        TEXT NOT NULL,
    must_change_password BOOLEAN NOT NULL,
    authz_version        BIGINT NOT NULL DEFAULT 1,
    version              BIGINT NOT NULL DEFAULT 1,
    created_at           BIGINT NOT NULL,
    updated_at           BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, unit_id) REFERENCES units (tenant_id, id)
);
CREATE UNIQUE INDEX users_login ON users (tenant_id, login);
CREATE INDEX users_name ON users (tenant_id, display_name, login);
CREATE INDEX users_unit ON users (tenant_id, unit_path, id);

-- Logins are unique across tenants and are looked up before the tenant is known: the one table
-- of accounts outside row-level security. It holds nothing but where to look.
CREATE TABLE login_directory (
    login     TEXT NOT NULL PRIMARY KEY,
    tenant_id TEXT NOT NULL REFERENCES provinces (tenant_id),
    user_id   BLOB NOT NULL
);

CREATE TABLE role_bindings (
    tenant_id      TEXT NOT NULL REFERENCES provinces (tenant_id),
    id             BLOB NOT NULL,
    user_id        BLOB NOT NULL,
    role           TEXT NOT NULL CHECK (role IN ('platform_operator', 'ministry_viewer', 'system_admin', 'security_admin', 'auditor', 'group_head', 'group_member', 'group_office', 'unit_head', 'liaison', 'officer', 'inspector', 'discipline', 'special_supervisor', 'rater', 'intake_clerk', 'identity_custodian')),
    unit_id        BLOB,
    unit_path      TEXT NOT NULL,
    valid_from_on  DATE,
    valid_until_on DATE,
    granted_by     BLOB,
    created_at     BIGINT NOT NULL,
    revoked_at     BIGINT,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id),
    FOREIGN KEY (tenant_id, unit_id) REFERENCES units (tenant_id, id),
    CHECK ((tenant_id = '00') = (role IN ('platform_operator', 'ministry_viewer')))
);
CREATE INDEX role_bindings_user ON role_bindings (tenant_id, user_id);
CREATE INDEX role_bindings_role ON role_bindings (tenant_id, role, unit_path);

-- A session is a family of refresh tokens; only the newest generation is good.
CREATE TABLE sessions (
    tenant_id         TEXT NOT NULL REFERENCES provinces (tenant_id),
    id                BLOB NOT NULL,
    user_id           BLOB NOT NULL,
    generation        BIGINT NOT NULL,
    nonce             TEXT NOT NULL,
    token_hash        TEXT NOT NULL,
    rotated_at        BIGINT NOT NULL,
    rotation_key_hash TEXT,
    user_agent        TEXT NOT NULL,
    created_at        BIGINT NOT NULL,
    idle_until        BIGINT NOT NULL,
    expires_at        BIGINT NOT NULL,
    ended_at          BIGINT,
    end_reason        TEXT CHECK (end_reason IN ('logout', 'ended_by_owner', 'ended_by_administrator', 'password_changed', 'account_disabled', 'refresh_reused')),
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id)
);
CREATE INDEX sessions_user ON sessions (tenant_id, user_id, id);

-- Failed logins per account and per address (both as digests), shared by all instances.
CREATE TABLE login_throttles (
    key_digest    TEXT NOT NULL PRIMARY KEY,
    failures      BIGINT NOT NULL,
    window_end_at BIGINT NOT NULL
);
CREATE INDEX login_throttles_end ON login_throttles (window_end_at);

CREATE TABLE idempotency_keys (
    tenant_id    TEXT NOT NULL REFERENCES provinces (tenant_id),
    user_id      BLOB NOT NULL,
    operation    TEXT NOT NULL,
    key          TEXT NOT NULL,
    request_hash TEXT NOT NULL,
    status       BIGINT NOT NULL,
    etag         TEXT,
    location     TEXT,
    body         TEXT NOT NULL,
    authz_version BIGINT NOT NULL,
    created_at   BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, user_id, operation, key),
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id)
);
CREATE INDEX idempotency_keys_age ON idempotency_keys (tenant_id, created_at);
