-- What replicas serve, so that Ready means all of them. One text for SQLite and PostgreSQL: TEXT and BIGINT only.

-- 1 while it serves: it has seen everything, and it is not stopping. Others wait for it.
ALTER TABLE replicas ADD COLUMN serving BIGINT NOT NULL DEFAULT 0;

-- Which version of a client a replica serves, while no status says so yet.
CREATE TABLE served (
    registration_id TEXT NOT NULL,
    replica TEXT NOT NULL,
    generation BIGINT NOT NULL,
    PRIMARY KEY (registration_id, replica)
);
