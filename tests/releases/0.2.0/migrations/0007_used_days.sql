-- On which UTC day each client was used last, as days since 1970, and when a replica recorded that. One text for SQLite and
-- PostgreSQL.

CREATE TABLE used_days (
    client_uid TEXT NOT NULL,
    day BIGINT NOT NULL,
    recorded_at BIGINT NOT NULL,
    PRIMARY KEY (client_uid)
);
CREATE INDEX used_days_recorded_at ON used_days (recorded_at, client_uid);
