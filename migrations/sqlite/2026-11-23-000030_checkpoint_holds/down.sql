-- The list goes, and what it had of rows that were told meanwhile: up again enters those that still wait, by their identifiers, and no
-- others. Checkpoints that commit to more, or to rows that were entered in another order (one with an earlier identifier that was
-- committed later), fit no list any more, which `audit verify` tells of once (holds_rewritten).
DROP TABLE audit_held;
ALTER TABLE audit_heads DROP COLUMN held_roots;
ALTER TABLE audit_heads DROP COLUMN held;
DROP INDEX audit_unsealed_uncommitted;
ALTER TABLE audit_unsealed DROP COLUMN uncommitted;
