-- When the clock releases a check that its commander has confirmed, unless the commander does so before.
CREATE TABLE check_releases (
    tenant_id  TEXT COLLATE "C" NOT NULL,
    check_id   UUID NOT NULL,
    release_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (tenant_id, check_id),
    FOREIGN KEY (tenant_id, check_id) REFERENCES unannounced_checks (tenant_id, id)
);
CREATE INDEX check_releases_due ON check_releases (tenant_id, release_at);

-- Who read a check while nobody else might know of it; discipline sees it from the release on. Looks within an hour are one.
CREATE TABLE check_reads (
    tenant_id TEXT COLLATE "C" NOT NULL,
    check_id  UUID NOT NULL,
    user_id   UUID NOT NULL,
    first_at  TIMESTAMPTZ NOT NULL,
    last_at   TIMESTAMPTZ NOT NULL,
    looks     INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, check_id, user_id),
    FOREIGN KEY (tenant_id, check_id) REFERENCES unannounced_checks (tenant_id, id),
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id)
);
CREATE INDEX check_reads_user ON check_reads (tenant_id, user_id);

ALTER TABLE check_releases ENABLE ROW LEVEL SECURITY;
ALTER TABLE check_releases FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON check_releases
    USING (tenant_id = nullif(current_setting('app.tenant', true), ''))
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant', true), ''));
ALTER TABLE check_reads ENABLE ROW LEVEL SECURITY;
ALTER TABLE check_reads FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON check_reads
    USING (tenant_id = nullif(current_setting('app.tenant', true), ''))
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant', true), ''));
