-- Versions of a plan: `number` is the one in force, or the first while that is written. What a later version says is
-- kept with it until it is published; only then do phases and tasks change. `amendment` is the state of the version in
-- hand, `amendment_number` its number.
ALTER TABLE plans ADD COLUMN number INTEGER NOT NULL DEFAULT 1;
ALTER TABLE plans ADD COLUMN parent_amended BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE plans ADD COLUMN amendment TEXT CHECK (amendment IN ('draft', 'submitted', 'returned', 'approved'));
ALTER TABLE plans ADD COLUMN amendment_number INTEGER;
CREATE INDEX plans_amendment ON plans (tenant_id, amendment, unit_path) WHERE amendment IS NOT NULL;

-- The version that has left a task out: what was done for it stays to be read.
ALTER TABLE tasks ADD COLUMN retired_in INTEGER;

-- Whether plans of the campaign are voted on by the leading group's members before its head approves them.
ALTER TABLE leading_groups ADD COLUMN votes_on_plans BOOLEAN NOT NULL DEFAULT FALSE;

-- Whoever writes a version is its author alone.
CREATE TABLE plan_version_authors (
    tenant_id TEXT NOT NULL,
    plan_id   BLOB NOT NULL,
    user_id   BLOB NOT NULL,
    number    INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, plan_id, number, user_id),
    FOREIGN KEY (tenant_id, plan_id) REFERENCES plans (tenant_id, id),
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id)
);
INSERT INTO plan_version_authors (tenant_id, plan_id, user_id, number)
    SELECT tenant_id, plan_id, user_id, 1 FROM plan_authors;
DROP TABLE plan_authors;
ALTER TABLE plan_version_authors RENAME TO plan_authors;

CREATE TABLE plan_versions (
    tenant_id        TEXT NOT NULL,
    id               BLOB NOT NULL,
    plan_id          BLOB NOT NULL,
    number           INTEGER NOT NULL CHECK (number >= 1),
    state            TEXT NOT NULL CHECK (state IN ('draft', 'submitted', 'returned', 'approved', 'in_force', 'superseded', 'withdrawn')),
    reason           TEXT,
    content          TEXT NOT NULL,
    return_comment   TEXT,
    approval_comment TEXT,
    submitted_at     BIGINT,
    submitted_by     BLOB,
    submitted_as     TEXT,
    decided_at       BIGINT,
    decided_by       BLOB,
    published_at     BIGINT,
    parent_amended   BOOLEAN NOT NULL DEFAULT FALSE,
    created_by       BLOB NOT NULL,
    created_at       BIGINT NOT NULL,
    updated_at       BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, plan_id) REFERENCES plans (tenant_id, id),
    FOREIGN KEY (tenant_id, created_by) REFERENCES users (tenant_id, id)
);
CREATE UNIQUE INDEX plan_versions_number ON plan_versions (tenant_id, plan_id, number);
CREATE INDEX plan_versions_open ON plan_versions (tenant_id, plan_id)
    WHERE state IN ('draft', 'submitted', 'returned', 'approved');

-- Who may vote on a plan that was submitted, and how they did. A round is a submission; one that has ended counts no more.
CREATE TABLE plan_votes (
    tenant_id     TEXT NOT NULL,
    id            BLOB NOT NULL,
    plan_id       BLOB NOT NULL,
    number        INTEGER NOT NULL,
    round         INTEGER NOT NULL,
    user_id       BLOB NOT NULL,
    above_percent INTEGER NOT NULL,
    choice        TEXT CHECK (choice IN ('for', 'against', 'abstain')),
    comment       TEXT,
    cast_at       BIGINT,
    ended_at      BIGINT,
    version       BIGINT NOT NULL DEFAULT 1,
    created_at    BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, plan_id) REFERENCES plans (tenant_id, id),
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id)
);
CREATE UNIQUE INDEX plan_votes_once ON plan_votes (tenant_id, plan_id, round, user_id);
CREATE INDEX plan_votes_user ON plan_votes (tenant_id, user_id, plan_id) WHERE ended_at IS NULL;

-- What readers say of a plan or of one of its tasks. The task's title is kept as it was: the task may go.
CREATE TABLE plan_comments (
    tenant_id   TEXT NOT NULL,
    id          BLOB NOT NULL,
    plan_id     BLOB NOT NULL,
    number      INTEGER NOT NULL,
    task_id     BLOB,
    task_title  TEXT,
    content     TEXT NOT NULL,
    author_id   BLOB NOT NULL,
    resolved_at BIGINT,
    resolved_by BLOB,
    version     BIGINT NOT NULL DEFAULT 1,
    created_at  BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, plan_id) REFERENCES plans (tenant_id, id),
    FOREIGN KEY (tenant_id, author_id) REFERENCES users (tenant_id, id),
    FOREIGN KEY (tenant_id, resolved_by) REFERENCES users (tenant_id, id)
);
CREATE INDEX plan_comments_plan ON plan_comments (tenant_id, plan_id, id);
