//! Client assertions that were used: each counts once.

use jiff::Timestamp;
use sqlx::{AnyConnection, query};

use crate::Store;
use crate::backend::operation::{Operation, millis};
use crate::error::StoreError;

const INSERT: &str = "INSERT INTO used_assertions (tenant, digest, expires_at) VALUES ($1, $2, $3)
    ON CONFLICT (tenant, digest) DO NOTHING";

impl Store {
    /// Uses a client assertion, by a digest of what identifies it. Whether this is the first use: a second use fails, even
    /// on another replica at the same moment.
    pub async fn use_assertion(
        &self,
        tenant_uid: &str,
        digest: &str,
        expires_at: Timestamp,
    ) -> Result<bool, StoreError> {
        self.write(UseAssertion {
            tenant_uid: tenant_uid.to_owned(),
            digest: digest.to_owned(),
            expires_at,
        })
        .await
    }
}

/// Uses an assertion; whether it was for the first time.
struct UseAssertion {
    tenant_uid: String,
    digest: String,
    expires_at: Timestamp,
}

impl Operation for UseAssertion {
    type Output = bool;

    async fn run(&self, db: &mut AnyConnection) -> sqlx::Result<bool> {
        let done = query(INSERT)
            .bind(&*self.tenant_uid)
            .bind(&*self.digest)
            .bind(millis(self.expires_at))
            .execute(db)
            .await?;
        Ok(done.rows_affected() == 1)
    }
}
