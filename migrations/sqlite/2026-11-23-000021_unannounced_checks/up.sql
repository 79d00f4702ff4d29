-- Unannounced checks (明察暗访). begun_at: by the device's clock, skew_ms: how far that clock was ahead of ours. record: what
-- was seen, JSON, fixed once it is there (src/inspections/checks/rules.rs). A covert check has no number and is seen by
-- nobody but its team and commander before released_at. number: the year, and six digits that run on within it.
CREATE TABLE unannounced_checks (
    tenant_id            TEXT NOT NULL REFERENCES provinces (tenant_id),
    id                   BLOB NOT NULL,
    authorisation_id     BLOB NOT NULL,
    kind                 TEXT NOT NULL CHECK (kind IN ('open', 'covert')),
    unit_id              BLOB NOT NULL,
    unit_path            TEXT NOT NULL,
    commander_id         BLOB NOT NULL,
    checklist_version_id BLOB NOT NULL,
    state                TEXT NOT NULL CHECK (state IN ('in_progress', 'recorded', 'confirmed', 'released', 'contested', 'upheld', 'amended', 'voided')),
    begun_at             BIGINT NOT NULL,
    received_at          BIGINT NOT NULL,
    skew_ms              BIGINT,
    place                TEXT NOT NULL,
    record               TEXT,
    deducted             BIGINT,
    recorded_by          BLOB,
    recorded_at          BIGINT,
    confirmed_at         BIGINT,
    released_at          BIGINT,
    number               BIGINT,
    objection_until_on   DATE,
    objection            TEXT,
    contested_by         BLOB,
    contested_at         BIGINT,
    decision             TEXT,
    decided_by           BLOB,
    decided_at           BIGINT,
    void_reason          TEXT,
    version              BIGINT NOT NULL DEFAULT 1,
    created_by           BLOB NOT NULL,
    created_at           BIGINT NOT NULL,
    updated_at           BIGINT NOT NULL,
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
    tenant_id TEXT NOT NULL,
    check_id  BLOB NOT NULL,
    position  INTEGER NOT NULL,
    user_id   BLOB NOT NULL,
    PRIMARY KEY (tenant_id, check_id, position),
    FOREIGN KEY (tenant_id, check_id) REFERENCES unannounced_checks (tenant_id, id),
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id)
);
CREATE UNIQUE INDEX check_members_user ON check_members (tenant_id, user_id, check_id);

-- What was added to the record, which itself stays as it is.
CREATE TABLE check_addenda (
    tenant_id  TEXT NOT NULL,
    id         BLOB NOT NULL,
    check_id   BLOB NOT NULL,
    content    TEXT NOT NULL,
    author_id  BLOB NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, check_id) REFERENCES unannounced_checks (tenant_id, id),
    FOREIGN KEY (tenant_id, author_id) REFERENCES users (tenant_id, id)
);
CREATE INDEX check_addenda_check ON check_addenda (tenant_id, check_id, created_at, id);
