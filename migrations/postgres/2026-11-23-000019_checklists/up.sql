-- Checklists: what an inspection looks at, item by item. content: as last published, else as first drafted; draft: the
-- next version while it is being written. Both are JSON of one shape (src/inspections/checklists/rules.rs).
CREATE TABLE checklists (
    tenant_id     TEXT COLLATE "C" NOT NULL REFERENCES provinces (tenant_id),
    id            UUID NOT NULL,
    unit_id       UUID NOT NULL,
    unit_path     TEXT COLLATE "C" NOT NULL,
    department_id UUID,
    title         TEXT COLLATE "C" NOT NULL,
    search_text   TEXT COLLATE "C" NOT NULL,
    state         TEXT NOT NULL CHECK (state IN ('draft', 'published', 'retired')),
    number        INTEGER NOT NULL CHECK (number >= 0),
    content       TEXT NOT NULL,
    draft         TEXT,
    version       BIGINT NOT NULL DEFAULT 1,
    created_by    UUID NOT NULL,
    created_at    TIMESTAMPTZ NOT NULL,
    updated_at    TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, unit_id) REFERENCES units (tenant_id, id),
    FOREIGN KEY (tenant_id, department_id) REFERENCES units (tenant_id, id),
    FOREIGN KEY (tenant_id, created_by) REFERENCES users (tenant_id, id)
);
CREATE INDEX checklists_unit_path ON checklists (tenant_id, unit_path);
CREATE INDEX checklists_unit ON checklists (tenant_id, unit_id);
CREATE INDEX checklists_department ON checklists (tenant_id, department_id);
CREATE INDEX checklists_created_at ON checklists (tenant_id, created_at, id);

-- What was published stays as it was: an inspection keeps the version it was made with.
CREATE TABLE checklist_versions (
    tenant_id    TEXT COLLATE "C" NOT NULL REFERENCES provinces (tenant_id),
    id           UUID NOT NULL,
    checklist_id UUID NOT NULL,
    number       INTEGER NOT NULL CHECK (number > 0),
    content      TEXT NOT NULL,
    published_by UUID NOT NULL,
    published_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, checklist_id) REFERENCES checklists (tenant_id, id),
    FOREIGN KEY (tenant_id, published_by) REFERENCES users (tenant_id, id)
);
CREATE UNIQUE INDEX checklist_versions_number ON checklist_versions (tenant_id, checklist_id, number);
CREATE FUNCTION checklist_versions_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'published versions of checklists stay as they are';
END
$$;
CREATE TRIGGER checklist_versions_no_change BEFORE UPDATE OR DELETE ON checklist_versions
    FOR EACH ROW EXECUTE FUNCTION checklist_versions_refuse();
CREATE TRIGGER checklist_versions_no_truncate BEFORE TRUNCATE ON checklist_versions
    FOR EACH STATEMENT EXECUTE FUNCTION checklist_versions_refuse();

ALTER TABLE checklists ENABLE ROW LEVEL SECURITY;
ALTER TABLE checklists FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON checklists
    USING (tenant_id = nullif(current_setting('app.tenant', true), ''))
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant', true), ''));
ALTER TABLE checklist_versions ENABLE ROW LEVEL SECURITY;
ALTER TABLE checklist_versions FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON checklist_versions
    USING (tenant_id = nullif(current_setting('app.tenant', true), ''))
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant', true), ''));
