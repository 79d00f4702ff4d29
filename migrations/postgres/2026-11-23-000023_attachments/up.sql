-- What has been begun to be kept in the store of files (src/files/) under this id: what no attachment bears in the end was never
-- finished, and is taken away with this row.
CREATE TABLE uploads (
    tenant_id  TEXT COLLATE "C" NOT NULL REFERENCES provinces (tenant_id),
    id         UUID NOT NULL,
    user_id    UUID NOT NULL,
    given_up   BOOLEAN NOT NULL DEFAULT false,
    created_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id)
);
CREATE INDEX uploads_created_at ON uploads (tenant_id, created_at);
CREATE INDEX uploads_user ON uploads (tenant_id, user_id);

-- Attachments: what is known of pictures; their bytes are in the store of files, under kept_as. capture: what the camera wrote
-- into it, JSON. Seen by whoever uploaded it until it is bound, then by whoever sees what it is bound to.
-- shown_in: what of the check shows it, the addendum of addendum_id among others.
CREATE TABLE attachments (
    tenant_id   TEXT COLLATE "C" NOT NULL REFERENCES provinces (tenant_id),
    id          UUID NOT NULL,
    file_name   TEXT NOT NULL,
    media_type  TEXT NOT NULL CHECK (media_type IN ('image/jpeg', 'image/png', 'image/webp')),
    bytes       BIGINT NOT NULL,
    copy_bytes  BIGINT NOT NULL,
    thumbnail_bytes BIGINT NOT NULL,
    sha256      TEXT NOT NULL,
    width       INTEGER NOT NULL,
    height      INTEGER NOT NULL,
    capture     TEXT,
    kept_as     UUID NOT NULL,
    uploaded_by UUID NOT NULL,
    check_id    UUID,
    shown_in    TEXT CHECK (shown_in IN ('record', 'addendum', 'objection')),
    addendum_id UUID,
    version     BIGINT NOT NULL DEFAULT 1,
    created_at  TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, uploaded_by) REFERENCES users (tenant_id, id),
    FOREIGN KEY (tenant_id, check_id) REFERENCES unannounced_checks (tenant_id, id),
    FOREIGN KEY (tenant_id, addendum_id) REFERENCES check_addenda (tenant_id, id)
);
CREATE INDEX attachments_check ON attachments (tenant_id, check_id, id);
CREATE INDEX attachments_uploaded_by ON attachments (tenant_id, uploaded_by);

ALTER TABLE uploads ENABLE ROW LEVEL SECURITY;
ALTER TABLE uploads FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON uploads
    USING (tenant_id = nullif(current_setting('app.tenant', true), ''))
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant', true), ''));
ALTER TABLE attachments ENABLE ROW LEVEL SECURITY;
ALTER TABLE attachments FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON attachments
    USING (tenant_id = nullif(current_setting('app.tenant', true), ''))
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant', true), ''));
