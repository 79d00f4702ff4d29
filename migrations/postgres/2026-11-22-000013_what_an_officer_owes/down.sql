DROP INDEX assignment_persons_officer;
DROP INDEX owed_entries_officer;
DROP INDEX entry_duties_officer;
