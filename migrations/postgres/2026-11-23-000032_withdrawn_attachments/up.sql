-- What whoever uploaded it has taken back before anything was bound to it, under the name under which its rows of the log are held
-- back: that somebody has taken a photo may tell that a covert check goes on, so they are told when it no longer can.
CREATE TABLE withdrawn_attachments (
    tenant_id    TEXT COLLATE "C" NOT NULL REFERENCES provinces (tenant_id),
    kept_as      UUID NOT NULL,
    withdrawn_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (tenant_id, kept_as)
);
CREATE INDEX withdrawn_attachments_withdrawn_at ON withdrawn_attachments (tenant_id, withdrawn_at);

ALTER TABLE withdrawn_attachments ENABLE ROW LEVEL SECURITY;
ALTER TABLE withdrawn_attachments FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON withdrawn_attachments
    USING (tenant_id = nullif(current_setting('app.tenant', true), ''))
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant', true), ''));
