DROP TRIGGER open_batches_counted_on_delete ON open_batches;
DROP INDEX units_batch;
ALTER TABLE units DROP COLUMN batch_id;
