-- Whose the used assertions are: the UID of the client, so that those of one client are counted. One text for SQLite and
-- PostgreSQL. Rows from before have no client, and are gone after at most an hour.

ALTER TABLE used_assertions ADD COLUMN client TEXT NOT NULL DEFAULT '';
CREATE INDEX used_assertions_of_client ON used_assertions (tenant, client, expires_at);
