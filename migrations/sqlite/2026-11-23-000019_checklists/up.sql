-- Checklists: what an inspection looks at, item by item. content: as last published, else as first drafted; draft: the
-- next version while it is being written. Both are JSON of one shape (src/inspections/checklists/rules.rs).
CREATE TABLE checklists (
    tenant_id     TEXT NOT NULL REFERENCES provinces (tenant_id),
    id            BLOB NOT NULL,
    unit_id       BLOB NOT NULL,
    unit_path     TEXT NOT NULL,
    department_id BLOB,
    title         TEXT NOT NULL,
    search_text   TEXT NOT NULL,
    state         TEXT NOT NULL CHECK (state IN ('draft', 'published', 'retired')),
    number        INTEGER NOT NULL CHECK (number >= 0),
    content       TEXT NOT NULL,
    draft         TEXT,
    version       BIGINT NOT NULL DEFAULT 1,
    created_by    BLOB NOT NULL,
    created_at    BIGINT NOT NULL,
    updated_at    BIGINT NOT NULL,
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
    tenant_id    TEXT NOT NULL REFERENCES provinces (tenant_id),
    id           BLOB NOT NULL,
    checklist_id BLOB NOT NULL,
    number       INTEGER NOT NULL CHECK (number > 0),
    content      TEXT NOT NULL,
    published_by BLOB NOT NULL,
    published_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, checklist_id) REFERENCES checklists (tenant_id, id),
    FOREIGN KEY (tenant_id, published_by) REFERENCES users (tenant_id, id)
);
CREATE UNIQUE INDEX checklist_versions_number ON checklist_versions (tenant_id, checklist_id, number);
CREATE TRIGGER checklist_versions_no_update BEFORE UPDATE ON checklist_versions
BEGIN
    SELECT RAISE(ABORT, 'published versions of checklists stay as they are');
END;
CREATE TRIGGER checklist_versions_no_delete BEFORE DELETE ON checklist_versions
BEGIN
    SELECT RAISE(ABORT, 'published versions of checklists stay as they are');
END;
