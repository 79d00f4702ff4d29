-- Declared conflicts of interest (利害关系申报): while one stands, the person inspects neither the unit nor anything below it,
-- and commands no check of it. declared_unit_id: of which unit it was declared, for ever; a check is judged by that and by what the
-- tree was when it was begun. unit_id: the unit that it concerns today, which is that one or who took over from it; since_at: since
-- when, which is when it was declared, or when the unit took over. salt: under which the audit log has committed to what was declared.
-- statement, end_reason, salt: empty once what is personal of the person has been erased. The person's own place is read where their
-- account stands, and is not kept here.
CREATE TABLE conflicts (
    tenant_id        TEXT COLLATE "C" NOT NULL REFERENCES provinces (tenant_id),
    id               UUID NOT NULL,
    user_id          UUID NOT NULL,
    unit_id          UUID NOT NULL,
    declared_unit_id UUID NOT NULL,
    kind             TEXT NOT NULL CHECK (kind IN ('kinship', 'served_there', 'dispute', 'business', 'other')),
    statement        TEXT,
    salt             TEXT NOT NULL,
    state            TEXT NOT NULL CHECK (state IN ('standing', 'ended')),
    since_at         TIMESTAMPTZ NOT NULL,
    declared_by      UUID NOT NULL,
    ended_by         UUID,
    ended_at         TIMESTAMPTZ,
    end_reason       TEXT,
    version          BIGINT NOT NULL DEFAULT 1,
    created_at       TIMESTAMPTZ NOT NULL,
    updated_at       TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id),
    FOREIGN KEY (tenant_id, unit_id) REFERENCES units (tenant_id, id),
    FOREIGN KEY (tenant_id, declared_unit_id) REFERENCES units (tenant_id, id),
    FOREIGN KEY (tenant_id, declared_by) REFERENCES users (tenant_id, id),
    FOREIGN KEY (tenant_id, ended_by) REFERENCES users (tenant_id, id)
);
CREATE INDEX conflicts_user ON conflicts (tenant_id, user_id, unit_id);
CREATE INDEX conflicts_unit ON conflicts (tenant_id, unit_id);
CREATE INDEX conflicts_created_at ON conflicts (tenant_id, created_at, id);

ALTER TABLE conflicts ENABLE ROW LEVEL SECURITY;
ALTER TABLE conflicts FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON conflicts
    USING (tenant_id = nullif(current_setting('app.tenant', true), ''))
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant', true), ''));

-- When, on the first day of a period, the unit was put where it stands, where something else was changed later on that day and is what the
-- row tells of (recorded_at); NULL where that is the same. What was begun meanwhile is judged by it (src/org/changes/moments.rs).
ALTER TABLE unit_periods ADD COLUMN placed_at TIMESTAMPTZ;
