CREATE TABLE campaigns (
    tenant_id   TEXT NOT NULL REFERENCES provinces (tenant_id),
    id          BLOB NOT NULL,
    unit_id     BLOB NOT NULL,
    unit_path   TEXT NOT NULL,
    name        TEXT NOT NULL,
    search_text TEXT NOT NULL,
    theme       TEXT NOT NULL,
    year        INTEGER NOT NULL CHECK (year BETWEEN 2000 AND 2100),
    state       TEXT NOT NULL CHECK (state IN ('preparing', 'launched')),
    scope_kinds TEXT NOT NULL,
    version     BIGINT NOT NULL DEFAULT 1,
    created_by  BLOB NOT NULL,
    created_at  BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, unit_id) REFERENCES units (tenant_id, id),
    FOREIGN KEY (tenant_id, created_by) REFERENCES users (tenant_id, id)
);
CREATE INDEX campaigns_unit ON campaigns (tenant_id, unit_path, id);

CREATE TABLE campaign_phases (
    tenant_id   TEXT NOT NULL,
    campaign_id BLOB NOT NULL,
    position    INTEGER NOT NULL,
    name        TEXT NOT NULL,
    starts_on   DATE NOT NULL,
    ends_on     DATE NOT NULL,
    PRIMARY KEY (tenant_id, campaign_id, position),
    FOREIGN KEY (tenant_id, campaign_id) REFERENCES campaigns (tenant_id, id)
);

CREATE TABLE campaign_scope_units (
    tenant_id   TEXT NOT NULL,
    campaign_id BLOB NOT NULL,
    position    INTEGER NOT NULL,
    unit_id     BLOB NOT NULL,
    unit_path   TEXT NOT NULL,
    PRIMARY KEY (tenant_id, campaign_id, position),
    FOREIGN KEY (tenant_id, campaign_id) REFERENCES campaigns (tenant_id, id),
    FOREIGN KEY (tenant_id, unit_id) REFERENCES units (tenant_id, id)
);

CREATE TABLE leading_groups (
    tenant_id      TEXT NOT NULL,
    campaign_id    BLOB NOT NULL,
    head_user_id   BLOB,
    office_unit_id BLOB,
    version        BIGINT NOT NULL DEFAULT 1,
    updated_at     BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, campaign_id),
    FOREIGN KEY (tenant_id, campaign_id) REFERENCES campaigns (tenant_id, id),
    FOREIGN KEY (tenant_id, head_user_id) REFERENCES users (tenant_id, id),
    FOREIGN KEY (tenant_id, office_unit_id) REFERENCES units (tenant_id, id)
);

CREATE TABLE leading_group_members (
    tenant_id   TEXT NOT NULL,
    campaign_id BLOB NOT NULL,
    position    INTEGER NOT NULL,
    user_id     BLOB NOT NULL,
    duty        TEXT NOT NULL,
    PRIMARY KEY (tenant_id, campaign_id, position),
    FOREIGN KEY (tenant_id, campaign_id) REFERENCES leading_groups (tenant_id, campaign_id),
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id)
);

CREATE TABLE plans (
    tenant_id        TEXT NOT NULL REFERENCES provinces (tenant_id),
    id               BLOB NOT NULL,
    campaign_id      BLOB NOT NULL,
    unit_id          BLOB NOT NULL,
    unit_path        TEXT NOT NULL,
    parent_plan_id   BLOB,
    title            TEXT NOT NULL,
    search_text      TEXT NOT NULL,
    state            TEXT NOT NULL CHECK (state IN ('draft', 'submitted', 'returned', 'approved', 'published')),
    meeting_title    TEXT,
    meeting_number   TEXT,
    meeting_held_on  DATE,
    return_comment   TEXT,
    approval_comment TEXT,
    submitted_at     BIGINT,
    submitted_by     BLOB,
    decided_at       BIGINT,
    decided_by       BLOB,
    published_at     BIGINT,
    version          BIGINT NOT NULL DEFAULT 1,
    created_by       BLOB NOT NULL,
    created_at       BIGINT NOT NULL,
    updated_at       BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, campaign_id) REFERENCES campaigns (tenant_id, id),
    FOREIGN KEY (tenant_id, unit_id) REFERENCES units (tenant_id, id),
    FOREIGN KEY (tenant_id, parent_plan_id) REFERENCES plans (tenant_id, id),
    FOREIGN KEY (tenant_id, created_by) REFERENCES users (tenant_id, id)
);
CREATE UNIQUE INDEX plans_campaign_unit ON plans (tenant_id, campaign_id, unit_id);
CREATE INDEX plans_path ON plans (tenant_id, unit_path, id);
CREATE INDEX plans_parent ON plans (tenant_id, parent_plan_id);

CREATE TABLE plan_phases (
    tenant_id TEXT NOT NULL,
    plan_id   BLOB NOT NULL,
    position  INTEGER NOT NULL,
    name      TEXT NOT NULL,
    starts_on DATE NOT NULL,
    ends_on   DATE NOT NULL,
    PRIMARY KEY (tenant_id, plan_id, position),
    FOREIGN KEY (tenant_id, plan_id) REFERENCES plans (tenant_id, id)
);

-- Whoever created, edited or submitted: none of them may approve.
CREATE TABLE plan_authors (
    tenant_id TEXT NOT NULL,
    plan_id   BLOB NOT NULL,
    user_id   BLOB NOT NULL,
    PRIMARY KEY (tenant_id, plan_id, user_id),
    FOREIGN KEY (tenant_id, plan_id) REFERENCES plans (tenant_id, id),
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id)
);

CREATE TABLE tasks (
    tenant_id        TEXT NOT NULL,
    id               BLOB NOT NULL,
    plan_id          BLOB NOT NULL,
    unit_path        TEXT NOT NULL,
    position         INTEGER NOT NULL,
    category         TEXT NOT NULL,
    title            TEXT NOT NULL,
    content          TEXT NOT NULL,
    lead_leader      TEXT,
    due_on           DATE NOT NULL,
    frequency        TEXT NOT NULL CHECK (frequency IN ('once', 'daily', 'weekly', 'half_monthly', 'monthly', 'quarterly')),
    daily_entries    BOOLEAN NOT NULL,
    target_name      TEXT,
    target_direction TEXT CHECK (target_direction IN ('at_least', 'at_most')),
    target_value     TEXT,
    target_unit      TEXT,
    parent_task_id   BLOB,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, plan_id) REFERENCES plans (tenant_id, id),
    FOREIGN KEY (tenant_id, parent_task_id) REFERENCES tasks (tenant_id, id)
);
CREATE UNIQUE INDEX tasks_plan ON tasks (tenant_id, plan_id, position);
CREATE INDEX tasks_due ON tasks (tenant_id, due_on, id);
CREATE INDEX tasks_parent ON tasks (tenant_id, parent_task_id);

-- Who answers for a task: a unit itself, or the units of one kind (or all) below it.
CREATE TABLE task_responsibles (
    tenant_id TEXT NOT NULL,
    task_id   BLOB NOT NULL,
    position  INTEGER NOT NULL,
    unit_id   BLOB NOT NULL,
    extent    TEXT NOT NULL CHECK (extent IN ('self', 'subtree')),
    kind      TEXT CHECK (kind IN ('province', 'city', 'county', 'station', 'department', 'service_window', 'detention_house')),
    PRIMARY KEY (tenant_id, task_id, position),
    FOREIGN KEY (tenant_id, task_id) REFERENCES tasks (tenant_id, id),
    FOREIGN KEY (tenant_id, unit_id) REFERENCES units (tenant_id, id)
);
