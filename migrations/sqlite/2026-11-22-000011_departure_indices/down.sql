DROP INDEX task_responsibles_unit;
DROP INDEX plans_unit;
DROP INDEX owed_entries_task;
DROP INDEX entry_duties_task;
