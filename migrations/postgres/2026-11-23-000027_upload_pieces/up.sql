-- Files that come in parts (tus): how many bytes each has (bytes) and how many of them are kept (arrived). attachment_id: what it
-- becomes when it is whole and has been looked at (finished); refusal: the code of why it does not.
CREATE TABLE resumable_uploads (
    tenant_id     TEXT COLLATE "C" NOT NULL REFERENCES provinces (tenant_id),
    id            UUID NOT NULL,
    user_id       UUID NOT NULL,
    attachment_id UUID NOT NULL,
    file_name     TEXT NOT NULL,
    sha256        TEXT,
    bytes         BIGINT NOT NULL CHECK (bytes > 0),
    arrived       BIGINT NOT NULL DEFAULT 0 CHECK (arrived >= 0),
    finished      BOOLEAN NOT NULL DEFAULT false,
    refusal       TEXT,
    created_at    TIMESTAMPTZ NOT NULL,
    expires_at    TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id),
    CHECK (arrived <= bytes)
);
CREATE INDEX resumable_uploads_expires_at ON resumable_uploads (tenant_id, expires_at);
-- A device that begins again gets the same one; what was refused is out of its way.
CREATE UNIQUE INDEX resumable_uploads_attachment ON resumable_uploads (tenant_id, user_id, attachment_id) WHERE refusal IS NULL;

-- Their bytes until then; place: of the first of them in the file.
CREATE TABLE upload_pieces (
    tenant_id TEXT COLLATE "C" NOT NULL,
    upload_id UUID NOT NULL,
    place     BIGINT NOT NULL,
    bytes     BYTEA NOT NULL,
    PRIMARY KEY (tenant_id, upload_id, place),
    FOREIGN KEY (tenant_id, upload_id) REFERENCES resumable_uploads (tenant_id, id)
);

ALTER TABLE resumable_uploads ENABLE ROW LEVEL SECURITY;
ALTER TABLE resumable_uploads FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON resumable_uploads
    USING (tenant_id = nullif(current_setting('app.tenant', true), ''))
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant', true), ''));
ALTER TABLE upload_pieces ENABLE ROW LEVEL SECURITY;
ALTER TABLE upload_pieces FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON upload_pieces
    USING (tenant_id = nullif(current_setting('app.tenant', true), ''))
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant', true), ''));
