-- What a province says of a day, over the State Council's notices. Without a kind the day is put back to
-- them; the row stays, so that its version goes on counting.
CREATE TABLE calendar_changes (
    tenant_id  TEXT COLLATE "C" NOT NULL REFERENCES provinces (tenant_id),
    day        DATE NOT NULL,
    kind       TEXT CHECK (kind IN ('holiday', 'workday')),
    name       TEXT COLLATE "C",
    version    BIGINT NOT NULL,
    created_by UUID NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_by UUID NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (tenant_id, day),
    FOREIGN KEY (tenant_id, created_by) REFERENCES users (tenant_id, id),
    FOREIGN KEY (tenant_id, updated_by) REFERENCES users (tenant_id, id)
);

-- One row a version, kept for ever; the newest counts. Version 1 are the defaults and has no row. The
-- bounds are those of the interface.
CREATE TABLE settings_versions (
    tenant_id              TEXT COLLATE "C" NOT NULL REFERENCES provinces (tenant_id),
    version                BIGINT NOT NULL,
    id                     UUID NOT NULL,
    suppression_k          INTEGER NOT NULL CHECK (suppression_k BETWEEN 10 AND 1000),
    recheck_percent        INTEGER NOT NULL CHECK (recheck_percent BETWEEN 5 AND 100),
    cooling_off_months     INTEGER NOT NULL CHECK (cooling_off_months BETWEEN 12 AND 120),
    extensions_max         INTEGER NOT NULL CHECK (extensions_max BETWEEN 0 AND 5),
    objection_working_days INTEGER NOT NULL CHECK (objection_working_days BETWEEN 1 AND 30),
    transfers_max          INTEGER NOT NULL CHECK (transfers_max BETWEEN 0 AND 3),
    trimmed_mean           BOOLEAN NOT NULL,
    quorum_above_percent   INTEGER NOT NULL CHECK (quorum_above_percent BETWEEN 50 AND 99),
    station_budget_minutes INTEGER NOT NULL CHECK (station_budget_minutes BETWEEN 0 AND 120000),
    receipt_bits           INTEGER NOT NULL CHECK (receipt_bits BETWEEN 80 AND 256),
    reason                 TEXT NOT NULL,
    changed_by             UUID NOT NULL,
    changed_at             TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (tenant_id, version),
    FOREIGN KEY (tenant_id, changed_by) REFERENCES users (tenant_id, id)
);

-- Forced, so that the owner is bound by it too: no tenant set, no row seen.
ALTER TABLE calendar_changes ENABLE ROW LEVEL SECURITY;
ALTER TABLE calendar_changes FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON calendar_changes
    USING (tenant_id = nullif(current_setting('app.tenant', true), ''))
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant', true), ''));
ALTER TABLE settings_versions ENABLE ROW LEVEL SECURITY;
ALTER TABLE settings_versions FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON settings_versions
    USING (tenant_id = nullif(current_setting('app.tenant', true), ''))
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant', true), ''));
