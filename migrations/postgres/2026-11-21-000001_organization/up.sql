-- Tenants. Tenant 00 is the reserved one of the platform and the ministry.
CREATE TABLE provinces (
    tenant_id  TEXT COLLATE "C" NOT NULL PRIMARY KEY CHECK (length(tenant_id) = 2),
    name       TEXT COLLATE "C" NOT NULL,
    status     TEXT NOT NULL CHECK (status IN ('active', 'suspended')),
    version    BIGINT NOT NULL DEFAULT 1,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL
);

-- path: the codes from the root down, each followed by '/', so that a subtree is one index range.
CREATE TABLE units (
    tenant_id   TEXT COLLATE "C" NOT NULL REFERENCES provinces (tenant_id),
    id          UUID NOT NULL,
    parent_id   UUID,
    code        TEXT COLLATE "C" NOT NULL,
    name        TEXT COLLATE "C" NOT NULL,
    search_text TEXT COLLATE "C" NOT NULL,
    kind        TEXT COLLATE "C" NOT NULL CHECK (kind IN ('province', 'city', 'county', 'station', 'department', 'service_window', 'detention_house')),
    status      TEXT NOT NULL CHECK (status IN ('active', 'deactivated')),
    path        TEXT COLLATE "C" NOT NULL,
    version     BIGINT NOT NULL DEFAULT 1,
    created_at  TIMESTAMPTZ NOT NULL,
    updated_at  TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, parent_id) REFERENCES units (tenant_id, id)
);
CREATE UNIQUE INDEX units_code ON units (tenant_id, code);
CREATE UNIQUE INDEX units_path ON units (tenant_id, path);
CREATE INDEX units_kind ON units (tenant_id, kind, path);
CREATE INDEX units_name ON units (tenant_id, name, path);
CREATE INDEX units_parent ON units (tenant_id, parent_id);

-- Forced, so that the owner is bound by it too: no tenant set, no row seen.
ALTER TABLE units ENABLE ROW LEVEL SECURITY;
ALTER TABLE units FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON units
    USING (tenant_id = nullif(current_setting('app.tenant', true), ''))
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant', true), ''));
