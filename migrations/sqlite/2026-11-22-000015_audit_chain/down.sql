DROP TABLE audit_checkpoints;
DROP TABLE audit_heads;
DROP TABLE audit_chain;
DROP TABLE audit_unsealed;
DROP INDEX audit_log_action;
DROP INDEX audit_log_user;
ALTER TABLE audit_log DROP COLUMN salt;
