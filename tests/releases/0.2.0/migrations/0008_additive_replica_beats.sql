-- How often each replica was heard, so that silence is measured by the clock of the one that looks. 0 for a version that does not
-- count. One text for SQLite and PostgreSQL.

ALTER TABLE replicas ADD COLUMN beat BIGINT NOT NULL DEFAULT 0;
