DROP TABLE plan_comments;
DROP TABLE plan_votes;
DROP TABLE plan_versions;
-- Who wrote any version has written the plan. The owner sees every tenant's rows while that is said.
ALTER TABLE plan_authors NO FORCE ROW LEVEL SECURITY;
DELETE FROM plan_authors a USING plan_authors b
    WHERE a.tenant_id = b.tenant_id AND a.plan_id = b.plan_id AND a.user_id = b.user_id AND a.number > b.number;
ALTER TABLE plan_authors FORCE ROW LEVEL SECURITY;
ALTER TABLE plan_authors DROP CONSTRAINT plan_authors_pkey;
ALTER TABLE plan_authors DROP COLUMN number;
ALTER TABLE plan_authors ADD PRIMARY KEY (tenant_id, plan_id, user_id);
ALTER TABLE leading_groups DROP COLUMN votes_on_plans;
ALTER TABLE tasks DROP COLUMN retired_in;
DROP INDEX plans_amendment;
ALTER TABLE plans DROP COLUMN amendment_number;
ALTER TABLE plans DROP COLUMN amendment;
ALTER TABLE plans DROP COLUMN parent_amended;
ALTER TABLE plans DROP COLUMN number;
