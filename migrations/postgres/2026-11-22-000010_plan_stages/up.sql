-- What becomes of a plan beside its approval; `running` is no stage: it comes with the first day.
ALTER TABLE plans ADD COLUMN stage TEXT CHECK (stage IN ('concluding', 'closed', 'withdrawn'));
ALTER TABLE plans ADD COLUMN stage_at TIMESTAMPTZ;
ALTER TABLE plans ADD COLUMN starts_on DATE;
-- The owner sees every tenant's rows while this is filled in.
ALTER TABLE plans NO FORCE ROW LEVEL SECURITY;
ALTER TABLE plan_phases NO FORCE ROW LEVEL SECURITY;
UPDATE plans SET starts_on = (
    SELECT min(p.starts_on) FROM plan_phases p WHERE p.tenant_id = plans.tenant_id AND p.plan_id = plans.id
);
ALTER TABLE plans FORCE ROW LEVEL SECURITY;
ALTER TABLE plan_phases FORCE ROW LEVEL SECURITY;
-- A unit has one plan a campaign; one that was withdrawn makes room.
DROP INDEX plans_campaign_unit;
CREATE UNIQUE INDEX plans_campaign_unit ON plans (tenant_id, campaign_id, unit_id)
    WHERE stage IS NULL OR stage <> 'withdrawn';
