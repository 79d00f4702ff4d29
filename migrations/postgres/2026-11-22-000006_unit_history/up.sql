-- What a unit was, and where it stood, from one day to another (both inside; NULL: until further notice). The row
-- of `units` is the last of these. parent_id and path are those of the time, so that the tree of any day can be read.
CREATE TABLE unit_periods (
    tenant_id      TEXT COLLATE "C" NOT NULL,
    unit_id        UUID NOT NULL,
    valid_from_on  DATE NOT NULL,
    valid_until_on DATE,
    name           TEXT COLLATE "C" NOT NULL,
    search_text    TEXT COLLATE "C" NOT NULL,
    parent_id      UUID,
    path           TEXT COLLATE "C" NOT NULL,
    status         TEXT NOT NULL CHECK (status IN ('active', 'deactivated')),
    change         TEXT NOT NULL CHECK (change IN ('created', 'renamed', 'moved', 'merged', 'deactivated')),
    successor_id   UUID,
    reason         TEXT,
    recorded_at    TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (tenant_id, unit_id, valid_from_on),
    FOREIGN KEY (tenant_id, unit_id) REFERENCES units (tenant_id, id),
    FOREIGN KEY (tenant_id, parent_id) REFERENCES units (tenant_id, id),
    FOREIGN KEY (tenant_id, successor_id) REFERENCES units (tenant_id, id)
);
CREATE INDEX unit_periods_path ON unit_periods (tenant_id, path, valid_from_on);

-- What is known of the units that are here already: they have stood as they do since before our records.
-- Under forced row-level security the owner, who has no tenant, would read none of them.
ALTER TABLE units NO FORCE ROW LEVEL SECURITY;
INSERT INTO unit_periods
SELECT tenant_id, id, DATE '1949-10-01', NULL, name, search_text, parent_id, path, status, 'created', NULL, NULL, created_at
FROM units;
ALTER TABLE units FORCE ROW LEVEL SECURITY;

ALTER TABLE unit_periods ENABLE ROW LEVEL SECURITY;
ALTER TABLE unit_periods FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON unit_periods
    USING (tenant_id = nullif(current_setting('app.tenant', true), ''))
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant', true), ''));
