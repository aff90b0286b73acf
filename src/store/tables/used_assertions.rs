//! Client assertions that were used: each counts once.

use jiff::Timestamp;
use sqlx::{AnyConnection, query};

use crate::backend::operation::{Operation, millis};

const INSERT: &str = "INSERT INTO used_assertions (tenant, digest, expires_at) VALUES ($1, $2, $3)
    ON CONFLICT (tenant, digest) DO NOTHING";

/// Uses an assertion; whether it was for the first time.
pub struct Use {
    pub tenant: String,
    pub digest: String,
    pub expires_at: Timestamp,
}

impl Operation for Use {
    type Output = bool;

    async fn run(&self, db: &mut AnyConnection) -> sqlx::Result<bool> {
        let done = query(INSERT)
            .bind(&*self.tenant)
            .bind(&*self.digest)
            .bind(millis(self.expires_at))
            .execute(db)
            .await?;
        Ok(done.rows_affected() == 1)
    }
}
