CREATE TABLE campaigns (
    tenant_id   TEXT COLLATE "C" NOT NULL REFERENCES provinces (tenant_id),
    id          UUID NOT NULL,
    unit_id     UUID NOT NULL,
    unit_path   TEXT COLLATE "C" NOT NULL,
    name        TEXT COLLATE "C" NOT NULL,
    search_text TEXT COLLATE "C" NOT NULL,
    theme       TEXT NOT NULL,
    year        INTEGER NOT NULL CHECK (year BETWEEN 2000 AND 2100),
    state       TEXT NOT NULL CHECK (state IN ('preparing', 'launched')),
    scope_kinds TEXT NOT NULL,
    version     BIGINT NOT NULL DEFAULT 1,
    created_by  UUID NOT NULL,
    created_at  TIMESTAMPTZ NOT NULL,
    updated_at  TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, unit_id) REFERENCES units (tenant_id, id),
    FOREIGN KEY (tenant_id, created_by) REFERENCES users (tenant_id, id)
);
CREATE INDEX campaigns_unit ON campaigns (tenant_id, unit_path, id);

CREATE TABLE campaign_phases (
    tenant_id   TEXT COLLATE "C" NOT NULL,
    campaign_id UUID NOT NULL,
    position    INTEGER NOT NULL,
    name        TEXT COLLATE "C" NOT NULL,
    starts_on   DATE NOT NULL,
    ends_on     DATE NOT NULL,
    PRIMARY KEY (tenant_id, campaign_id, position),
    FOREIGN KEY (tenant_id, campaign_id) REFERENCES campaigns (tenant_id, id)
);

CREATE TABLE campaign_scope_units (
    tenant_id   TEXT COLLATE "C" NOT NULL,
    campaign_id UUID NOT NULL,
    position    INTEGER NOT NULL,
    unit_id     UUID NOT NULL,
    unit_path   TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant_id, campaign_id, position),
    FOREIGN KEY (tenant_id, campaign_id) REFERENCES campaigns (tenant_id, id),
    FOREIGN KEY (tenant_id, unit_id) REFERENCES units (tenant_id, id)
);

CREATE TABLE leading_groups (
    tenant_id      TEXT COLLATE "C" NOT NULL,
    campaign_id    UUID NOT NULL,
    head_user_id   UUID,
    office_unit_id UUID,
    version        BIGINT NOT NULL DEFAULT 1,
    updated_at     TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (tenant_id, campaign_id),
    FOREIGN KEY (tenant_id, campaign_id) REFERENCES campaigns (tenant_id, id),
    FOREIGN KEY (tenant_id, head_user_id) REFERENCES users (tenant_id, id),
    FOREIGN KEY (tenant_id, office_unit_id) REFERENCES units (tenant_id, id)
);

CREATE TABLE leading_group_members (
    tenant_id   TEXT COLLATE "C" NOT NULL,
    campaign_id UUID NOT NULL,
    position    INTEGER NOT NULL,
    user_id     UUID NOT NULL,
    duty        TEXT NOT NULL,
    PRIMARY KEY (tenant_id, campaign_id, position),
    FOREIGN KEY (tenant_id, campaign_id) REFERENCES leading_groups (tenant_id, campaign_id),
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id)
);

CREATE TABLE plans (
    tenant_id        TEXT COLLATE "C" NOT NULL REFERENCES provinces (tenant_id),
    id               UUID NOT NULL,
    campaign_id      UUID NOT NULL,
    unit_id          UUID NOT NULL,
    unit_path        TEXT COLLATE "C" NOT NULL,
    parent_plan_id   UUID,
    title            TEXT COLLATE "C" NOT NULL,
    search_text      TEXT COLLATE "C" NOT NULL,
    state            TEXT NOT NULL CHECK (state IN ('draft', 'submitted', 'returned', 'approved', 'published')),
    meeting_title    TEXT,
    meeting_number   TEXT,
    meeting_held_on  DATE,
    return_comment   TEXT,
    approval_comment TEXT,
    submitted_at     TIMESTAMPTZ,
    submitted_by     UUID,
    decided_at       TIMESTAMPTZ,
    decided_by       UUID,
    published_at     TIMESTAMPTZ,
    version          BIGINT NOT NULL DEFAULT 1,
    created_by       UUID NOT NULL,
    created_at       TIMESTAMPTZ NOT NULL,
    updated_at       TIMESTAMPTZ NOT NULL,
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
    tenant_id TEXT COLLATE "C" NOT NULL,
    plan_id   UUID NOT NULL,
    position  INTEGER NOT NULL,
    name      TEXT COLLATE "C" NOT NULL,
    starts_on DATE NOT NULL,
    ends_on   DATE NOT NULL,
    PRIMARY KEY (tenant_id, plan_id, position),
    FOREIGN KEY (tenant_id, plan_id) REFERENCES plans (tenant_id, id)
);

