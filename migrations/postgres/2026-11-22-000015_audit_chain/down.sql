DROP TABLE audit_checkpoints;
DROP TABLE audit_heads;
DROP TABLE audit_chain;
DROP TABLE audit_unsealed;
DROP FUNCTION audit_chain_refuse();
DROP INDEX audit_log_action;
DROP INDEX audit_log_user;
ALTER TABLE audit_log ALTER COLUMN action TYPE TEXT COLLATE "default";
ALTER TABLE audit_log DROP COLUMN salt;
