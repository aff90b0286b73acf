-- Which generation of a client secret was used when, and who reports it. One text for SQLite and PostgreSQL: TEXT and
-- BIGINT only, times in milliseconds since 1970.

CREATE TABLE last_uses (
    registration_id TEXT NOT NULL,
    generation BIGINT NOT NULL,
    used_at BIGINT NOT NULL,
    PRIMARY KEY (registration_id, generation)
);
CREATE INDEX last_uses_used_at ON last_uses (used_at);

-- Replicas that serve. Each has reported every use until `heard_at`.
CREATE TABLE replicas (
    id TEXT NOT NULL,
    heard_at BIGINT NOT NULL,
    PRIMARY KEY (id)
);
CREATE INDEX replicas_heard_at ON replicas (heard_at);

-- One row. Nothing is known of what was before `since`; `heard_at` is when somebody reported last.
CREATE TABLE usage_epoch (
    id BIGINT NOT NULL,
    since BIGINT NOT NULL,
    heard_at BIGINT NOT NULL,
    PRIMARY KEY (id)
);
