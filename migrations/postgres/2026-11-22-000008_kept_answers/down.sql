ALTER TABLE idempotency_keys ALTER COLUMN body TYPE TEXT COLLATE "default";
