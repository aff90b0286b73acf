//! What must outlive a restart: sessions, authorization codes, refresh families, consents, revoked tokens.
//!
//! One SQL for both databases: SQLite, embedded, for one replica; PostgreSQL for more. This folder keeps values
//! and decides nothing beyond what must be atomic; the rules are [`crate::oauth`]'s. It knows neither the web nor
//! Kubernetes. What is kept is digests: nobody can use what he reads here.

use std::time::Duration;

use jiff::Timestamp;

use crate::oauth::grant::{Code, Consent, Family, Session};

/// A store that is open. Clones share it.
#[derive(Clone, Debug)]
pub struct Store {}

/// Why the store could not answer. Nothing that was sent is in it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The URL names no database that we know, or cannot be read.
    #[error("{0}")]
    Url(String),
    /// The database was written by a newer version of this program.
    #[error(
        "the database was written by a newer version (its schema has migration {0}, which this version does not know); run that version, or restore a backup of before the upgrade"
    )]
    Newer(i64),
    /// The database failed.
    #[error("the database failed: {0}")]
    Database(#[from] sqlx::Error),
    /// A migration failed.
    #[error("the database could not be migrated: {0}")]
    Migration(#[from] sqlx::migrate::MigrateError),
}

/// What became of a code that was to be redeemed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Redemption {
    /// First use: the family begins with it.
    First,
    /// It was used before. The family of that use is revoked now (RFC 6749 §4.1.2).
    Again,
    /// There is no such code any more.
    Gone,
}

/// What became of a refresh token that was used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rotation {
    /// The family moved on to this sequence number.
    Next(Family),
    /// It was used a moment ago and its successor has not been used: the answer was lost. The same successor again.
    Retry(Family),
    /// It was used before, and too long ago, or its successor is in use: the family is revoked now (RFC 9700 §4.14.2).
    Reused,
    /// There is no such family, or it has ended.
    Gone,
}

impl Store {
    /// Opens the database of a URL (`sqlite:PATH`, `sqlite::memory:`, `postgres://…`) and brings its schema up to date.
    ///
    /// # Errors
    /// If it cannot be reached or migrated, or is newer than this program.
    pub async fn open(_url: &str) -> Result<Self, StoreError> {
        Ok(Self {})
    }

    /// Whether the database answers.
    pub async fn check(&self) -> Result<(), StoreError> {
        Ok(())
    }

    /// Begins a session.
    pub async fn begin_session(&self, _session: &Session) -> Result<(), StoreError> {
        todo!()
    }

    /// The session of a cookie's digest in a tenant, whatever its age.
    pub async fn session(
        &self,
        _tenant: &str,
        _digest: &str,
    ) -> Result<Option<Session>, StoreError> {
        todo!()
    }

    /// Records that a session is in use. Called at most once a minute for a session.
    pub async fn touch_session(
        &self,
        _tenant: &str,
        _digest: &str,
        _now: Timestamp,
    ) -> Result<(), StoreError> {
        todo!()
    }

    /// Ends a session (by `sid`) and revokes the families that were allowed in it without `offline_access`.
    pub async fn end_session(
        &self,
        _tenant: &str,
        _sid: &str,
        _now: Timestamp,
    ) -> Result<(), StoreError> {
        todo!()
    }

    /// Ends every session of a person, and revokes every family without `offline_access`; those with it as well if
    /// `offline_too`.
    pub async fn end_all_sessions(
        &self,
        _tenant: &str,
        _subject: &str,
        _offline_too: bool,
        _now: Timestamp,
    ) -> Result<(), StoreError> {
        todo!()
    }

    /// Keeps a code. `false` if its authorization request was answered before: then nothing is kept.
    pub async fn insert_code(&self, _code: &Code) -> Result<bool, StoreError> {
        todo!()
    }

    /// The code of a digest in a tenant, whatever its age and state.
    pub async fn code(&self, _tenant: &str, _digest: &str) -> Result<Option<Code>, StoreError> {
        todo!()
    }

    /// Uses a code, once: marks it and begins the family, in one transaction. With `None` the code is used up and
    /// nothing begins, as after a wrong verifier. A second use revokes the family of the first.
    pub async fn redeem(
        &self,
        _tenant: &str,
        _digest: &str,
        _family: Option<&Family>,
        _now: Timestamp,
    ) -> Result<Redemption, StoreError> {
        todo!()
    }

    /// A family, whatever its age and state.
    pub async fn family(&self, _tenant: &str, _id: &str) -> Result<Option<Family>, StoreError> {
        todo!()
    }

    /// Uses the refresh token `sequence` of a family. Within `grace` of its first use, while its successor is unused,
    /// it may be used again. `idle` is until when the family may now lie unused.
    pub async fn rotate(
        &self,
        _tenant: &str,
        _id: &str,
        _sequence: u32,
        _grace: Duration,
        _idle: Timestamp,
        _now: Timestamp,
    ) -> Result<Rotation, StoreError> {
        todo!()
    }

    /// Revokes a family. Whether there was one that lived.
    pub async fn revoke_family(
        &self,
        _tenant: &str,
        _id: &str,
        _now: Timestamp,
    ) -> Result<bool, StoreError> {
        todo!()
    }

    /// The consent of a person for a client's registration.
    pub async fn consent(
        &self,
        _tenant: &str,
        _subject: &str,
        _registration_id: &str,
    ) -> Result<Option<Consent>, StoreError> {
        todo!()
    }

    /// Keeps a consent in place of an earlier one.
    pub async fn keep_consent(&self, _consent: &Consent) -> Result<(), StoreError> {
        todo!()
    }

    /// The consents of a person, newest first.
    pub async fn consents(
        &self,
        _tenant: &str,
        _subject: &str,
    ) -> Result<Vec<Consent>, StoreError> {
        todo!()
    }

    /// Withdraws a consent and revokes every family of the person for that registration.
    pub async fn withdraw(
        &self,
        _tenant: &str,
        _subject: &str,
        _registration_id: &str,
        _now: Timestamp,
    ) -> Result<(), StoreError> {
        todo!()
    }

    /// Remembers until it expires that the access token of this `jti` is revoked (RFC 7009).
    pub async fn revoke_token(
        &self,
        _tenant: &str,
        _jti: &str,
        _expires_at: Timestamp,
    ) -> Result<(), StoreError> {
        todo!()
    }

    /// Whether the access token of this `jti` was revoked.
    pub async fn is_token_revoked(&self, _tenant: &str, _jti: &str) -> Result<bool, StoreError> {
        todo!()
    }

    /// Removes up to `limit` rows of each kind that ended before `now`. How many went; call again while it is `limit`.
    /// Codes stay an hour longer than they live, so that a second use is recognised; families and sessions a day.
    pub async fn purge(&self, _now: Timestamp, _limit: u32) -> Result<u64, StoreError> {
        todo!()
    }

    /// Closes the database.
    pub async fn close(&self) {}
}
