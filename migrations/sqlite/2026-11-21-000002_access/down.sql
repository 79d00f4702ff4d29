DROP TABLE idempotency_keys;
DROP TABLE login_throttles;
DROP TABLE sessions;
DROP TABLE role_bindings;
DROP TABLE login_directory;
DROP TABLE users;
