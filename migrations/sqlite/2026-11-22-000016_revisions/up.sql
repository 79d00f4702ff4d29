-- How often what an answer is made of was changed: an answer that was remembered holds while the number stays.
-- Counted by triggers, so that no statement can forget it. The subject is a campaign; nil for the whole tenant.
CREATE TABLE revisions (
    tenant_id  TEXT NOT NULL REFERENCES provinces (tenant_id),
    source     TEXT NOT NULL,
    subject_id BLOB NOT NULL,
    part       BIGINT NOT NULL,
    changes    BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, source, subject_id, part)
);

CREATE TRIGGER units_counted_on_insert AFTER INSERT ON units
BEGIN
    INSERT INTO revisions VALUES (NEW.tenant_id, 'units', zeroblob(16), 0, 1)
    ON CONFLICT DO UPDATE SET changes = changes + 1;
END;
CREATE TRIGGER units_counted_on_update AFTER UPDATE ON units
BEGIN
    INSERT INTO revisions VALUES (NEW.tenant_id, 'units', zeroblob(16), 0, 1)
    ON CONFLICT DO UPDATE SET changes = changes + 1;
END;
CREATE TRIGGER units_counted_on_delete AFTER DELETE ON units
BEGIN
    INSERT INTO revisions VALUES (OLD.tenant_id, 'units', zeroblob(16), 0, 1)
    ON CONFLICT DO UPDATE SET changes = changes + 1;
END;
CREATE TRIGGER plans_counted_on_insert AFTER INSERT ON plans
BEGIN
    INSERT INTO revisions VALUES (NEW.tenant_id, 'plans', NEW.campaign_id, 0, 1)
    ON CONFLICT DO UPDATE SET changes = changes + 1;
END;
CREATE TRIGGER plans_counted_on_update AFTER UPDATE ON plans
BEGIN
    INSERT INTO revisions VALUES (NEW.tenant_id, 'plans', NEW.campaign_id, 0, 1)
    ON CONFLICT DO UPDATE SET changes = changes + 1;
END;
CREATE TRIGGER plans_counted_on_delete AFTER DELETE ON plans
BEGIN
    INSERT INTO revisions VALUES (OLD.tenant_id, 'plans', OLD.campaign_id, 0, 1)
    ON CONFLICT DO UPDATE SET changes = changes + 1;
END;
CREATE TRIGGER progress_counters_counted_on_insert AFTER INSERT ON progress_counters
BEGIN
    INSERT INTO revisions VALUES (NEW.tenant_id, 'progress_counters', NEW.campaign_id, 0, 1)
    ON CONFLICT DO UPDATE SET changes = changes + 1;
END;
CREATE TRIGGER progress_counters_counted_on_update AFTER UPDATE ON progress_counters
BEGIN
    INSERT INTO revisions VALUES (NEW.tenant_id, 'progress_counters', NEW.campaign_id, 0, 1)
    ON CONFLICT DO UPDATE SET changes = changes + 1;
END;
CREATE TRIGGER progress_counters_counted_on_delete AFTER DELETE ON progress_counters
BEGIN
    INSERT INTO revisions VALUES (OLD.tenant_id, 'progress_counters', OLD.campaign_id, 0, 1)
    ON CONFLICT DO UPDATE SET changes = changes + 1;
END;
