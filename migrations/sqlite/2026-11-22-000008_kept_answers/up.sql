-- Texts are compared bytewise here already; PostgreSQL is told so for idempotency_keys.body.
SELECT 1;