-- Whoever created, edited or submitted: none of them may approve.
CREATE TABLE plan_authors (
    tenant_id TEXT COLLATE "C" NOT NULL,
    plan_id   UUID NOT NULL,
    user_id   UUID NOT NULL,
    PRIMARY KEY (tenant_id, plan_id, user_id),
    FOREIGN KEY (tenant_id, plan_id) REFERENCES plans (tenant_id, id),
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id)
);

CREATE TABLE tasks (
    tenant_id        TEXT COLLATE "C" NOT NULL,
    id               UUID NOT NULL,
    plan_id          UUID NOT NULL,
    unit_path        TEXT COLLATE "C" NOT NULL,
    position         INTEGER NOT NULL,
    category         TEXT NOT NULL,
    title            TEXT COLLATE "C" NOT NULL,
    content          TEXT NOT NULL,
    lead_leader      TEXT,
    due_on           DATE NOT NULL,
    frequency        TEXT NOT NULL CHECK (frequency IN ('once', 'daily', 'weekly', 'half_monthly', 'monthly', 'quarterly')),
    daily_entries    BOOLEAN NOT NULL,
    target_name      TEXT,
    target_direction TEXT CHECK (target_direction IN ('at_least', 'at_most')),
    target_value     TEXT,
    target_unit      TEXT,
    parent_task_id   UUID,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, plan_id) REFERENCES plans (tenant_id, id),
    FOREIGN KEY (tenant_id, parent_task_id) REFERENCES tasks (tenant_id, id)
);
CREATE UNIQUE INDEX tasks_plan ON tasks (tenant_id, plan_id, position);
CREATE INDEX tasks_due ON tasks (tenant_id, due_on, id);
CREATE INDEX tasks_parent ON tasks (tenant_id, parent_task_id);

-- Who answers for a task: a unit itself, or the units of one kind (or all) below it.
CREATE TABLE task_responsibles (
    tenant_id TEXT COLLATE "C" NOT NULL,
    task_id   UUID NOT NULL,
    position  INTEGER NOT NULL,
    unit_id   UUID NOT NULL,
    extent    TEXT NOT NULL CHECK (extent IN ('self', 'subtree')),
    kind      TEXT CHECK (kind IN ('province', 'city', 'county', 'station', 'department', 'service_window', 'detention_house')),
    PRIMARY KEY (tenant_id, task_id, position),
    FOREIGN KEY (tenant_id, task_id) REFERENCES tasks (tenant_id, id),
    FOREIGN KEY (tenant_id, unit_id) REFERENCES units (tenant_id, id)
);

-- Forced, so that the owner is bound by it too: no tenant set, no row seen.
ALTER TABLE campaigns ENABLE ROW LEVEL SECURITY;
ALTER TABLE campaigns FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON campaigns
    USING (tenant_id = nullif(current_setting('app.tenant', true), ''))
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant', true), ''));
ALTER TABLE campaign_phases ENABLE ROW LEVEL SECURITY;
ALTER TABLE campaign_phases FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON campaign_phases
    USING (tenant_id = nullif(current_setting('app.tenant', true), ''))
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant', true), ''));
ALTER TABLE campaign_scope_units ENABLE ROW LEVEL SECURITY;
ALTER TABLE campaign_scope_units FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON campaign_scope_units
    USING (tenant_id = nullif(current_setting('app.tenant', true), ''))
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant', true), ''));
ALTER TABLE leading_groups ENABLE ROW LEVEL SECURITY;
ALTER TABLE leading_groups FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON leading_groups
    USING (tenant_id = nullif(current_setting('app.tenant', true), ''))
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant', true), ''));
ALTER TABLE leading_group_members ENABLE ROW LEVEL SECURITY;
ALTER TABLE leading_group_members FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON leading_group_members
    USING (tenant_id = nullif(current_setting('app.tenant', true), ''))
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant', true), ''));
ALTER TABLE plans ENABLE ROW LEVEL SECURITY;
ALTER TABLE plans FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON plans
    USING (tenant_id = nullif(current_setting('app.tenant', true), ''))
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant', true), ''));
ALTER TABLE plan_phases ENABLE ROW LEVEL SECURITY;
ALTER TABLE plan_phases FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON plan_phases
    USING (tenant_id = nullif(current_setting('app.tenant', true), ''))
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant', true), ''));
ALTER TABLE plan_authors ENABLE ROW LEVEL SECURITY;
ALTER TABLE plan_authors FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON plan_authors
    USING (tenant_id = nullif(current_setting('app.tenant', true), ''))
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant', true), ''));
ALTER TABLE tasks ENABLE ROW LEVEL SECURITY;
ALTER TABLE tasks FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON tasks
    USING (tenant_id = nullif(current_setting('app.tenant', true), ''))
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant', true), ''));
ALTER TABLE task_responsibles ENABLE ROW LEVEL SECURITY;
ALTER TABLE task_responsibles FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON task_responsibles
    USING (tenant_id = nullif(current_setting('app.tenant', true), ''))
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant', true), ''));
