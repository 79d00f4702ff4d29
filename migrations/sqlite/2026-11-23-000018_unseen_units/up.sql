-- By which job the unit came: nobody sees it while that is among the open batches.
ALTER TABLE units ADD COLUMN batch_id BLOB;
CREATE INDEX units_batch ON units (tenant_id, batch_id, path) WHERE batch_id IS NOT NULL;

-- What a job has entered comes in sight when its batch is closed: what was remembered of the units holds no more.
CREATE TRIGGER open_batches_counted_on_delete AFTER DELETE ON open_batches
BEGIN
    INSERT INTO revisions VALUES (OLD.tenant_id, 'units', zeroblob(16), 0, 1)
    ON CONFLICT DO UPDATE SET changes = changes + 1;
END;
