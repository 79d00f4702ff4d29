-- Nobody would come back for the rows of the log that wait for what was taken back: they are told now.
-- Under forced row-level security the owner, who has no tenant, would find none of them.
ALTER TABLE withdrawn_attachments NO FORCE ROW LEVEL SECURITY;
ALTER TABLE audit_unsealed NO FORCE ROW LEVEL SECURITY;
UPDATE audit_unsealed SET held_by = NULL
WHERE EXISTS (
    SELECT 1 FROM withdrawn_attachments
    WHERE withdrawn_attachments.tenant_id = audit_unsealed.tenant_id AND withdrawn_attachments.kept_as = audit_unsealed.held_by
);
ALTER TABLE audit_unsealed FORCE ROW LEVEL SECURITY;
DROP TABLE withdrawn_attachments;
