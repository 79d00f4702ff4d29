ALTER TABLE authorisations DROP COLUMN approved_at;
