-- Versions of a plan: `number` is the one in force, or the first while that is written. What a later version says is
-- kept with it until it is published; only then do phases and tasks change. `amendment` is the state of the version in
-- hand, `amendment_number` its number.
ALTER TABLE plans ADD COLUMN number INTEGER NOT NULL DEFAULT 1;
ALTER TABLE plans ADD COLUMN parent_amended BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE plans ADD COLUMN amendment TEXT COLLATE "C" CHECK (amendment IN ('draft', 'submitted', 'returned', 'approved'));
ALTER TABLE plans ADD COLUMN amendment_number INTEGER;
CREATE INDEX plans_amendment ON plans (tenant_id, amendment, unit_path) WHERE amendment IS NOT NULL;

-- The version that has left a task out: what was done for it stays to be read.
ALTER TABLE tasks ADD COLUMN retired_in INTEGER;

-- Whether plans of the campaign are voted on by the leading group's members before its head approves them.
ALTER TABLE leading_groups ADD COLUMN votes_on_plans BOOLEAN NOT NULL DEFAULT FALSE;

-- Whoever writes a version is its author alone.
ALTER TABLE plan_authors ADD COLUMN number INTEGER NOT NULL DEFAULT 1;
ALTER TABLE plan_authors ALTER COLUMN number DROP DEFAULT;
ALTER TABLE plan_authors DROP CONSTRAINT plan_authors_pkey;
ALTER TABLE plan_authors ADD PRIMARY KEY (tenant_id, plan_id, number, user_id);

CREATE TABLE plan_versions (
    tenant_id        TEXT COLLATE "C" NOT NULL,
    id               UUID NOT NULL,
    plan_id          UUID NOT NULL,
    number           INTEGER NOT NULL CHECK (number >= 1),
    state            TEXT NOT NULL CHECK (state IN ('draft', 'submitted', 'returned', 'approved', 'in_force', 'superseded', 'withdrawn')),
    reason           TEXT,
    content          TEXT COLLATE "C" NOT NULL,
    return_comment   TEXT,
    approval_comment TEXT,
    submitted_at     TIMESTAMPTZ,
    submitted_by     UUID,
    submitted_as     TEXT,
    decided_at       TIMESTAMPTZ,
    decided_by       UUID,
    published_at     TIMESTAMPTZ,
    parent_amended   BOOLEAN NOT NULL DEFAULT FALSE,
    created_by       UUID NOT NULL,
    created_at       TIMESTAMPTZ NOT NULL,
    updated_at       TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, plan_id) REFERENCES plans (tenant_id, id),
    FOREIGN KEY (tenant_id, created_by) REFERENCES users (tenant_id, id)
);
CREATE UNIQUE INDEX plan_versions_number ON plan_versions (tenant_id, plan_id, number);
CREATE INDEX plan_versions_open ON plan_versions (tenant_id, plan_id)
    WHERE state IN ('draft', 'submitted', 'returned', 'approved');

-- Who may vote on a plan that was submitted, and how they did. A round is a submission; one that has ended counts no more.
CREATE TABLE plan_votes (
    tenant_id     TEXT COLLATE "C" NOT NULL,
    id            UUID NOT NULL,
    plan_id       UUID NOT NULL,
    number        INTEGER NOT NULL,
    round         INTEGER NOT NULL,
    user_id       UUID NOT NULL,
    above_percent INTEGER NOT NULL,
    choice        TEXT CHECK (choice IN ('for', 'against', 'abstain')),
    comment       TEXT,
    cast_at       TIMESTAMPTZ,
    ended_at      TIMESTAMPTZ,
    version       BIGINT NOT NULL DEFAULT 1,
    created_at    TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, plan_id) REFERENCES plans (tenant_id, id),
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id)
);
CREATE UNIQUE INDEX plan_votes_once ON plan_votes (tenant_id, plan_id, round, user_id);
CREATE INDEX plan_votes_user ON plan_votes (tenant_id, user_id, plan_id) WHERE ended_at IS NULL;

-- What readers say of a plan or of one of its tasks. The task's title is kept as it was: the task may go.
CREATE TABLE plan_comments (
    tenant_id   TEXT COLLATE "C" NOT NULL,
    id          UUID NOT NULL,
    plan_id     UUID NOT NULL,
    number      INTEGER NOT NULL,
    task_id     UUID,
    task_title  TEXT,
    content     TEXT NOT NULL,
    author_id   UUID NOT NULL,
    resolved_at TIMESTAMPTZ,
    resolved_by UUID,
    version     BIGINT NOT NULL DEFAULT 1,
    created_at  TIMESTAMPTZ NOT NULL,
    updated_at  TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, plan_id) REFERENCES plans (tenant_id, id),
    FOREIGN KEY (tenant_id, author_id) REFERENCES users (tenant_id, id),
    FOREIGN KEY (tenant_id, resolved_by) REFERENCES users (tenant_id, id)
);
CREATE INDEX plan_comments_plan ON plan_comments (tenant_id, plan_id, id);

ALTER TABLE plan_versions ENABLE ROW LEVEL SECURITY;
ALTER TABLE plan_versions FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON plan_versions
    USING (tenant_id = nullif(current_setting('app.tenant', true), ''))
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant', true), ''));
ALTER TABLE plan_votes ENABLE ROW LEVEL SECURITY;
ALTER TABLE plan_votes FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON plan_votes
    USING (tenant_id = nullif(current_setting('app.tenant', true), ''))
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant', true), ''));
ALTER TABLE plan_comments ENABLE ROW LEVEL SECURITY;
ALTER TABLE plan_comments FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON plan_comments
    USING (tenant_id = nullif(current_setting('app.tenant', true), ''))
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant', true), ''));
