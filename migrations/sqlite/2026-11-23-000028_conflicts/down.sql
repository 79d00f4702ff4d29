ALTER TABLE unit_periods DROP COLUMN placed_at;
DROP TABLE conflicts;
