ALTER TABLE plans DROP COLUMN submitted_as;
DROP TABLE stand_ins;
DROP TABLE user_officers;
DROP TABLE posts;
DROP TABLE officer_persons;
DROP TABLE officers;
