-- What takes longer than a request may: who asked for it, how far it is, what came of it. mark: where its reader goes on
-- (src/imports/feed.rs). holder, free_at: the process that works on it, and when others may.
CREATE TABLE jobs (
    tenant_id      TEXT NOT NULL REFERENCES provinces (tenant_id),
    id             BLOB NOT NULL,
    user_id        BLOB NOT NULL,
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
    holder         TEXT,
    free_at        BIGINT NOT NULL,
    request_id     TEXT NOT NULL,
    version        BIGINT NOT NULL DEFAULT 1,
    created_at     BIGINT NOT NULL,
    started_at     BIGINT,
    ended_at       BIGINT,
    updated_at     BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id)
);
CREATE INDEX jobs_user ON jobs (tenant_id, user_id, id);
CREATE INDEX jobs_to_do ON jobs (tenant_id, cleared, id);

-- The file of a job as it came, in pieces of one size; the job itself is entered when all of it is there.
CREATE TABLE job_pieces (
    tenant_id  TEXT NOT NULL REFERENCES provinces (tenant_id),
    job_id     BLOB NOT NULL,
    place      BIGINT NOT NULL,
    bytes      BLOB NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, job_id, place)
);

-- What stands in one row of a file only, by column; the line that has it.
CREATE TABLE job_claims (
    tenant_id TEXT NOT NULL REFERENCES provinces (tenant_id),
    job_id    BLOB NOT NULL,
    name      TEXT NOT NULL,
    value     TEXT NOT NULL,
    line      BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, job_id, name, value)
);
CREATE INDEX job_claims_line ON job_claims (tenant_id, job_id, name, line);

-- Rows that are good and whose turn comes at the end. given: which optional columns the file has.
CREATE TABLE job_rows (
    tenant_id TEXT NOT NULL REFERENCES provinces (tenant_id),
    job_id    BLOB NOT NULL,
    line      BIGINT NOT NULL,
    given     BIGINT NOT NULL,
    content   TEXT NOT NULL,
    PRIMARY KEY (tenant_id, job_id, line)
);

-- What is wrong with which row.
CREATE TABLE job_refusals (
    tenant_id TEXT NOT NULL REFERENCES provinces (tenant_id),
    job_id    BLOB NOT NULL,
    line      BIGINT NOT NULL,
    place     BIGINT NOT NULL,
    field     TEXT NOT NULL,
    code      TEXT NOT NULL,
    detail_zh TEXT NOT NULL,
    detail_en TEXT NOT NULL,
    PRIMARY KEY (tenant_id, job_id, line, place),
    FOREIGN KEY (tenant_id, job_id) REFERENCES jobs (tenant_id, id)
);

-- The jobs whose rows nobody sees yet: to take one out of here puts all of them in force at once.
CREATE TABLE open_batches (
    tenant_id TEXT NOT NULL REFERENCES provinces (tenant_id),
    job_id    BLOB NOT NULL,
    PRIMARY KEY (tenant_id, job_id),
    FOREIGN KEY (tenant_id, job_id) REFERENCES jobs (tenant_id, id)
);
-- By which job the row came.
ALTER TABLE officers ADD COLUMN batch_id BLOB;
ALTER TABLE posts ADD COLUMN batch_id BLOB;
ALTER TABLE users ADD COLUMN batch_id BLOB;

-- Whoever takes an officer back asks what refers to it.
CREATE INDEX day_entries_officer ON day_entries (tenant_id, officer_id);
CREATE INDEX stand_ins_officer ON stand_ins (tenant_id, officer_id);

-- Rows of the log about what nobody sees yet wait for its job.
ALTER TABLE audit_unsealed ADD COLUMN held_by BLOB;
CREATE INDEX audit_unsealed_held ON audit_unsealed (tenant_id, held_by, entry_id);
