-- Officers: police and auxiliary. What is personal of them (name, identity card, telephone) lies beside in
-- officer_persons, which erasing empties; everything else refers to the officer and stays.
CREATE TABLE officers (
    tenant_id  TEXT NOT NULL REFERENCES provinces (tenant_id),
    id         BLOB NOT NULL,
    number     TEXT NOT NULL,
    kind       TEXT NOT NULL CHECK (kind IN ('police', 'auxiliary')),
    rank       TEXT CHECK (rank IN ('commissioner_general', 'deputy_commissioner_general', 'commissioner_1', 'commissioner_2', 'commissioner_3', 'supervisor_1', 'supervisor_2', 'supervisor_3', 'superintendent_1', 'superintendent_2', 'superintendent_3', 'constable_1', 'constable_2')),
    unit_id    BLOB NOT NULL,
    unit_path  TEXT NOT NULL,
    status     TEXT NOT NULL CHECK (status IN ('serving', 'left')),
    left_on    DATE,
    version    BIGINT NOT NULL DEFAULT 1,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, unit_id) REFERENCES units (tenant_id, id)
);
CREATE UNIQUE INDEX officers_number ON officers (tenant_id, number);
CREATE INDEX officers_path ON officers (tenant_id, unit_path, number);
CREATE INDEX officers_unit ON officers (tenant_id, unit_id);

-- salt: 128 random bits in hexadecimal; the audit log keeps digests over salt and value only.
CREATE TABLE officer_persons (
    tenant_id   TEXT NOT NULL,
    officer_id  BLOB NOT NULL,
    name        TEXT,
    search_text TEXT NOT NULL,
    id_card     TEXT,
    phone       TEXT,
    salt        TEXT NOT NULL,
    erased_at   BIGINT,
    PRIMARY KEY (tenant_id, officer_id),
    FOREIGN KEY (tenant_id, officer_id) REFERENCES officers (tenant_id, id)
);
CREATE UNIQUE INDEX officer_persons_id_card ON officer_persons (tenant_id, id_card);

-- Posts with the days they are valid (both inside) and the time that was known: a correction adds a revision and says
-- since when the one before is no longer believed.
CREATE TABLE posts (
    tenant_id      TEXT NOT NULL,
    id             BLOB NOT NULL,
    revision       BIGINT NOT NULL,
    officer_id     BLOB NOT NULL,
    unit_id        BLOB NOT NULL,
    kind           TEXT NOT NULL CHECK (kind IN ('head', 'deputy_head', 'division_head', 'community_police', 'case_officer', 'window_staff', 'duty_officer', 'support', 'other')),
    title          TEXT NOT NULL,
    valid_from_on  DATE NOT NULL,
    valid_until_on DATE,
    voided         BOOLEAN NOT NULL,
    reason         TEXT,
    recorded_at    BIGINT NOT NULL,
    recorded_by    BLOB,
    superseded_at  BIGINT,
    PRIMARY KEY (tenant_id, id, revision),
    FOREIGN KEY (tenant_id, officer_id) REFERENCES officers (tenant_id, id),
    FOREIGN KEY (tenant_id, unit_id) REFERENCES units (tenant_id, id)
);
CREATE INDEX posts_officer ON posts (tenant_id, officer_id, valid_from_on);
CREATE INDEX posts_unit ON posts (tenant_id, unit_id, kind, valid_from_on);

-- Whose account it is; special supervisors, raters and administrators need be no officers.
CREATE TABLE user_officers (
    tenant_id  TEXT NOT NULL,
    user_id    BLOB NOT NULL,
    officer_id BLOB NOT NULL,
    PRIMARY KEY (tenant_id, user_id),
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id),
    FOREIGN KEY (tenant_id, officer_id) REFERENCES officers (tenant_id, id)
);
CREATE UNIQUE INDEX user_officers_officer ON user_officers (tenant_id, officer_id);

-- Who stands in for the head of a unit for a period (both days inside); first responsibility stays with the head.
CREATE TABLE stand_ins (
    tenant_id      TEXT NOT NULL,
    id             BLOB NOT NULL,
    unit_id        BLOB NOT NULL,
    officer_id     BLOB NOT NULL,
    valid_from_on  DATE NOT NULL,
    valid_until_on DATE NOT NULL,
    reason         TEXT NOT NULL,
    named_by       BLOB NOT NULL,
    created_at     BIGINT NOT NULL,
    ended_at       BIGINT,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, unit_id) REFERENCES units (tenant_id, id),
    FOREIGN KEY (tenant_id, officer_id) REFERENCES officers (tenant_id, id),
    FOREIGN KEY (tenant_id, named_by) REFERENCES users (tenant_id, id)
);
CREATE INDEX stand_ins_unit ON stand_ins (tenant_id, unit_id, valid_from_on);

-- In which quality somebody submitted: for the office, as the head, or in the head's stead.
ALTER TABLE plans ADD COLUMN submitted_as TEXT CHECK (submitted_as IN ('office', 'head', 'stand_in'));
