//! Client assertions that were used: each counts once.

use jiff::Timestamp;
use sqlx::{AnyConnection, query};

use crate::Store;
use crate::backend::operation::{Operation, column, millis, time};
use crate::error::StoreError;

/// Replicas that insert at the same moment do not see each other: PostgreSQL may remember a few more.
const COUNT: &str = "SELECT COUNT(*) AS count, MIN(expires_at) AS until FROM (SELECT expires_at FROM used_assertions
    WHERE tenant = $1 AND client = $2 AND expires_at > $3 ORDER BY expires_at LIMIT $4) AS remembered";
const INSERT: &str =
    "INSERT INTO used_assertions (tenant, client, digest, expires_at) VALUES ($1, $2, $3, $4)
    ON CONFLICT (tenant, digest) DO NOTHING";

/// A client assertion that is about to be used.
#[derive(Clone, Debug)]
pub struct UsedAssertion {
    /// The UID of the tenant.
    pub tenant_uid: String,
    /// The UID of the client.
    pub client_uid: String,
    /// A digest of what identifies it.
    pub digest: String,
    /// When it may be forgotten.
    pub expires_at: Timestamp,
    /// How many of the client are remembered at the most.
    pub most: u32,
}

/// What became of the use of an assertion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AssertionUse {
    /// It is the first use.
    First,
    /// It was used before.
    Repeated,
    /// As many of the client are remembered as may be, and this one is not: it is not used.
    TooMany {
        /// When the first of those is forgotten.
        until: Timestamp,
    },
}

impl Store {
    /// Uses a client assertion. A second use fails, even on another replica at the same moment.
    pub async fn use_assertion(
        &self,
        assertion: UsedAssertion,
        now: Timestamp,
    ) -> Result<AssertionUse, StoreError> {
        self.write(UseAssertion { assertion, now }).await
    }
}

struct UseAssertion {
    assertion: UsedAssertion,
    now: Timestamp,
}

impl Operation for UseAssertion {
    type Output = AssertionUse;

    async fn run(&self, db: &mut AnyConnection) -> sqlx::Result<AssertionUse> {
        let assertion = &self.assertion;
        let remembered = query(COUNT)
            .bind(&*assertion.tenant_uid)
            .bind(&*assertion.client_uid)
            .bind(millis(self.now))
            .bind(i64::from(assertion.most))
            .fetch_one(&mut *db)
            .await?;
        if column::<i64>(&remembered, "count")? >= i64::from(assertion.most) {
            let until = time(&remembered, "until")?;
            return Ok(AssertionUse::TooMany { until });
        }
        let done = query(INSERT)
            .bind(&*assertion.tenant_uid)
            .bind(&*assertion.client_uid)
            .bind(&*assertion.digest)
            .bind(millis(assertion.expires_at))
            .execute(db)
            .await?;
        Ok(match done.rows_affected() {
            0 => AssertionUse::Repeated,
            _ => AssertionUse::First,
        })
    }
}
