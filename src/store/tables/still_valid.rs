//! Whether what a code rests on is still there.

use sqlx::{AnyConnection, query};

use crate::backend::operation::{Operation, millis};
use clientele_oauth::grant::Consent;

const SESSION: &str = "SELECT sid FROM sessions WHERE tenant = $1 AND digest = $2";
const SESSION_LOCKED: &str =
    "SELECT sid FROM sessions WHERE tenant = $1 AND digest = $2 FOR KEY SHARE";
const CONSENT: &str = "SELECT granted_at FROM consents
    WHERE tenant = $1 AND subject = $2 AND registration_id = $3 AND granted_at = $4";
const CONSENT_LOCKED: &str = "SELECT granted_at FROM consents
    WHERE tenant = $1 AND subject = $2 AND registration_id = $3 AND granted_at = $4 FOR KEY SHARE";

/// Whether this is still there, as it was. PostgreSQL is told to wait for whoever is ending it: either it has ended, or
/// what ends with it begins to be looked for only after this.
pub enum Stands {
    /// The session of a cookie.
    Session { tenant: String, digest: String },
    /// A consent as it was given.
    Consent(Consent),
}

impl Operation for Stands {
    type Output = bool;
    const SINGLE: bool = false;

    async fn at_once(&self, db: &mut AnyConnection) -> sqlx::Result<Option<bool>> {
        let (session, consent) = (SESSION_LOCKED, CONSENT_LOCKED);
        self.ask(session, consent, db).await.map(Some)
    }

    async fn run(&self, db: &mut AnyConnection) -> sqlx::Result<bool> {
        self.ask(SESSION, CONSENT, db).await
    }
}

impl Stands {
    async fn ask(
        &self,
        session: &'static str,
        consent: &'static str,
        db: &mut AnyConnection,
    ) -> sqlx::Result<bool> {
        let search = match self {
            Self::Session { tenant, digest } => query(session).bind(&**tenant).bind(&**digest),
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
