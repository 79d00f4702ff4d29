-- Unannounced checks (明察暗访). begun_at: by the device's clock, skew_ms: how far that clock was ahead of ours. record: what
-- was seen, JSON, fixed once it is there (src/inspections/checks/rules.rs). A covert check has no number and is seen by
-- nobody but its team and commander before released_at. number: the year, and six digits that run on within it.
CREATE TABLE unannounced_checks (
    tenant_id            TEXT COLLATE "C" NOT NULL REFERENCES provinces (tenant_id),
    id                   UUID NOT NULL,
    authorisation_id     UUID NOT NULL,
    kind                 TEXT NOT NULL CHECK (kind IN ('open', 'covert')),
    unit_id              UUID NOT NULL,
    unit_path            TEXT COLLATE "C" NOT NULL,
    commander_id         UUID NOT NULL,
    checklist_version_id UUID NOT NULL,
    state                TEXT NOT NULL CHECK (state IN ('in_progress', 'recorded', 'confirmed', 'released', 'contested', 'upheld', 'amended', 'voided')),
    begun_at             TIMESTAMPTZ NOT NULL,
    received_at          TIMESTAMPTZ NOT NULL,
    skew_ms              BIGINT,
    place                TEXT NOT NULL,
    record               TEXT,
    deducted             BIGINT,
    recorded_by          UUID,
    recorded_at          TIMESTAMPTZ,
    confirmed_at         TIMESTAMPTZ,
    released_at          TIMESTAMPTZ,
    number               BIGINT,
    objection_until_on   DATE,
    objection            TEXT,
    contested_by         UUID,
    contested_at         TIMESTAMPTZ,
    decision             TEXT,
    decided_by           UUID,
    decided_at           TIMESTAMPTZ,
    void_reason          TEXT,
    version              BIGINT NOT NULL DEFAULT 1,
    created_by           UUID NOT NULL,
    created_at           TIMESTAMPTZ NOT NULL,
    updated_at           TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, authorisation_id) REFERENCES authorisations (tenant_id, id),
    FOREIGN KEY (tenant_id, unit_id) REFERENCES units (tenant_id, id),
    FOREIGN KEY (tenant_id, commander_id) REFERENCES users (tenant_id, id),
    FOREIGN KEY (tenant_id, checklist_version_id) REFERENCES checklist_versions (tenant_id, id),
    FOREIGN KEY (tenant_id, recorded_by) REFERENCES users (tenant_id, id),
    FOREIGN KEY (tenant_id, contested_by) REFERENCES users (tenant_id, id),
    FOREIGN KEY (tenant_id, decided_by) REFERENCES users (tenant_id, id),
    FOREIGN KEY (tenant_id, created_by) REFERENCES users (tenant_id, id)
);
CREATE INDEX unannounced_checks_unit_path ON unannounced_checks (tenant_id, unit_path);
CREATE INDEX unannounced_checks_commander ON unannounced_checks (tenant_id, commander_id);
CREATE INDEX unannounced_checks_created_at ON unannounced_checks (tenant_id, created_at, id);
CREATE UNIQUE INDEX unannounced_checks_number ON unannounced_checks (tenant_id, number);

-- Who made it.
CREATE TABLE check_members (
    tenant_id TEXT COLLATE "C" NOT NULL,
    check_id  UUID NOT NULL,
    position  INTEGER NOT NULL,
    user_id   UUID NOT NULL,
    PRIMARY KEY (tenant_id, check_id, position),
    FOREIGN KEY (tenant_id, check_id) REFERENCES unannounced_checks (tenant_id, id),
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id)
);
CREATE UNIQUE INDEX check_members_user ON check_members (tenant_id, user_id, check_id);

-- What was added to the record, which itself stays as it is.
CREATE TABLE check_addenda (
    tenant_id  TEXT COLLATE "C" NOT NULL,
    id         UUID NOT NULL,
    check_id   UUID NOT NULL,
    content    TEXT NOT NULL,
    author_id  UUID NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, check_id) REFERENCES unannounced_checks (tenant_id, id),
    FOREIGN KEY (tenant_id, author_id) REFERENCES users (tenant_id, id)
);
CREATE INDEX check_addenda_check ON check_addenda (tenant_id, check_id, created_at, id);

ALTER TABLE unannounced_checks ENABLE ROW LEVEL SECURITY;
ALTER TABLE unannounced_checks FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON unannounced_checks
    USING (tenant_id = nullif(current_setting('app.tenant', true), ''))
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant', true), ''));

ALTER TABLE check_members ENABLE ROW LEVEL SECURITY;
ALTER TABLE check_members FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON check_members
    USING (tenant_id = nullif(current_setting('app.tenant', true), ''))
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant', true), ''));

ALTER TABLE check_addenda ENABLE ROW LEVEL SECURITY;
ALTER TABLE check_addenda FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON check_addenda
    USING (tenant_id = nullif(current_setting('app.tenant', true), ''))
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant', true), ''));
