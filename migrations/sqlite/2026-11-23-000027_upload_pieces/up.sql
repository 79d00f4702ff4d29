-- Files that come in parts (tus): how many bytes each has (bytes) and how many of them are kept (arrived). attachment_id: what it
-- becomes when it is whole and has been looked at (finished); refusal: the code of why it does not.
CREATE TABLE resumable_uploads (
    tenant_id     TEXT NOT NULL REFERENCES provinces (tenant_id),
    id            BLOB NOT NULL,
    user_id       BLOB NOT NULL,
    attachment_id BLOB NOT NULL,
    file_name     TEXT NOT NULL,
    sha256        TEXT,
    bytes         BIGINT NOT NULL CHECK (bytes > 0),
    arrived       BIGINT NOT NULL DEFAULT 0 CHECK (arrived >= 0),
    finished      BOOLEAN NOT NULL DEFAULT 0,
    refusal       TEXT,
    created_at    BIGINT NOT NULL,
    expires_at    BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id),
    CHECK (arrived <= bytes)
);
CREATE INDEX resumable_uploads_expires_at ON resumable_uploads (tenant_id, expires_at);
-- A device that begins again gets the same one; what was refused is out of its way.
CREATE UNIQUE INDEX resumable_uploads_attachment ON resumable_uploads (tenant_id, user_id, attachment_id) WHERE refusal IS NULL;

-- Their bytes until then; place: of the first of them in the file.
CREATE TABLE upload_pieces (
    tenant_id TEXT NOT NULL,
    upload_id BLOB NOT NULL,
    place     BIGINT NOT NULL,
    bytes     BLOB NOT NULL,
    PRIMARY KEY (tenant_id, upload_id, place),
    FOREIGN KEY (tenant_id, upload_id) REFERENCES resumable_uploads (tenant_id, id)
);
