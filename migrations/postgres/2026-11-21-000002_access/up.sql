CREATE TABLE users (
    tenant_id            TEXT COLLATE "C" NOT NULL REFERENCES provinces (tenant_id),
    id                   UUID NOT NULL,
    login                TEXT COLLATE "C" NOT NULL,
    display_name         TEXT COLLATE "C" NOT NULL,
    search_text          TEXT COLLATE "C" NOT NULL,
    unit_id              UUID,
    unit_path            TEXT COLLATE "C" NOT NULL,
    status               TEXT NOT NULL CHECK (status IN ('active', 'disabled')),
    password_hash        TEXT NOT NULL,
    must_change_password BOOLEAN NOT NULL,
    authz_version        BIGINT NOT NULL DEFAULT 1,
    version              BIGINT NOT NULL DEFAULT 1,
    created_at           TIMESTAMPTZ NOT NULL,
    updated_at           TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, unit_id) REFERENCES units (tenant_id, id)
);
CREATE UNIQUE INDEX users_login ON users (tenant_id, login);
CREATE INDEX users_name ON users (tenant_id, display_name, login);
CREATE INDEX users_unit ON users (tenant_id, unit_path, id);

-- Logins are unique across tenants and are looked up before the tenant is known: the one table
-- of accounts outside row-level security. It holds nothing but where to look.
CREATE TABLE login_directory (
    login     TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    tenant_id TEXT COLLATE "C" NOT NULL REFERENCES provinces (tenant_id),
    user_id   UUID NOT NULL
);

CREATE TABLE role_bindings (
    tenant_id      TEXT COLLATE "C" NOT NULL REFERENCES provinces (tenant_id),
    id             UUID NOT NULL,
    user_id        UUID NOT NULL,
    role           TEXT COLLATE "C" NOT NULL CHECK (role IN ('platform_operator', 'ministry_viewer', 'system_admin', 'security_admin', 'auditor', 'group_head', 'group_member', 'group_office', 'unit_head', 'liaison', 'officer', 'inspector', 'discipline', 'special_supervisor', 'rater', 'intake_clerk', 'identity_custodian')),
    unit_id        UUID,
    unit_path      TEXT COLLATE "C" NOT NULL,
    valid_from_on  DATE,
    valid_until_on DATE,
    granted_by     UUID,
    created_at     TIMESTAMPTZ NOT NULL,
    revoked_at     TIMESTAMPTZ,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id),
    FOREIGN KEY (tenant_id, unit_id) REFERENCES units (tenant_id, id),
    CHECK ((tenant_id = '00') = (role IN ('platform_operator', 'ministry_viewer')))
);
CREATE INDEX role_bindings_user ON role_bindings (tenant_id, user_id);
CREATE INDEX role_bindings_role ON role_bindings (tenant_id, role, unit_path);

-- A session is a family of refresh tokens; only the newest generation is good.
CREATE TABLE sessions (
    tenant_id         TEXT COLLATE "C" NOT NULL REFERENCES provinces (tenant_id),
    id                UUID NOT NULL,
    user_id           UUID NOT NULL,
    generation        BIGINT NOT NULL,
    nonce             TEXT NOT NULL,
    token_hash        TEXT NOT NULL,
    rotated_at        TIMESTAMPTZ NOT NULL,
    rotation_key_hash TEXT,
    user_agent        TEXT NOT NULL,
    created_at        TIMESTAMPTZ NOT NULL,
    idle_until        TIMESTAMPTZ NOT NULL,
    expires_at        TIMESTAMPTZ NOT NULL,
    ended_at          TIMESTAMPTZ,
    end_reason        TEXT CHECK (end_reason IN ('logout', 'ended_by_owner', 'ended_by_administrator', 'password_changed', 'account_disabled', 'refresh_reused')),
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id)
);
CREATE INDEX sessions_user ON sessions (tenant_id, user_id, id);

-- Failed logins per account and per address (both as digests), shared by all instances.
CREATE TABLE login_throttles (
    key_digest    TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    failures      BIGINT NOT NULL,
    window_end_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX login_throttles_end ON login_throttles (window_end_at);

CREATE TABLE idempotency_keys (
    tenant_id    TEXT COLLATE "C" NOT NULL REFERENCES provinces (tenant_id),
    user_id      UUID NOT NULL,
    operation    TEXT COLLATE "C" NOT NULL,
    key          TEXT COLLATE "C" NOT NULL,
    request_hash TEXT NOT NULL,
    status       BIGINT NOT NULL,
    etag         TEXT,
    location     TEXT,
    body         TEXT NOT NULL,
    authz_version BIGINT NOT NULL,
    created_at   TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (tenant_id, user_id, operation, key),
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id)
);
CREATE INDEX idempotency_keys_age ON idempotency_keys (tenant_id, created_at);

-- Forced, so that the owner is bound by it too: no tenant set, no row seen.
ALTER TABLE users ENABLE ROW LEVEL SECURITY;
ALTER TABLE users FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON users
    USING (tenant_id = nullif(current_setting('app.tenant', true), ''))
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant', true), ''));
ALTER TABLE role_bindings ENABLE ROW LEVEL SECURITY;
ALTER TABLE role_bindings FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON role_bindings
    USING (tenant_id = nullif(current_setting('app.tenant', true), ''))
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant', true), ''));
ALTER TABLE sessions ENABLE ROW LEVEL SECURITY;
ALTER TABLE sessions FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON sessions
    USING (tenant_id = nullif(current_setting('app.tenant', true), ''))
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant', true), ''));
ALTER TABLE idempotency_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE idempotency_keys FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON idempotency_keys
    USING (tenant_id = nullif(current_setting('app.tenant', true), ''))
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant', true), ''));
