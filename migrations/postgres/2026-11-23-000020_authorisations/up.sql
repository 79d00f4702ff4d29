-- Standing authorisations (常态授权): who may check whom unannounced, for how long, under whose command.
CREATE TABLE authorisations (
    tenant_id      TEXT COLLATE "C" NOT NULL REFERENCES provinces (tenant_id),
    id             UUID NOT NULL,
    unit_id        UUID NOT NULL,
    unit_path      TEXT COLLATE "C" NOT NULL,
    title          TEXT COLLATE "C" NOT NULL,
    search_text    TEXT COLLATE "C" NOT NULL,
    basis          TEXT NOT NULL,
    kinds          TEXT NOT NULL,
    commander_id   UUID NOT NULL,
    valid_from_on  DATE NOT NULL,
    valid_until_on DATE NOT NULL,
    state          TEXT NOT NULL CHECK (state IN ('proposed', 'approved', 'rejected', 'revoked')),
    authors        TEXT NOT NULL,
    decided_by     UUID,
    decided_at     TIMESTAMPTZ,
    comment        TEXT,
    version        BIGINT NOT NULL DEFAULT 1,
    created_by     UUID NOT NULL,
    created_at     TIMESTAMPTZ NOT NULL,
    updated_at     TIMESTAMPTZ NOT NULL,
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
    tenant_id        TEXT COLLATE "C" NOT NULL,
    authorisation_id UUID NOT NULL,
    position         INTEGER NOT NULL,
    unit_id          UUID NOT NULL,
    unit_path        TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant_id, authorisation_id, position),
    FOREIGN KEY (tenant_id, authorisation_id) REFERENCES authorisations (tenant_id, id),
    FOREIGN KEY (tenant_id, unit_id) REFERENCES units (tenant_id, id)
);
CREATE INDEX authorisation_areas_unit_path ON authorisation_areas (tenant_id, unit_path);
CREATE INDEX authorisation_areas_unit ON authorisation_areas (tenant_id, unit_id);

-- Who checks.
CREATE TABLE authorisation_members (
    tenant_id        TEXT COLLATE "C" NOT NULL,
    authorisation_id UUID NOT NULL,
    position         INTEGER NOT NULL,
    user_id          UUID NOT NULL,
    PRIMARY KEY (tenant_id, authorisation_id, position),
    FOREIGN KEY (tenant_id, authorisation_id) REFERENCES authorisations (tenant_id, id),
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id)
);
CREATE UNIQUE INDEX authorisation_members_user ON authorisation_members (tenant_id, user_id, authorisation_id);

ALTER TABLE authorisations ENABLE ROW LEVEL SECURITY;
ALTER TABLE authorisations FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON authorisations
    USING (tenant_id = nullif(current_setting('app.tenant', true), ''))
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant', true), ''));

ALTER TABLE authorisation_areas ENABLE ROW LEVEL SECURITY;
ALTER TABLE authorisation_areas FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON authorisation_areas
    USING (tenant_id = nullif(current_setting('app.tenant', true), ''))
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant', true), ''));

ALTER TABLE authorisation_members ENABLE ROW LEVEL SECURITY;
ALTER TABLE authorisation_members FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON authorisation_members
    USING (tenant_id = nullif(current_setting('app.tenant', true), ''))
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant', true), ''));
