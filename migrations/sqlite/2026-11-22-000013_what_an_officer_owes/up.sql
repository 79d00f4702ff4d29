-- What an officer still owes is asked by the officer; so is what somebody carries who leaves or is transferred.
CREATE INDEX entry_duties_officer ON entry_duties (tenant_id, officer_id, until_on);
CREATE INDEX owed_entries_officer ON owed_entries (tenant_id, officer_id, day);
CREATE INDEX assignment_persons_officer ON assignment_persons (tenant_id, officer_id);
