-- Nobody would come back for the rows of the log that wait for what was taken back: they are told now.
UPDATE audit_unsealed SET held_by = NULL
WHERE EXISTS (
    SELECT 1 FROM withdrawn_attachments
    WHERE withdrawn_attachments.tenant_id = audit_unsealed.tenant_id AND withdrawn_attachments.kept_as = audit_unsealed.held_by
);
DROP TABLE withdrawn_attachments;
