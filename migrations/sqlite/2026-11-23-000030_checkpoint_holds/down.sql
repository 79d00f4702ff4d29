DROP TABLE checkpoint_holds;
DROP TABLE audit_held;
ALTER TABLE audit_heads DROP COLUMN held_roots;
ALTER TABLE audit_heads DROP COLUMN held;
DROP INDEX audit_unsealed_uncommitted;
ALTER TABLE audit_unsealed DROP COLUMN uncommitted;
