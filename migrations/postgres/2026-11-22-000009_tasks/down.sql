DROP TABLE owed_entries;
DROP TABLE cleared_days;
DROP TABLE day_entries;
DROP TABLE entry_duties;
DROP TABLE progress_counters;
DROP TABLE assignment_persons;
DROP TABLE task_assignments;
