DROP INDEX plans_matrix;
ALTER TABLE plans ALTER COLUMN state TYPE TEXT COLLATE "default", ALTER COLUMN stage TYPE TEXT COLLATE "default";
DROP INDEX units_parent;
CREATE INDEX units_parent ON units (tenant_id, parent_id);
