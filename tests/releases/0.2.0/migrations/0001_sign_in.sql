-- What sign-in keeps. One text for SQLite and PostgreSQL: TEXT and BIGINT only, times in milliseconds since 1970.
-- Whatever only its holder may know is here as a digest.

CREATE TABLE sessions (
    tenant TEXT NOT NULL,
    digest TEXT NOT NULL,
    sid TEXT NOT NULL,
    subject TEXT NOT NULL,
    person TEXT NOT NULL,
    credential TEXT NOT NULL,
    auth_time BIGINT NOT NULL,
    last_used BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (tenant, digest)
);
CREATE UNIQUE INDEX sessions_sid ON sessions (tenant, sid);
CREATE INDEX sessions_subject ON sessions (tenant, subject);
CREATE INDEX sessions_end ON sessions (expires_at);

-- `request` is the authorization request that the code answers, once. `offline` is 1 if the scope has offline_access.
CREATE TABLE codes (
    tenant TEXT NOT NULL,
    digest TEXT NOT NULL,
    request TEXT NOT NULL,
    client_id TEXT NOT NULL,
    registration_id TEXT NOT NULL,
    subject TEXT NOT NULL,
    person TEXT NOT NULL,
    credential TEXT NOT NULL,
    sid TEXT NOT NULL,
    auth_time BIGINT NOT NULL,
    scope TEXT NOT NULL,
    resources TEXT NOT NULL,
    claims TEXT NOT NULL,
    offline BIGINT NOT NULL,
    redirect_uri TEXT NOT NULL,
    code_challenge TEXT,
    nonce TEXT,
    family TEXT NOT NULL,
    issued_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    redeemed_at BIGINT,
    PRIMARY KEY (tenant, digest)
);
CREATE UNIQUE INDEX codes_request ON codes (tenant, request);
CREATE INDEX codes_sid ON codes (tenant, sid);
CREATE INDEX codes_subject ON codes (tenant, subject);
CREATE INDEX codes_end ON codes (expires_at);

-- `ends_at` is the earliest of expires_at, idle_expires_at and revoked_at.
CREATE TABLE families (
    tenant TEXT NOT NULL,
    id TEXT NOT NULL,
    client_id TEXT NOT NULL,
    registration_id TEXT NOT NULL,
    subject TEXT NOT NULL,
    person TEXT NOT NULL,
    credential TEXT NOT NULL,
    sid TEXT NOT NULL,
    auth_time BIGINT NOT NULL,
    scope TEXT NOT NULL,
    resources TEXT NOT NULL,
    claims TEXT NOT NULL,
    offline BIGINT NOT NULL,
    sequence BIGINT NOT NULL,
    rotated_at BIGINT NOT NULL,
    issued_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    idle_expires_at BIGINT NOT NULL,
    revoked_at BIGINT,
    ends_at BIGINT NOT NULL,
    PRIMARY KEY (tenant, id)
);
CREATE INDEX families_sid ON families (tenant, sid);
CREATE INDEX families_subject ON families (tenant, subject, registration_id);
CREATE INDEX families_end ON families (ends_at);

CREATE TABLE consents (
    tenant TEXT NOT NULL,
    subject TEXT NOT NULL,
    registration_id TEXT NOT NULL,
    person TEXT NOT NULL,
    client_id TEXT NOT NULL,
    scope TEXT NOT NULL,
    resources TEXT NOT NULL,
    granted_at BIGINT NOT NULL,
    PRIMARY KEY (tenant, subject, registration_id)
);

CREATE TABLE revoked_tokens (
    tenant TEXT NOT NULL,
    jti TEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (tenant, jti)
);
CREATE INDEX revoked_tokens_end ON revoked_tokens (expires_at);
