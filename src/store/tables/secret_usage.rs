//! When each generation of a client secret was last used, as all replicas have reported it.

use std::collections::HashMap;

use jiff::Timestamp;
use sqlx::{AnyConnection, query};

use crate::Store;
use crate::backend::operation::{Operation, column, millis, optional_time, time};
use crate::error::StoreError;
use clientele_oauth::client::secret_usage::{LastUse, Usage};

const REPORT: &str =
    "INSERT INTO last_uses (registration_id, generation, used_at) VALUES ($1, $2, $3)
    ON CONFLICT (registration_id, generation) DO UPDATE SET used_at = excluded.used_at
    WHERE last_uses.used_at < excluded.used_at";
const EPOCH: &str = "SELECT since FROM usage_epoch WHERE id = 1";
const SLOWEST: &str = "SELECT heard_at FROM replicas ORDER BY heard_at LIMIT 1";
const OLDEST_SESSION: &str = "SELECT MIN(auth_time) AS oldest FROM sessions WHERE expires_at > $1";
const OLDEST_FAMILY: &str = "SELECT MIN(auth_time) AS oldest FROM families WHERE ends_at > $1";
const SELECT: &str = "SELECT generation, used_at FROM last_uses WHERE registration_id = $1";

impl Store {
    /// Records when client secrets were last used; a use earlier than the recorded one changes nothing.
    pub async fn report_uses(&self, uses: Vec<LastUse>) -> Result<(), StoreError> {
        self.write(ReportUses(uses)).await
    }

    /// The reported uses of the secrets of these clients; `None` before the first heartbeat.
    pub async fn usage(&self, client_uids: Vec<String>) -> Result<Option<Usage>, StoreError> {
        self.read(ReadUsage(client_uids)).await
    }

    /// When the oldest sign-in was of which a session or a family lives.
    pub async fn oldest_sign_in(&self, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        self.read(OldestSignIn { now }).await
    }
}

/// Records uses, each unless a later one is recorded.
struct ReportUses(Vec<LastUse>);

impl Operation for ReportUses {
    type Output = ();
    const SINGLE: bool = false;

    async fn run(&self, db: &mut AnyConnection) -> sqlx::Result<()> {
        for last in &self.0 {
            query(REPORT)
                .bind(&*last.client_uid)
                .bind(i64::from(last.generation))
                .bind(millis(last.used_at))
                .execute(&mut *db)
                .await?;
        }
        Ok(())
    }
}

/// The reported uses of the secrets of these clients; `None` without a replica.
struct ReadUsage(Vec<String>);

impl Operation for ReadUsage {
    type Output = Option<Usage>;

    async fn run(&self, db: &mut AnyConnection) -> sqlx::Result<Option<Usage>> {
        // The time until which all uses are reported is read first: a use reported meanwhile may be read, but need not be.
        let epoch = query(EPOCH).fetch_optional(&mut *db).await?;
        let slowest = query(SLOWEST).fetch_optional(&mut *db).await?;
        let (Some(epoch), Some(slowest)) = (epoch, slowest) else {
            return Ok(None);
        };
        let mut uses = HashMap::with_capacity(self.0.len());
        for client_uid in &self.0 {
            let rows = query(SELECT)
                .bind(&**client_uid)
                .fetch_all(&mut *db)
                .await?;
            let row = |row| {
                let generation: i64 = column(row, "generation")?;
                let generation = u32::try_from(generation).unwrap_or_default();
                Ok((generation, time(row, "used_at")?))
            };
            let rows = rows.iter().map(row).collect::<sqlx::Result<Vec<_>>>()?;
            uses.insert(client_uid.clone(), rows);
        }
        Ok(Some(Usage {
            since: time(&epoch, "since")?,
            until: time(&slowest, "heard_at")?,
            oldest_sign_in: None,
            uses,
        }))
    }
}

/// When the oldest sign-in was of which a session or a family lives.
struct OldestSignIn {
    now: Timestamp,
}

impl Operation for OldestSignIn {
    type Output = Option<Timestamp>;

    async fn run(&self, db: &mut AnyConnection) -> sqlx::Result<Option<Timestamp>> {
        let mut oldest = None;
        for search in [OLDEST_SESSION, OLDEST_FAMILY] {
            let search = query(search).bind(millis(self.now));
            let row = search.fetch_one(&mut *db).await?;
            let found = optional_time(&row, "oldest")?;
            oldest = oldest.into_iter().chain(found).min();
        }
        Ok(oldest)
    }
}

/// What searches, for the test of the indexes.
#[cfg(test)]
pub const SEARCHES: &[&str] = &[EPOCH, SELECT, OLDEST_SESSION, OLDEST_FAMILY];
