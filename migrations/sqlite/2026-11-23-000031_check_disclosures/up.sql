-- Covert checks that were not released in time, or were voided: from then on the log tells of them, and office and discipline above the
-- inspected unit know of them (src/inspections/checks/embargo.rs). Which are to be follows from when we heard of them: nothing is scheduled.
CREATE TABLE check_disclosures (
    tenant_id    TEXT NOT NULL,
    check_id     BLOB NOT NULL,
    disclosed_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, check_id),
    FOREIGN KEY (tenant_id, check_id) REFERENCES unannounced_checks (tenant_id, id)
);
CREATE INDEX unannounced_checks_unreleased ON unannounced_checks (tenant_id, received_at, id) WHERE released_at IS NULL;

-- Who commanded under an authorisation until another took over, and from which version of it on that one does: a check that was begun
-- before and arrives after is judged by whoever commanded when it was begun (src/inspections/authorisations/command.rs).
CREATE TABLE authorisation_commanders (
    tenant_id        TEXT NOT NULL,
    authorisation_id BLOB NOT NULL,
    version          BIGINT NOT NULL,
    user_id          BLOB NOT NULL,
    until_at         BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, authorisation_id, version),
    FOREIGN KEY (tenant_id, authorisation_id) REFERENCES authorisations (tenant_id, id),
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id)
);
