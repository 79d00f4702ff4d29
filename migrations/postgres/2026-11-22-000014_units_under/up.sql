-- The units directly under one come in the order of their paths: without the path here SQLite reads all of the tenant's
-- in that order. The matrix of a campaign reads of its plans what stands in this index, and of no plan the text.
DROP INDEX units_parent;
CREATE INDEX units_parent ON units (tenant_id, parent_id, path);
-- What stands in an index is compared bytewise.
ALTER TABLE plans ALTER COLUMN state TYPE TEXT COLLATE "C", ALTER COLUMN stage TYPE TEXT COLLATE "C";
CREATE INDEX plans_matrix ON plans (tenant_id, campaign_id, unit_id, stage, state, starts_on, version, id);
