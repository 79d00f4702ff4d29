-- Whoever ends, moves or hands over a unit or an officer asks by these columns; without them each question walks the tenant.
CREATE INDEX entry_duties_task ON entry_duties (tenant_id, task_id, officer_id, until_on);
CREATE INDEX owed_entries_task ON owed_entries (tenant_id, task_id);
CREATE INDEX plans_unit ON plans (tenant_id, unit_id);
CREATE INDEX task_responsibles_unit ON task_responsibles (tenant_id, unit_id);
