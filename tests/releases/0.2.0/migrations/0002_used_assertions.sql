-- The client assertions that were used (RFC 7523 section 3, number 7), until they have expired. The digest is over the UID of
-- the client and the `jti`.

CREATE TABLE used_assertions (
    tenant TEXT NOT NULL,
    digest TEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (tenant, digest)
);
CREATE INDEX used_assertions_end ON used_assertions (expires_at);
