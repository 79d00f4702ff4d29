-- Photos that a check or an addendum to it names before they have come: what was sent from where there is no signal comes in any
-- order. A check is not confirmed while one is awaited that has not been given up.
CREATE TABLE awaited_attachments (
    tenant_id     TEXT NOT NULL,
    check_id      BLOB NOT NULL,
    attachment_id BLOB NOT NULL,
    shown_in      TEXT NOT NULL CHECK (shown_in IN ('record', 'addendum', 'objection')),
    addendum_id   BLOB,
    named_by      BLOB NOT NULL,
    created_at    BIGINT NOT NULL,
    given_up_by   BLOB,
    given_up_at   BIGINT,
    reason        TEXT,
    PRIMARY KEY (tenant_id, check_id, attachment_id),
    FOREIGN KEY (tenant_id, check_id) REFERENCES unannounced_checks (tenant_id, id),
    FOREIGN KEY (tenant_id, addendum_id) REFERENCES check_addenda (tenant_id, id),
    FOREIGN KEY (tenant_id, named_by) REFERENCES users (tenant_id, id),
    FOREIGN KEY (tenant_id, given_up_by) REFERENCES users (tenant_id, id)
);
CREATE INDEX awaited_attachments_attachment ON awaited_attachments (tenant_id, attachment_id);
CREATE INDEX awaited_attachments_addendum ON awaited_attachments (tenant_id, addendum_id);
CREATE INDEX awaited_attachments_named_by ON awaited_attachments (tenant_id, named_by);
CREATE INDEX awaited_attachments_given_up_by ON awaited_attachments (tenant_id, given_up_by);
