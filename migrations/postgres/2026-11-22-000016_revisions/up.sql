-- How often what an answer is made of was changed: an answer that was remembered holds while the number stays.
-- Counted by triggers, so that no statement can forget it. The subject is a campaign; nil for the whole tenant.
-- A transaction counts in a part of its own, named by the transaction, and takes in the parts that nobody holds: nobody
-- waits for another, and what is committed adds up.
CREATE TABLE revisions (
    tenant_id  TEXT COLLATE "C" NOT NULL REFERENCES provinces (tenant_id),
    source     TEXT COLLATE "C" NOT NULL,
    subject_id UUID NOT NULL,
    part       BIGINT NOT NULL,
    changes    BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, source, subject_id, part)
);

ALTER TABLE revisions ENABLE ROW LEVEL SECURITY;
ALTER TABLE revisions FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON revisions
    USING (tenant_id = nullif(current_setting('app.tenant', true), ''))
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant', true), ''));

CREATE FUNCTION count_change(whose TEXT, what TEXT, which UUID) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    mine BIGINT := txid_current();
    before BIGINT;
BEGIN
    -- Once a transaction is enough: nothing of it is seen before all of it is. A part of this name that this
    -- transaction has not written is one of another cluster, put back from a copy.
    PERFORM 1 FROM revisions
    WHERE tenant_id = whose AND source = what AND subject_id = which AND part = mine
        AND xmin = pg_current_xact_id()::xid;
    IF FOUND THEN
        RETURN;
    END IF;
    WITH free AS (
        SELECT part FROM revisions
        WHERE tenant_id = whose AND source = what AND subject_id = which
        FOR UPDATE SKIP LOCKED
    ), taken AS (
        DELETE FROM revisions USING free
        WHERE tenant_id = whose AND source = what AND subject_id = which AND revisions.part = free.part
        RETURNING revisions.changes
    )
    SELECT coalesce(sum(changes), 0) INTO before FROM taken;
    INSERT INTO revisions VALUES (whose, what, which, mine, before + 1);
END
$$;

CREATE FUNCTION units_counted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM count_change(tenant_id, 'units', subject)
    FROM (SELECT DISTINCT tenant_id, '00000000-0000-0000-0000-000000000000'::UUID AS subject FROM changed ORDER BY 1, 2) AS subjects;
    RETURN NULL;
END
$$;
CREATE TRIGGER units_counted_on_insert AFTER INSERT ON units
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION units_counted();
CREATE TRIGGER units_counted_on_update AFTER UPDATE ON units
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION units_counted();
CREATE TRIGGER units_counted_on_delete AFTER DELETE ON units
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION units_counted();

CREATE FUNCTION plans_counted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM count_change(tenant_id, 'plans', subject)
    FROM (SELECT DISTINCT tenant_id, campaign_id AS subject FROM changed ORDER BY 1, 2) AS subjects;
    RETURN NULL;
END
$$;
CREATE TRIGGER plans_counted_on_insert AFTER INSERT ON plans
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION plans_counted();
CREATE TRIGGER plans_counted_on_update AFTER UPDATE ON plans
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION plans_counted();
CREATE TRIGGER plans_counted_on_delete AFTER DELETE ON plans
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION plans_counted();

CREATE FUNCTION progress_counters_counted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM count_change(tenant_id, 'progress_counters', subject)
    FROM (SELECT DISTINCT tenant_id, campaign_id AS subject FROM changed ORDER BY 1, 2) AS subjects;
    RETURN NULL;
END
$$;
CREATE TRIGGER progress_counters_counted_on_insert AFTER INSERT ON progress_counters
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION progress_counters_counted();
CREATE TRIGGER progress_counters_counted_on_update AFTER UPDATE ON progress_counters
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION progress_counters_counted();
CREATE TRIGGER progress_counters_counted_on_delete AFTER DELETE ON progress_counters
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION progress_counters_counted();
