//! Access tokens that were revoked before they expired.

use jiff::Timestamp;
use sqlx::{AnyConnection, query};

use crate::Store;
use crate::backend::operation::{Operation, millis};
use crate::error::StoreError;

const INSERT: &str = "INSERT INTO revoked_tokens (tenant, jti, expires_at) VALUES ($1, $2, $3)
    ON CONFLICT (tenant, jti) DO NOTHING";
const SELECT: &str = "SELECT expires_at FROM revoked_tokens WHERE tenant = $1 AND jti = $2";

impl Store {
    /// Remembers until it expires that the access token of this `jti` is revoked (RFC 7009).
    pub async fn revoke_token(
        &self,
        tenant_uid: &str,
        jti: &str,
        expires_at: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(RevokeToken {
            tenant_uid: tenant_uid.to_owned(),
            jti: jti.to_owned(),
            expires_at,
        })
        .await
    }

    /// Whether the access token of this `jti` was revoked.
    pub async fn is_token_revoked(&self, tenant_uid: &str, jti: &str) -> Result<bool, StoreError> {
        let (tenant_uid, jti) = (tenant_uid.to_owned(), jti.to_owned());
        self.read(IsTokenRevoked { tenant_uid, jti }).await
    }
}

/// Remembers that a token is revoked.
struct RevokeToken {
    tenant_uid: String,
    jti: String,
    expires_at: Timestamp,
}

impl Operation for RevokeToken {
    type Output = ();

    async fn run(&self, db: &mut AnyConnection) -> sqlx::Result<()> {
        query(INSERT)
            .bind(&*self.tenant_uid)
            .bind(&*self.jti)
            .bind(millis(self.expires_at))
            .execute(db)
            .await?;
        Ok(())
    }
}

/// Whether a token is revoked.
struct IsTokenRevoked {
    tenant_uid: String,
    jti: String,
}

impl Operation for IsTokenRevoked {
    type Output = bool;

    async fn run(&self, db: &mut AnyConnection) -> sqlx::Result<bool> {
        let row = query(SELECT)
            .bind(&*self.tenant_uid)
            .bind(&*self.jti)
            .fetch_optional(db)
            .await?;
        Ok(row.is_some())
    }
}

/// What searches, for the test of the indexes.
#[cfg(test)]
pub const SEARCHES: &[&str] = &[SELECT];
