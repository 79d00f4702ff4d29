-- What a unit was, and where it stood, from one day to another (both inside; NULL: until further notice). The row
-- of `units` is the last of these. parent_id and path are those of the time, so that the tree of any day can be read.
CREATE TABLE unit_periods (
    tenant_id      TEXT NOT NULL,
    unit_id        BLOB NOT NULL,
    valid_from_on  DATE NOT NULL,
    valid_until_on DATE,
    name           TEXT NOT NULL,
    search_text    TEXT NOT NULL,
    parent_id      BLOB,
    path           TEXT NOT NULL,
    status         TEXT NOT NULL CHECK (status IN ('active', 'deactivated')),
    change         TEXT NOT NULL CHECK (change IN ('created', 'renamed', 'moved', 'merged', 'deactivated')),
    successor_id   BLOB,
    reason         TEXT,
    recorded_at    BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, unit_id, valid_from_on),
    FOREIGN KEY (tenant_id, unit_id) REFERENCES units (tenant_id, id),
    FOREIGN KEY (tenant_id, parent_id) REFERENCES units (tenant_id, id),
    FOREIGN KEY (tenant_id, successor_id) REFERENCES units (tenant_id, id)
);
CREATE INDEX unit_periods_path ON unit_periods (tenant_id, path, valid_from_on);

-- What is known of the units that are here already: they have stood as they do since before our records.
INSERT INTO unit_periods
SELECT tenant_id, id, '1949-10-01', NULL, name, search_text, parent_id, path, status, 'created', NULL, NULL, created_at
FROM units;
