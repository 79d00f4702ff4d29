-- Covert checks that were not released in time, or were voided: from then on the log tells of them, and office and discipline above the
-- inspected unit know of them (src/inspections/checks/embargo.rs). Which are to be follows from when we heard of them: nothing is scheduled.
CREATE TABLE check_disclosures (
    tenant_id    TEXT COLLATE "C" NOT NULL,
    check_id     UUID NOT NULL,
    disclosed_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (tenant_id, check_id),
    FOREIGN KEY (tenant_id, check_id) REFERENCES unannounced_checks (tenant_id, id)
);
CREATE INDEX unannounced_checks_unreleased ON unannounced_checks (tenant_id, received_at, id) WHERE released_at IS NULL;

ALTER TABLE check_disclosures ENABLE ROW LEVEL SECURITY;
ALTER TABLE check_disclosures FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON check_disclosures
    USING (tenant_id = nullif(current_setting('app.tenant', true), ''))
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant', true), ''));

-- Who commanded under an authorisation until another took over, and from which version of it on that one does: a check that was begun
-- before and arrives after is judged by whoever commanded when it was begun (src/inspections/authorisations/command.rs).
CREATE TABLE authorisation_commanders (
    tenant_id        TEXT COLLATE "C" NOT NULL,
    authorisation_id UUID NOT NULL,
    version          BIGINT NOT NULL,
    user_id          UUID NOT NULL,
    until_at         TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (tenant_id, authorisation_id, version),
    FOREIGN KEY (tenant_id, authorisation_id) REFERENCES authorisations (tenant_id, id),
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id)
);

ALTER TABLE authorisation_commanders ENABLE ROW LEVEL SECURITY;
ALTER TABLE authorisation_commanders FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON authorisation_commanders
    USING (tenant_id = nullif(current_setting('app.tenant', true), ''))
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant', true), ''));
