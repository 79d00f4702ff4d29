DROP TABLE plan_comments;
DROP TABLE plan_votes;
DROP TABLE plan_versions;
-- Who wrote any version has written the plan.
CREATE TABLE plan_first_authors (
    tenant_id TEXT NOT NULL,
    plan_id   BLOB NOT NULL,
    user_id   BLOB NOT NULL,
    PRIMARY KEY (tenant_id, plan_id, user_id),
    FOREIGN KEY (tenant_id, plan_id) REFERENCES plans (tenant_id, id),
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id)
);
INSERT INTO plan_first_authors (tenant_id, plan_id, user_id)
    SELECT DISTINCT tenant_id, plan_id, user_id FROM plan_authors;
DROP TABLE plan_authors;
ALTER TABLE plan_first_authors RENAME TO plan_authors;
ALTER TABLE leading_groups DROP COLUMN votes_on_plans;
ALTER TABLE tasks DROP COLUMN retired_in;
DROP INDEX plans_amendment;
ALTER TABLE plans DROP COLUMN amendment_number;
ALTER TABLE plans DROP COLUMN amendment;
ALTER TABLE plans DROP COLUMN parent_amended;
ALTER TABLE plans DROP COLUMN number;
