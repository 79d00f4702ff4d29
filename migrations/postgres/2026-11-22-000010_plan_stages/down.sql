DROP INDEX plans_campaign_unit;
ALTER TABLE plans DROP COLUMN starts_on;
ALTER TABLE plans DROP COLUMN stage_at;
ALTER TABLE plans DROP COLUMN stage;
CREATE UNIQUE INDEX plans_campaign_unit ON plans (tenant_id, campaign_id, unit_id);
