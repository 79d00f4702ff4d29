-- Standing authorisations (常态授权): who may check whom unannounced, for how long, under whose command.
CREATE TABLE authorisations (
    tenant_id      TEXT NOT NULL REFERENCES provinces (tenant_id),
    id             BLOB NOT NULL,
    unit_id        BLOB NOT NULL,
    unit_path      TEXT NOT NULL,
    title          TEXT NOT NULL,
    search_text    TEXT NOT NULL,
    basis          TEXT NOT NULL,
    kinds          TEXT NOT NULL,
    commander_id   BLOB NOT NULL,
    valid_from_on  DATE NOT NULL,
    valid_until_on DATE NOT NULL,
    state          TEXT NOT NULL CHECK (state IN ('proposed', 'approved', 'rejected', 'revoked')),
    authors        TEXT NOT NULL,
    decided_by     BLOB,
    decided_at     BIGINT,
    comment        TEXT,
    version        BIGINT NOT NULL DEFAULT 1,
    created_by     BLOB NOT NULL,
    created_at     BIGINT NOT NULL,
    updated_at     BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, unit_id) REFERENCES units (tenant_id, id),
    FOREIGN KEY (tenant_id, commander_id) REFERENCES users (tenant_id, id),
    FOREIGN KEY (tenant_id, decided_by) REFERENCES users (tenant_id, id),
    FOREIGN KEY (tenant_id, created_by) REFERENCES users (tenant_id, id)
);
CREATE INDEX authorisations_unit_path ON authorisations (tenant_id, unit_path);
CREATE INDEX authorisations_unit ON authorisations (tenant_id, unit_id);
CREATE INDEX authorisations_commander ON authorisations (tenant_id, commander_id);
CREATE INDEX authorisations_created_at ON authorisations (tenant_id, created_at, id);

-- The units that may be checked, each with all below it.
CREATE TABLE authorisation_areas (
    tenant_id        TEXT NOT NULL,
    authorisation_id BLOB NOT NULL,
    position         INTEGER NOT NULL,
    unit_id          BLOB NOT NULL,
    unit_path        TEXT NOT NULL,
    PRIMARY KEY (tenant_id, authorisation_id, position),
    FOREIGN KEY (tenant_id, authorisation_id) REFERENCES authorisations (tenant_id, id),
    FOREIGN KEY (tenant_id, unit_id) REFERENCES units (tenant_id, id)
);
CREATE INDEX authorisation_areas_unit_path ON authorisation_areas (tenant_id, unit_path);
CREATE INDEX authorisation_areas_unit ON authorisation_areas (tenant_id, unit_id);

-- Who checks.
CREATE TABLE authorisation_members (
    tenant_id        TEXT NOT NULL,
    authorisation_id BLOB NOT NULL,
    position         INTEGER NOT NULL,
    user_id          BLOB NOT NULL,
    PRIMARY KEY (tenant_id, authorisation_id, position),
    FOREIGN KEY (tenant_id, authorisation_id) REFERENCES authorisations (tenant_id, id),
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id)
);
CREATE UNIQUE INDEX authorisation_members_user ON authorisation_members (tenant_id, user_id, authorisation_id);
