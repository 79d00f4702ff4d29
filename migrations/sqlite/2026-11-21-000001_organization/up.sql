-- Tenants. Tenant 00 is the reserved one of the platform and the ministry.
CREATE TABLE provinces (
    tenant_id  TEXT NOT NULL PRIMARY KEY CHECK (length(tenant_id) = 2),
    name       TEXT NOT NULL,
    status     TEXT NOT NULL CHECK (status IN ('active', 'suspended')),
    version    BIGINT NOT NULL DEFAULT 1,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

-- path: the codes from the root down, each followed by '/', so that a subtree is one index range.
CREATE TABLE units (
    tenant_id   TEXT NOT NULL REFERENCES provinces (tenant_id),
    id          BLOB NOT NULL,
    parent_id   BLOB,
    code        TEXT NOT NULL,
    name        TEXT NOT NULL,
    search_text TEXT NOT NULL,
    kind        TEXT NOT NULL CHECK (kind IN ('province', 'city', 'county', 'station', 'department', 'service_window', 'detention_house')),
    status      TEXT NOT NULL CHECK (status IN ('active', 'deactivated')),
    path        TEXT NOT NULL,
    version     BIGINT NOT NULL DEFAULT 1,
    created_at  BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, parent_id) REFERENCES units (tenant_id, id)
);
CREATE UNIQUE INDEX units_code ON units (tenant_id, code);
CREATE UNIQUE INDEX units_path ON units (tenant_id, path);
CREATE INDEX units_kind ON units (tenant_id, kind, path);
CREATE INDEX units_name ON units (tenant_id, name, path);
CREATE INDEX units_parent ON units (tenant_id, parent_id);
