-- What takes longer than a request may: who asked for it, how far it is, what came of it. mark: where its reader goes on
-- (src/imports/feed.rs). holder, free_at: the process that works on it, and when others may.
CREATE TABLE jobs (
    tenant_id      TEXT COLLATE "C" NOT NULL REFERENCES provinces (tenant_id),
    id             UUID NOT NULL,
    user_id        UUID NOT NULL,
    kind           TEXT NOT NULL CHECK (kind IN ('unit_import', 'officer_import', 'user_import')),
    state          TEXT NOT NULL CHECK (state IN ('queued', 'reading', 'finishing', 'dropping', 'done', 'refused', 'failed', 'cancelled')),
    verdict        TEXT CHECK (verdict IN ('done', 'refused', 'failed', 'cancelled')),
    dry_run        BOOLEAN NOT NULL,
    skip_refused   BOOLEAN NOT NULL,
    format         TEXT NOT NULL CHECK (format IN ('csv', 'xlsx', 'ndjson')),
    charset        TEXT,
    encoding       TEXT CHECK (encoding IN ('utf-8', 'gb18030')),
    sha256         TEXT NOT NULL,
    bytes          BIGINT NOT NULL,
    bytes_read     BIGINT NOT NULL,
    mark           TEXT NOT NULL,
    rows_read      BIGINT NOT NULL,
    rows_new       BIGINT NOT NULL,
    rows_changed   BIGINT NOT NULL,
    rows_unchanged BIGINT NOT NULL,
    rows_refused   BIGINT NOT NULL,
    errors_found   BIGINT NOT NULL,
    settled        BIGINT NOT NULL,
    problem        TEXT,
    cleared        BOOLEAN NOT NULL,
    holder         TEXT COLLATE "C",
    free_at        TIMESTAMPTZ NOT NULL,
    request_id     TEXT NOT NULL,
    version        BIGINT NOT NULL DEFAULT 1,
    created_at     TIMESTAMPTZ NOT NULL,
    started_at     TIMESTAMPTZ,
    ended_at       TIMESTAMPTZ,
    updated_at     TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id)
);
CREATE INDEX jobs_user ON jobs (tenant_id, user_id, id);
CREATE INDEX jobs_to_do ON jobs (tenant_id, cleared, id);

-- The file of a job as it came, in pieces of one size; the job itself is entered when all of it is there.
CREATE TABLE job_pieces (
    tenant_id  TEXT COLLATE "C" NOT NULL REFERENCES provinces (tenant_id),
    job_id     UUID NOT NULL,
    place      BIGINT NOT NULL,
    bytes      BYTEA NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (tenant_id, job_id, place)
);

-- What stands in one row of a file only, by column; the line that has it.
CREATE TABLE job_claims (
    tenant_id TEXT COLLATE "C" NOT NULL REFERENCES provinces (tenant_id),
    job_id    UUID NOT NULL,
    name      TEXT COLLATE "C" NOT NULL,
    value     TEXT COLLATE "C" NOT NULL,
    line      BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, job_id, name, value)
);
CREATE INDEX job_claims_line ON job_claims (tenant_id, job_id, name, line);

-- Rows that are good and whose turn comes at the end. given: which optional columns the file has.
CREATE TABLE job_rows (
    tenant_id TEXT COLLATE "C" NOT NULL REFERENCES provinces (tenant_id),
    job_id    UUID NOT NULL,
    line      BIGINT NOT NULL,
    given     BIGINT NOT NULL,
    content   TEXT NOT NULL,
    PRIMARY KEY (tenant_id, job_id, line)
);

-- What is wrong with which row.
CREATE TABLE job_refusals (
    tenant_id TEXT COLLATE "C" NOT NULL REFERENCES provinces (tenant_id),
    job_id    UUID NOT NULL,
    line      BIGINT NOT NULL,
    place     BIGINT NOT NULL,
    field     TEXT NOT NULL,
    code      TEXT COLLATE "C" NOT NULL,
    detail_zh TEXT NOT NULL,
    detail_en TEXT NOT NULL,
    PRIMARY KEY (tenant_id, job_id, line, place),
    FOREIGN KEY (tenant_id, job_id) REFERENCES jobs (tenant_id, id)
);

-- The jobs whose rows nobody sees yet: to take one out of here puts all of them in force at once.
CREATE TABLE open_batches (
    tenant_id TEXT COLLATE "C" NOT NULL REFERENCES provinces (tenant_id),
    job_id    UUID NOT NULL,
    PRIMARY KEY (tenant_id, job_id),
    FOREIGN KEY (tenant_id, job_id) REFERENCES jobs (tenant_id, id)
);
-- By which job the row came.
ALTER TABLE officers ADD COLUMN batch_id UUID;
ALTER TABLE posts ADD COLUMN batch_id UUID;
ALTER TABLE users ADD COLUMN batch_id UUID;

-- Whoever takes an officer back asks what refers to it.
CREATE INDEX day_entries_officer ON day_entries (tenant_id, officer_id);
CREATE INDEX stand_ins_officer ON stand_ins (tenant_id, officer_id);

-- Rows of the log about what nobody sees yet wait for its job.
ALTER TABLE audit_unsealed ADD COLUMN held_by UUID;
CREATE INDEX audit_unsealed_held ON audit_unsealed (tenant_id, held_by, entry_id);

ALTER TABLE jobs ENABLE ROW LEVEL SECURITY;
ALTER TABLE jobs FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON jobs
    USING (tenant_id = nullif(current_setting('app.tenant', true), ''))
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant', true), ''));
ALTER TABLE job_pieces ENABLE ROW LEVEL SECURITY;
ALTER TABLE job_pieces FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON job_pieces
    USING (tenant_id = nullif(current_setting('app.tenant', true), ''))
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant', true), ''));
ALTER TABLE job_claims ENABLE ROW LEVEL SECURITY;
ALTER TABLE job_claims FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON job_claims
    USING (tenant_id = nullif(current_setting('app.tenant', true), ''))
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant', true), ''));
ALTER TABLE job_rows ENABLE ROW LEVEL SECURITY;
ALTER TABLE job_rows FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON job_rows
    USING (tenant_id = nullif(current_setting('app.tenant', true), ''))
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant', true), ''));
ALTER TABLE job_refusals ENABLE ROW LEVEL SECURITY;
ALTER TABLE job_refusals FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON job_refusals
    USING (tenant_id = nullif(current_setting('app.tenant', true), ''))
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant', true), ''));
ALTER TABLE open_batches ENABLE ROW LEVEL SECURITY;
ALTER TABLE open_batches FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON open_batches
    USING (tenant_id = nullif(current_setting('app.tenant', true), ''))
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant', true), ''));
