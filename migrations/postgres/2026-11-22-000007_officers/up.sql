-- Officers: police and auxiliary. What is personal of them (name, identity card, telephone) lies beside in
-- officer_persons, which erasing empties; everything else refers to the officer and stays.
CREATE TABLE officers (
    tenant_id  TEXT COLLATE "C" NOT NULL REFERENCES provinces (tenant_id),
    id         UUID NOT NULL,
    number     TEXT COLLATE "C" NOT NULL,
    kind       TEXT COLLATE "C" NOT NULL CHECK (kind IN ('police', 'auxiliary')),
    rank       TEXT COLLATE "C" CHECK (rank IN ('commissioner_general', 'deputy_commissioner_general', 'commissioner_1', 'commissioner_2', 'commissioner_3', 'supervisor_1', 'supervisor_2', 'supervisor_3', 'superintendent_1', 'superintendent_2', 'superintendent_3', 'constable_1', 'constable_2')),
    unit_id    UUID NOT NULL,
    unit_path  TEXT COLLATE "C" NOT NULL,
    status     TEXT NOT NULL CHECK (status IN ('serving', 'left')),
    left_on    DATE,
    version    BIGINT NOT NULL DEFAULT 1,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, unit_id) REFERENCES units (tenant_id, id)
);
CREATE UNIQUE INDEX officers_number ON officers (tenant_id, number);
CREATE INDEX officers_path ON officers (tenant_id, unit_path, number);
CREATE INDEX officers_unit ON officers (tenant_id, unit_id);

-- salt: 128 random bits in hexadecimal; the audit log keeps digests over salt and value only.
CREATE TABLE officer_persons (
    tenant_id   TEXT COLLATE "C" NOT NULL,
    officer_id  UUID NOT NULL,
    name        TEXT COLLATE "C",
    search_text TEXT COLLATE "C" NOT NULL,
    id_card     TEXT COLLATE "C",
    phone       TEXT COLLATE "C",
    salt        TEXT COLLATE "C" NOT NULL,
    erased_at   TIMESTAMPTZ,
    PRIMARY KEY (tenant_id, officer_id),
    FOREIGN KEY (tenant_id, officer_id) REFERENCES officers (tenant_id, id)
);
CREATE UNIQUE INDEX officer_persons_id_card ON officer_persons (tenant_id, id_card);

-- Posts with the days they are valid (both inside) and the time that was known: a correction adds a revision and says
-- since when the one before is no longer believed.
CREATE TABLE posts (
    tenant_id      TEXT COLLATE "C" NOT NULL,
    id             UUID NOT NULL,
    revision       BIGINT NOT NULL,
    officer_id     UUID NOT NULL,
    unit_id        UUID NOT NULL,
    kind           TEXT COLLATE "C" NOT NULL CHECK (kind IN ('head', 'deputy_head', 'division_head', 'community_police', 'case_officer', 'window_staff', 'duty_officer', 'support', 'other')),
    title          TEXT COLLATE "C" NOT NULL,
    valid_from_on  DATE NOT NULL,
    valid_until_on DATE,
    voided         BOOLEAN NOT NULL,
    reason         TEXT COLLATE "C",
    recorded_at    TIMESTAMPTZ NOT NULL,
    recorded_by    UUID,
    superseded_at  TIMESTAMPTZ,
    PRIMARY KEY (tenant_id, id, revision),
    FOREIGN KEY (tenant_id, officer_id) REFERENCES officers (tenant_id, id),
    FOREIGN KEY (tenant_id, unit_id) REFERENCES units (tenant_id, id)
);
CREATE INDEX posts_officer ON posts (tenant_id, officer_id, valid_from_on);
CREATE INDEX posts_unit ON posts (tenant_id, unit_id, kind, valid_from_on);

-- Whose account it is; special supervisors, raters and administrators need be no officers.
CREATE TABLE user_officers (
    tenant_id  TEXT COLLATE "C" NOT NULL,
    user_id    UUID NOT NULL,
    officer_id UUID NOT NULL,
    PRIMARY KEY (tenant_id, user_id),
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id),
    FOREIGN KEY (tenant_id, officer_id) REFERENCES officers (tenant_id, id)
);
CREATE UNIQUE INDEX user_officers_officer ON user_officers (tenant_id, officer_id);

-- Who stands in for the head of a unit for a period (both days inside); first responsibility stays with the head.
CREATE TABLE stand_ins (
    tenant_id      TEXT COLLATE "C" NOT NULL,
    id             UUID NOT NULL,
    unit_id        UUID NOT NULL,
    officer_id     UUID NOT NULL,
    valid_from_on  DATE NOT NULL,
    valid_until_on DATE NOT NULL,
    reason         TEXT COLLATE "C" NOT NULL,
    named_by       UUID NOT NULL,
    created_at     TIMESTAMPTZ NOT NULL,
    ended_at       TIMESTAMPTZ,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, unit_id) REFERENCES units (tenant_id, id),
    FOREIGN KEY (tenant_id, officer_id) REFERENCES officers (tenant_id, id),
    FOREIGN KEY (tenant_id, named_by) REFERENCES users (tenant_id, id)
);
CREATE INDEX stand_ins_unit ON stand_ins (tenant_id, unit_id, valid_from_on);

ALTER TABLE officers ENABLE ROW LEVEL SECURITY;
ALTER TABLE officers FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON officers
    USING (tenant_id = nullif(current_setting('app.tenant', true), ''))
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant', true), ''));
ALTER TABLE officer_persons ENABLE ROW LEVEL SECURITY;
ALTER TABLE officer_persons FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON officer_persons
    USING (tenant_id = nullif(current_setting('app.tenant', true), ''))
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant', true), ''));
ALTER TABLE posts ENABLE ROW LEVEL SECURITY;
ALTER TABLE posts FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON posts
    USING (tenant_id = nullif(current_setting('app.tenant', true), ''))
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant', true), ''));
ALTER TABLE user_officers ENABLE ROW LEVEL SECURITY;
ALTER TABLE user_officers FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON user_officers
    USING (tenant_id = nullif(current_setting('app.tenant', true), ''))
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant', true), ''));
ALTER TABLE stand_ins ENABLE ROW LEVEL SECURITY;
ALTER TABLE stand_ins FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON stand_ins
    USING (tenant_id = nullif(current_setting('app.tenant', true), ''))
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant', true), ''));

-- In which quality somebody submitted: for the office, as the head, or in the head's stead.
ALTER TABLE plans ADD COLUMN submitted_as TEXT CHECK (submitted_as IN ('office', 'head', 'stand_in'));
