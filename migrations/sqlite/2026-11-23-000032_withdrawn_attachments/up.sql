-- What whoever uploaded it has taken back before anything was bound to it, under the name under which its rows of the log are held
-- back: that somebody has taken a photo may tell that a covert check goes on, so they are told when it no longer can.
CREATE TABLE withdrawn_attachments (
    tenant_id    TEXT NOT NULL REFERENCES provinces (tenant_id),
    kept_as      BLOB NOT NULL,
    withdrawn_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, kept_as)
);
CREATE INDEX withdrawn_attachments_withdrawn_at ON withdrawn_attachments (tenant_id, withdrawn_at);
