-- Finding candidates (问题线索): what a released check has found, an item that deducts points each. There is none before its check is
-- released. Points are hundredths: recorded, as the answers were recorded; amended, as the decision on an objection has amended
-- them, NULL where it has not. Whether a candidate counts follows from its check (src/inspections/candidates/rules.rs), as does
-- where it stands: none of that is kept twice. category, question, standard: as the version of the checklist has them.
CREATE TABLE finding_candidates (
    tenant_id  TEXT NOT NULL,
    id         BLOB NOT NULL,
    check_id   BLOB NOT NULL,
    item       TEXT NOT NULL,
    category   TEXT NOT NULL,
    question   TEXT NOT NULL,
    standard   TEXT NOT NULL,
    recorded   BIGINT NOT NULL,
    amended    BIGINT,
    version    BIGINT NOT NULL DEFAULT 1,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, check_id) REFERENCES unannounced_checks (tenant_id, id)
);
CREATE UNIQUE INDEX finding_candidates_check ON finding_candidates (tenant_id, check_id, item);
CREATE INDEX finding_candidates_created_at ON finding_candidates (tenant_id, created_at, id);
