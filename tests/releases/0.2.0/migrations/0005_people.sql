-- What is remembered of people beyond one sign-in. One text for SQLite and PostgreSQL: TEXT and BIGINT only, times in
-- milliseconds since 1970.

-- Which registration of a person (UID) signed in last under a subject that was brought, and when. Another registration
-- gets the subject only after everything that was issued has expired.
CREATE TABLE subjects (
    tenant TEXT NOT NULL,
    subject TEXT NOT NULL,
    person TEXT NOT NULL,
    used_at BIGINT NOT NULL,
    PRIMARY KEY (tenant, subject)
);
CREATE INDEX subjects_used_at ON subjects (used_at);

-- A hash with today's parameters of a password whose Secret has a hash with others, made at a sign-in. It counts while
-- `manifest`, the digest of the Secret's value, stays the same.
CREATE TABLE upgraded_hashes (
    person TEXT NOT NULL,
    manifest TEXT NOT NULL,
    hash TEXT NOT NULL,
    upgraded_at BIGINT NOT NULL,
    PRIMARY KEY (person)
);
CREATE INDEX upgraded_hashes_upgraded_at ON upgraded_hashes (upgraded_at);
