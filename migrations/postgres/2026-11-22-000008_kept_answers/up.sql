-- Kept answers are searched for the identifiers of what they show: bytewise, as on SQLite.
ALTER TABLE idempotency_keys ALTER COLUMN body TYPE TEXT COLLATE "C";
