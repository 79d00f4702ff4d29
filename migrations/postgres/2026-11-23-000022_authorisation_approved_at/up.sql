-- When an authorisation came into force, which its revocation does not change: a check begun before that was allowed.
ALTER TABLE authorisations ADD COLUMN approved_at TIMESTAMPTZ;

-- The owner sees every tenant's rows while this is filled in.
ALTER TABLE authorisations NO FORCE ROW LEVEL SECURITY;
UPDATE authorisations SET approved_at = decided_at WHERE state = 'approved';
ALTER TABLE authorisations FORCE ROW LEVEL SECURITY;
