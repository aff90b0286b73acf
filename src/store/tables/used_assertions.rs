//! Client assertions that were used: each counts once.

mod room;

use jiff::Timestamp;
use sqlx::{AnyConnection, query};

use crate::Store;
use crate::backend::operation::{Operation, column, millis, time};
use crate::error::StoreError;
use room::Room;
pub(crate) use room::Rooms;

/// Replicas that insert at the same moment do not see each other: PostgreSQL may remember a few more. Asked for rarely (`room`).
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
        let (tenant, client) = (assertion.tenant_uid.clone(), assertion.client_uid.clone());
        let room = self.assertion_rooms.take(&tenant, &client, now);
        if let Room::FullUntil(until) = room {
            return Ok(AssertionUse::TooMany { until });
        }
        let (most, count) = (assertion.most, room == Room::Unknown);
        let operation = UseAssertion {
            assertion,
            now,
            count,
        };
        let (used, remembered) = self.write(operation).await?;
        match (&used, remembered) {
            (AssertionUse::TooMany { until }, _) => {
                self.assertion_rooms.full(&tenant, &client, *until);
            }
            (_, Some(remembered)) => {
                let left = most.saturating_sub(remembered + 1);
                self.assertion_rooms.counted(&tenant, &client, left);
            }
            (_, None) => {}
        }
        Ok(used)
    }
}

struct UseAssertion {
    assertion: UsedAssertion,
    now: Timestamp,
    /// Whether those that are remembered of the client have to be counted first.
    count: bool,
}

impl Operation for UseAssertion {
    /// With how many were remembered before, if they were counted.
    type Output = (AssertionUse, Option<u32>);

    async fn run(&self, db: &mut AnyConnection) -> sqlx::Result<Self::Output> {
        if !self.count {
            return Ok((self.insert(db).await?, None));
        }
        let assertion = &self.assertion;
        let counted = query(COUNT)
            .bind(&*assertion.tenant_uid)
            .bind(&*assertion.client_uid)
            .bind(millis(self.now))
            .bind(i64::from(assertion.most))
            .fetch_one(&mut *db)
            .await?;
        let remembered = u32::try_from(column::<i64>(&counted, "count")?).unwrap_or(u32::MAX);
        if remembered >= assertion.most {
            let until = time(&counted, "until")?;
            return Ok((AssertionUse::TooMany { until }, Some(remembered)));
        }
        Ok((self.insert(db).await?, Some(remembered)))
    }
}

impl UseAssertion {
    async fn insert(&self, db: &mut AnyConnection) -> sqlx::Result<AssertionUse> {
        let assertion = &self.assertion;
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
