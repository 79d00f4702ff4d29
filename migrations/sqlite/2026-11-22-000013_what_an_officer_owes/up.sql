-- What an officer still owes is asked by the officer, as is what somebody carries who leaves or is transferred. With the
-- columns that are wanted, so that SQLite, which knows no figures of these tables, takes no other index for want of them.
CREATE INDEX entry_duties_officer ON entry_duties (tenant_id, officer_id, until_on);
CREATE INDEX owed_entries_officer ON owed_entries (tenant_id, officer_id, day, task_id, unit_id);
CREATE INDEX assignment_persons_officer ON assignment_persons (tenant_id, officer_id, assignment_id, task_id);
