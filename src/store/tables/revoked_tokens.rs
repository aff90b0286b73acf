//! Access tokens that were revoked before they expired.

use jiff::Timestamp;
use sqlx::{AnyConnection, query};

use crate::backend::operation::{Operation, millis};

const INSERT: &str = "INSERT INTO revoked_tokens (tenant, jti, expires_at) VALUES ($1, $2, $3)
    ON CONFLICT (tenant, jti) DO NOTHING";
const SELECT: &str = "SELECT expires_at FROM revoked_tokens WHERE tenant = $1 AND jti = $2";

/// Remembers that a token is revoked.
pub struct Revoke {
    pub tenant: String,
    pub jti: String,
    pub expires_at: Timestamp,
}

impl Operation for Revoke {
    type Output = ();

    async fn run(&self, db: &mut AnyConnection) -> sqlx::Result<()> {
        query(INSERT)
            .bind(&*self.tenant)
            .bind(&*self.jti)
            .bind(millis(self.expires_at))
            .execute(db)
            .await?;
        Ok(())
    }
}

/// Whether a token is revoked.
pub struct IsRevoked {
    pub tenant: String,
    pub jti: String,
}

impl Operation for IsRevoked {
    type Output = bool;

    async fn run(&self, db: &mut AnyConnection) -> sqlx::Result<bool> {
        let row = query(SELECT)
            .bind(&*self.tenant)
            .bind(&*self.jti)
            .fetch_optional(db)
            .await?;
        Ok(row.is_some())
    }
}

/// What searches, for the test of the indexes.
#[cfg(test)]
pub const SEARCHES: &[&str] = &[SELECT];
