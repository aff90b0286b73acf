//! What must outlive a restart: sessions, authorization codes, refresh families, consents, revoked tokens, used assertions.
//!
//! One SQL for both databases: SQLite, embedded, for one replica; PostgreSQL for more. This folder keeps values
//! and decides nothing beyond what must be atomic; the rules are [`clientele_oauth`]'s. It knows neither the web nor
//! Kubernetes. What is kept is digests: nobody can use what he reads here.

mod backend;
mod error;
mod metrics;
pub mod tables;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use backend::operation::Operation;
use backend::postgres::Postgres;
use backend::sqlite::Sqlite;
use clientele_oauth::client::secret_usage::{LastUse, Usage};
use clientele_oauth::client::served_versions::Versions;
use clientele_oauth::grant::{Code, Consent, Family, Session};
pub use error::StoreError;
pub use metrics::StoreMetrics;
pub use tables::secret_usage::Hear;
use tables::still_valid::Stands;

/// A store that is open. Clones share it.
#[derive(Clone, Debug)]
pub struct Store {
    backend: Arc<Backend>,
    metrics: Arc<StoreMetrics>,
}

#[derive(Debug)]
enum Backend {
    Sqlite(Sqlite),
    Postgres(Postgres),
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
    /// Opens the database of a URL (`sqlite:PATH`, `backend::sqlite::memory:`, `postgres://…`) and brings its schema up to date.
    ///
    /// # Errors
    /// If it cannot be reached or migrated, or is newer than this program.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        let metrics = Arc::default();
        let backend = Arc::new(backend::open::open(url, &metrics).await?);
        Ok(Self { backend, metrics })
    }

    /// Whether other replicas can have it open as well.
    pub fn is_shared(&self) -> bool {
        matches!(&*self.backend, Backend::Postgres(_))
    }

    /// What the store counts.
    pub fn metrics(&self) -> &StoreMetrics {
        &self.metrics
    }

    /// Runs an operation that changes something.
    async fn write<O: Operation>(&self, operation: O) -> Result<O::Output, StoreError> {
        let started = Instant::now();
        let outcome = match &*self.backend {
            Backend::Sqlite(sqlite) => sqlite.write(operation).await,
            Backend::Postgres(postgres) => postgres.write(operation).await,
        };
        self.metrics.writes.count(&outcome, started.elapsed());
        outcome
    }

    /// Runs an operation that only reads. It sees whatever was answered before it began.
    async fn read<O: Operation>(&self, operation: O) -> Result<O::Output, StoreError> {
        let started = Instant::now();
        let outcome = match &*self.backend {
            Backend::Sqlite(sqlite) => sqlite.read(operation).await,
            Backend::Postgres(postgres) => postgres.read(operation).await,
        };
        self.metrics.reads.count(&outcome, started.elapsed());
        outcome
    }

    /// Whether the database answers, and can begin a transaction.
    pub async fn check(&self) -> Result<(), StoreError> {
        self.write(backend::operation::Check).await
    }

    /// Begins a session.
    pub async fn begin_session(&self, session: &Session) -> Result<(), StoreError> {
        self.write(tables::sessions::Begin(session.clone())).await
    }

    /// Begins a session in the place of the one that has its `sid`, whose cookie is then worth nothing. What was
    /// allowed in that one goes on in this.
    pub async fn renew_session(&self, session: &Session) -> Result<(), StoreError> {
        self.write(tables::sessions::Renew(session.clone())).await
    }

    /// The session of a cookie's digest in a tenant, whatever its age.
    pub async fn session(&self, tenant: &str, digest: &str) -> Result<Option<Session>, StoreError> {
        let (tenant, digest) = (tenant.to_owned(), digest.to_owned());
        self.read(tables::sessions::Find { tenant, digest }).await
    }

    /// Whether the session of a cookie's digest is still there. A code that was kept before this is used up by whoever
    /// ends the session after it.
    pub async fn session_stands(&self, tenant: &str, digest: &str) -> Result<bool, StoreError> {
        let (tenant, digest) = (tenant.to_owned(), digest.to_owned());
        self.read(Stands::Session { tenant, digest }).await
    }

    /// Records that a session is in use. Called at most once a minute for a session.
    pub async fn touch_session(
        &self,
        tenant: &str,
        digest: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let (tenant, digest) = (tenant.to_owned(), digest.to_owned());
        self.write(tables::sessions::Touch {
            tenant,
            digest,
            now,
        })
        .await
    }

    /// Ends a session (by `sid`) and whatever was allowed in it without `offline_access`: its families are revoked,
    /// and its codes are used up, so that none begins a family afterwards.
    pub async fn end_session(
        &self,
        tenant: &str,
        sid: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let (tenant, sid) = (tenant.to_owned(), sid.to_owned());
        self.write(tables::sessions::End { tenant, sid, now }).await
    }

    /// Ends every session of a person, with every family and code without `offline_access`; those with it as well if
    /// `offline_too`.
    pub async fn end_all_sessions(
        &self,
        tenant: &str,
        subject: &str,
        offline_too: bool,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(tables::sessions::EndAll {
            tenant: tenant.to_owned(),
            subject: subject.to_owned(),
            offline_too,
            now,
        })
        .await
    }

    /// Keeps a code. `false` if its authorization request was answered before: then nothing is kept.
    pub async fn insert_code(&self, code: &Code) -> Result<bool, StoreError> {
        self.write(tables::codes::Insert(code.clone())).await
    }

    /// The code of a digest in a tenant, whatever its age and state.
    pub async fn code(&self, tenant: &str, digest: &str) -> Result<Option<Code>, StoreError> {
        let (tenant, digest) = (tenant.to_owned(), digest.to_owned());
        self.read(tables::codes::Find { tenant, digest }).await
    }

    /// Uses a code, once: marks it and begins the family, in one transaction. With `None` the code is used up and
    /// nothing begins, as after a wrong verifier. A second use revokes the family of the first.
    ///
    /// # Errors
    /// Also if the family is not the one that was set aside for the code; nothing happens then.
    pub async fn redeem(
        &self,
        tenant: &str,
        digest: &str,
        family: Option<&Family>,
        now: Timestamp,
    ) -> Result<Redemption, StoreError> {
        self.write(tables::codes::Redeem {
            tenant: tenant.to_owned(),
            digest: digest.to_owned(),
            family: family.cloned(),
            now,
        })
        .await
    }

    /// A family, whatever its age and state.
    pub async fn family(&self, tenant: &str, id: &str) -> Result<Option<Family>, StoreError> {
        let (tenant, id) = (tenant.to_owned(), id.to_owned());
        self.read(tables::refresh_families::Find { tenant, id })
            .await
    }

    /// Uses the refresh token `sequence` of a family. Within `grace` of its first use, while its successor is unused,
    /// it may be used again. `idle` is until when the family may now lie unused.
    pub async fn rotate(
        &self,
        tenant: &str,
        id: &str,
        sequence: u32,
        grace: Duration,
        idle: Timestamp,
        now: Timestamp,
    ) -> Result<Rotation, StoreError> {
        self.write(tables::refresh_families::Rotate {
            tenant: tenant.to_owned(),
            id: id.to_owned(),
            sequence,
            grace,
            idle,
            now,
        })
        .await
    }

    /// Revokes a family. Whether there was one that lived.
    pub async fn revoke_family(
        &self,
        tenant: &str,
        id: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let (tenant, id) = (tenant.to_owned(), id.to_owned());
        self.write(tables::refresh_families::Revoke { tenant, id, now })
            .await
    }

    /// The consent of a person for a client's registration.
    pub async fn consent(
        &self,
        tenant: &str,
        subject: &str,
        client_uid: &str,
    ) -> Result<Option<Consent>, StoreError> {
        self.read(tables::consents::Find {
            tenant: tenant.to_owned(),
            subject: subject.to_owned(),
            registration: client_uid.to_owned(),
        })
        .await
    }

    /// Whether a consent is still there as it was given. A code that was kept before this is used up by whoever withdraws
    /// the consent after it.
    pub async fn consent_stands(&self, consent: &Consent) -> Result<bool, StoreError> {
        self.read(Stands::Consent(consent.clone())).await
    }

    /// Keeps a consent in place of an earlier one.
    pub async fn keep_consent(&self, consent: &Consent) -> Result<(), StoreError> {
        self.write(tables::consents::Keep(consent.clone())).await
    }

    /// The consents of a person, newest first.
    pub async fn consents(&self, tenant: &str, subject: &str) -> Result<Vec<Consent>, StoreError> {
        let (tenant, subject) = (tenant.to_owned(), subject.to_owned());
        self.read(tables::consents::List { tenant, subject }).await
    }

    /// Withdraws a consent, revokes every family of the person for that registration, and uses up its codes.
    pub async fn withdraw(
        &self,
        tenant: &str,
        subject: &str,
        client_uid: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(tables::consents::Withdraw {
            tenant: tenant.to_owned(),
            subject: subject.to_owned(),
            registration: client_uid.to_owned(),
            now,
        })
        .await
    }

    /// Remembers until it expires that the access token of this `jti` is revoked (RFC 7009).
    pub async fn revoke_token(
        &self,
        tenant: &str,
        jti: &str,
        expires_at: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(tables::revoked_tokens::Revoke {
            tenant: tenant.to_owned(),
            jti: jti.to_owned(),
            expires_at,
        })
        .await
    }

    /// Whether the access token of this `jti` was revoked.
    pub async fn is_token_revoked(&self, tenant: &str, jti: &str) -> Result<bool, StoreError> {
        let (tenant, jti) = (tenant.to_owned(), jti.to_owned());
        self.read(tables::revoked_tokens::IsRevoked { tenant, jti })
            .await
    }

    /// Uses a client assertion, by a digest of what identifies it. Whether it was for the first time: nobody's second use
    /// succeeds, not even on another replica at the same moment.
    pub async fn use_assertion(
        &self,
        tenant: &str,
        digest: &str,
        expires_at: Timestamp,
    ) -> Result<bool, StoreError> {
        self.write(tables::used_assertions::Use {
            tenant: tenant.to_owned(),
            digest: digest.to_owned(),
            expires_at,
        })
        .await
    }

    /// Keeps when client secrets were used last; an earlier use than one that is known changes nothing.
    pub async fn report_uses(&self, uses: Vec<LastUse>) -> Result<(), StoreError> {
        self.write(tables::secret_usage::Report(uses)).await
    }

    /// A replica says how it is with it. What is known of use begins anew if others are found to be dead: what they did
    /// not report could be anything.
    pub async fn hear(&self, heard: Hear) -> Result<(), StoreError> {
        self.write(heard).await
    }

    /// A replica has reported everything and serves no longer.
    pub async fn leave(&self, replica: &str) -> Result<(), StoreError> {
        self.write(tables::secret_usage::Leave(replica.to_owned()))
            .await
    }

    /// A replica serves these versions of clients from now on, and says nothing of those registrations any more.
    pub async fn tell_served(
        &self,
        replica: &str,
        new: Vec<(String, i64)>,
        gone: Vec<String>,
    ) -> Result<(), StoreError> {
        let replica = replica.to_owned();
        self.write(tables::served_versions::Tell { replica, new, gone })
            .await
    }

    /// The versions of clients that every replica serves which was heard since `alive`, of those that were told.
    pub async fn served_by_all(&self, alive: Timestamp) -> Result<Versions, StoreError> {
        self.read(tables::served_versions::ByAll { alive }).await
    }

    /// The replicas heard since `alive` that have not told that they serve this version of a client.
    pub async fn replicas_without(
        &self,
        alive: Timestamp,
        registration: String,
        generation: i64,
    ) -> Result<Vec<String>, StoreError> {
        self.read(tables::served_versions::Without {
            alive,
            registration,
            generation,
        })
        .await
    }

    /// What all replicas have reported of the use of these registrations' secrets; none before the first was heard.
    pub async fn usage(&self, registrations: Vec<String>) -> Result<Option<Usage>, StoreError> {
        self.read(tables::secret_usage::Read(registrations)).await
    }

    /// When the oldest sign-in was of which a session or a family lives.
    pub async fn oldest_sign_in(&self, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        self.read(tables::secret_usage::OldestSignIn { now }).await
    }

    /// Removes up to `limit` rows that ended before `now`, each kind in a transaction of its own. How many went; call
    /// again while it is `limit`. Codes and revoked tokens stay an hour longer than they live, so that a second use is
    /// recognised; used assertions five minutes; families and sessions a day.
    pub async fn purge(&self, now: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let mut left = limit;
        for kind in tables::purge::KINDS {
            let limit = left;
            let gone = self
                .write(tables::purge::Purge { kind, now, limit })
                .await?;
            left = left.saturating_sub(u32::try_from(gone).unwrap_or(u32::MAX));
            if left == 0 {
                break;
            }
        }
        let gone = u64::from(limit - left);
        self.metrics.purged.inc_by(gone);
        Ok(gone)
    }

    /// Closes the database, when what is being written is written.
    pub async fn close(&self) {
        match &*self.backend {
            Backend::Sqlite(sqlite) => sqlite.close().await,
            Backend::Postgres(postgres) => postgres.close().await,
        }
    }
}
