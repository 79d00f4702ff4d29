-- When an authorisation came into force, which its revocation does not change: a check begun before that was allowed.
ALTER TABLE authorisations ADD COLUMN approved_at BIGINT;
UPDATE authorisations SET approved_at = decided_at WHERE state = 'approved';
