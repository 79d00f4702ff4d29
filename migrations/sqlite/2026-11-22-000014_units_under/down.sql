DROP INDEX plans_matrix;
DROP INDEX units_parent;
CREATE INDEX units_parent ON units (tenant_id, parent_id);
