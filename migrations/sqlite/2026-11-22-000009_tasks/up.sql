-- Who has what to do: a task in force, expanded to single units. `carried`: assignments of a child plan's task that
-- answers this one stand for it, and count in its stead. Evidence stays when a completion is taken back.
CREATE TABLE task_assignments (
    tenant_id      TEXT NOT NULL,
    id             BLOB NOT NULL,
    task_id        BLOB NOT NULL,
    parent_task_id BLOB,
    campaign_id    BLOB NOT NULL,
    unit_id        BLOB NOT NULL,
    unit_path      TEXT NOT NULL,
    due_on         DATE NOT NULL,
    state          TEXT NOT NULL CHECK (state IN ('open', 'done', 'retired')),
    carried        BOOLEAN NOT NULL,
    evidence       TEXT,
    completed_at   BIGINT,
    completed_by   BLOB,
    reopen_reason  TEXT,
    version        BIGINT NOT NULL DEFAULT 1,
    created_at     BIGINT NOT NULL,
    updated_at     BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, task_id) REFERENCES tasks (tenant_id, id),
    FOREIGN KEY (tenant_id, campaign_id) REFERENCES campaigns (tenant_id, id),
    FOREIGN KEY (tenant_id, unit_id) REFERENCES units (tenant_id, id),
    FOREIGN KEY (tenant_id, completed_by) REFERENCES users (tenant_id, id)
);
CREATE UNIQUE INDEX task_assignments_task_unit ON task_assignments (tenant_id, task_id, unit_id);
CREATE INDEX task_assignments_task ON task_assignments (tenant_id, task_id, unit_path, id);
CREATE INDEX task_assignments_parent ON task_assignments (tenant_id, parent_task_id, unit_path);
CREATE INDEX task_assignments_path ON task_assignments (tenant_id, unit_path);
CREATE INDEX task_assignments_unit ON task_assignments (tenant_id, unit_id);

-- The officers who carry an assignment.
CREATE TABLE assignment_persons (
    tenant_id     TEXT NOT NULL,
    assignment_id BLOB NOT NULL,
    officer_id    BLOB NOT NULL,
    task_id       BLOB NOT NULL,
    named_on      DATE NOT NULL,
    PRIMARY KEY (tenant_id, assignment_id, officer_id),
    FOREIGN KEY (tenant_id, assignment_id) REFERENCES task_assignments (tenant_id, id),
    FOREIGN KEY (tenant_id, task_id) REFERENCES tasks (tenant_id, id),
    FOREIGN KEY (tenant_id, officer_id) REFERENCES officers (tenant_id, id)
);
CREATE INDEX assignment_persons_task ON assignment_persons (tenant_id, task_id, officer_id);

-- How many assignments that count lie at a unit and below it, by the day they are due; kept as they change.
CREATE TABLE progress_counters (
    tenant_id   TEXT NOT NULL,
    campaign_id BLOB NOT NULL,
    unit_path   TEXT NOT NULL,
    due_on      DATE NOT NULL,
    total       BIGINT NOT NULL,
    done        BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, campaign_id, unit_path, due_on),
    FOREIGN KEY (tenant_id, campaign_id) REFERENCES campaigns (tenant_id, id)
);
CREATE INDEX progress_counters_path ON progress_counters (tenant_id, unit_path);

-- From which day until which (both inside) an officer owes an entry a working day for a task. A duty that ends is
-- shortened, a new one is a new row: what was owed on a day gone by can be told for ever.
CREATE TABLE entry_duties (
    tenant_id     TEXT NOT NULL,
    id            BLOB NOT NULL,
    assignment_id BLOB NOT NULL,
    task_id       BLOB NOT NULL,
    officer_id    BLOB NOT NULL,
    unit_id       BLOB NOT NULL,
    unit_path     TEXT NOT NULL,
    from_on       DATE NOT NULL,
    until_on      DATE NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, assignment_id) REFERENCES task_assignments (tenant_id, id),
    FOREIGN KEY (tenant_id, task_id) REFERENCES tasks (tenant_id, id),
    FOREIGN KEY (tenant_id, officer_id) REFERENCES officers (tenant_id, id),
    FOREIGN KEY (tenant_id, unit_id) REFERENCES units (tenant_id, id)
);
CREATE INDEX entry_duties_assignment ON entry_duties (tenant_id, assignment_id, until_on);
CREATE INDEX entry_duties_path ON entry_duties (tenant_id, unit_path, until_on);
CREATE INDEX entry_duties_until ON entry_duties (tenant_id, until_on, from_on);
CREATE INDEX entry_duties_unit ON entry_duties (tenant_id, unit_id);

-- What somebody did for a task on a day. `late` is for ever.
CREATE TABLE day_entries (
    tenant_id  TEXT NOT NULL,
    id         BLOB NOT NULL,
    task_id    BLOB NOT NULL,
    officer_id BLOB NOT NULL,
    unit_id    BLOB NOT NULL,
    unit_path  TEXT NOT NULL,
    day        DATE NOT NULL,
    done       TEXT NOT NULL,
    amount     BIGINT,
    late       BOOLEAN NOT NULL,
    entered_by BLOB NOT NULL,
    for_other  BOOLEAN NOT NULL,
    version    BIGINT NOT NULL DEFAULT 1,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, task_id) REFERENCES tasks (tenant_id, id),
    FOREIGN KEY (tenant_id, officer_id) REFERENCES officers (tenant_id, id),
    FOREIGN KEY (tenant_id, unit_id) REFERENCES units (tenant_id, id),
    FOREIGN KEY (tenant_id, entered_by) REFERENCES users (tenant_id, id)
);
CREATE UNIQUE INDEX day_entries_once ON day_entries (tenant_id, task_id, officer_id, day);
CREATE INDEX day_entries_task ON day_entries (tenant_id, task_id, day, id);
CREATE INDEX day_entries_path ON day_entries (tenant_id, unit_path);

-- The days that are over and frozen, once each.
CREATE TABLE cleared_days (
    tenant_id TEXT NOT NULL REFERENCES provinces (tenant_id),
    day       DATE NOT NULL,
    working   BOOLEAN NOT NULL,
    owed      BIGINT NOT NULL,
    swept_at  BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, day)
);

-- What was owed on a frozen day.
CREATE TABLE owed_entries (
    tenant_id  TEXT NOT NULL,
    day        DATE NOT NULL,
    task_id    BLOB NOT NULL,
    officer_id BLOB NOT NULL,
    unit_id    BLOB NOT NULL,
    unit_path  TEXT NOT NULL,
    PRIMARY KEY (tenant_id, day, task_id, officer_id),
    FOREIGN KEY (tenant_id, day) REFERENCES cleared_days (tenant_id, day),
    FOREIGN KEY (tenant_id, task_id) REFERENCES tasks (tenant_id, id),
    FOREIGN KEY (tenant_id, officer_id) REFERENCES officers (tenant_id, id),
    FOREIGN KEY (tenant_id, unit_id) REFERENCES units (tenant_id, id)
);
CREATE INDEX owed_entries_path ON owed_entries (tenant_id, day, unit_path, officer_id, task_id);
CREATE INDEX owed_entries_unit ON owed_entries (tenant_id, unit_path);
