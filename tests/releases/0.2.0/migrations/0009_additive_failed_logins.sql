-- How often signing in has failed lately, by account, or by account and browser where the browser is known. All replicas
-- count here. One text for SQLite and PostgreSQL. `account` is a digest; at `busy_until`, in milliseconds since 1970, all
-- failures are forgotten.

CREATE TABLE failed_logins (
    account TEXT NOT NULL,
    busy_until BIGINT NOT NULL,
    PRIMARY KEY (account)
);
CREATE INDEX failed_logins_busy_until ON failed_logins (busy_until, account);
