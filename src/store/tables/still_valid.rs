//! Whether the session and the consent behind an authorization code still exist.

use sqlx::{AnyConnection, query};

use crate::Store;
use crate::backend::operation::{Operation, millis};
use crate::error::StoreError;
use clientele_oauth::grant::Consent;

const SESSION: &str = "SELECT sid FROM sessions WHERE tenant = $1 AND digest = $2";
const SESSION_LOCKED: &str =
    "SELECT sid FROM sessions WHERE tenant = $1 AND digest = $2 FOR KEY SHARE";
const CONSENT: &str = "SELECT granted_at FROM consents
    WHERE tenant = $1 AND subject = $2 AND registration_id = $3 AND granted_at = $4";
const CONSENT_LOCKED: &str = "SELECT granted_at FROM consents
    WHERE tenant = $1 AND subject = $2 AND registration_id = $3 AND granted_at = $4 FOR KEY SHARE";

impl Store {
    /// Whether the session of a cookie's digest still exists. A code that was inserted before this call is used up by
    /// a transaction that ends the session after it.
    pub async fn is_session_still_valid(
        &self,
        tenant_uid: &str,
        digest: &str,
    ) -> Result<bool, StoreError> {
        let (tenant_uid, digest) = (tenant_uid.to_owned(), digest.to_owned());
        self.read(StillValid::Session { tenant_uid, digest }).await
    }

    /// Whether a consent still exists unchanged. A code that was inserted before this call is used up by a transaction
    /// that withdraws the consent after it.
    pub async fn is_consent_still_valid(&self, consent: &Consent) -> Result<bool, StoreError> {
        self.read(StillValid::Consent(consent.clone())).await
    }
}

/// Whether a row still exists unchanged. On PostgreSQL the lock waits for a transaction that deletes the row: either the
/// row is deleted, or that transaction looks for the grants to revoke only after this.
enum StillValid {
    /// The session of a cookie.
    Session { tenant_uid: String, digest: String },
    /// A consent, with the time at which it was given.
    Consent(Consent),
}

impl Operation for StillValid {
    type Output = bool;
    const SINGLE: bool = false;

    async fn at_once(&self, db: &mut AnyConnection) -> sqlx::Result<Option<bool>> {
        let (session, consent) = (SESSION_LOCKED, CONSENT_LOCKED);
        self.select(session, consent, db).await.map(Some)
    }

    async fn run(&self, db: &mut AnyConnection) -> sqlx::Result<bool> {
        self.select(SESSION, CONSENT, db).await
    }
}

impl StillValid {
    async fn select(
        &self,
        session: &'static str,
        consent: &'static str,
        db: &mut AnyConnection,
    ) -> sqlx::Result<bool> {
        let search = match self {
            Self::Session { tenant_uid, digest } => {
                query(session).bind(&**tenant_uid).bind(&**digest)
            }
            Self::Consent(given) => query(consent)
                .bind(&*given.tenant)
                .bind(&*given.subject)
                .bind(&*given.client_uid)
                .bind(millis(given.granted_at)),
        };
        Ok(search.fetch_optional(db).await?.is_some())
    }
}

/// What searches, for the test of the indexes.
#[cfg(test)]
pub const SEARCHES: &[&str] = &[SESSION, CONSENT];
