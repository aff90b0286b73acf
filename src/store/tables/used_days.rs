//! On which day each client was used last, as all replicas have recorded it.

use jiff::Timestamp;
use sqlx::{AnyConnection, query};

use crate::Store;
use crate::backend::operation::{Operation, column, millis, time};
use crate::error::StoreError;
use clientele_oauth::client::used_days::Day;

const RECORD: &str = "INSERT INTO used_days (client_uid, day, recorded_at) VALUES ($1, $2, $3)
    ON CONFLICT (client_uid) DO UPDATE SET day = excluded.day, recorded_at = excluded.recorded_at
    WHERE used_days.day < excluded.day";
const SELECT: &str = "SELECT client_uid, day, recorded_at FROM used_days
    WHERE (recorded_at, client_uid) > ($1, $2)
    ORDER BY recorded_at, client_uid LIMIT $3";

/// The last day on which a client was used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsedDay {
    /// The UID of the `OAuthClient`.
    pub client_uid: String,
    /// The UTC day.
    pub day: Day,
    /// When it was recorded, by the clock of the replica that did.
    pub recorded_at: Timestamp,
}

impl Store {
    /// Records days of use; a day before the recorded one changes nothing.
    pub async fn record_used_days(&self, days: Vec<UsedDay>) -> Result<(), StoreError> {
        self.write(RecordUsedDays(days)).await
    }

    /// The days that were recorded after a time, and after a client at that time; at most `limit`, in that order.
    pub async fn used_days(
        &self,
        (after, client_uid): (Timestamp, String),
        limit: u32,
    ) -> Result<Vec<UsedDay>, StoreError> {
        self.read(ReadUsedDays {
            after,
            client_uid,
            limit,
        })
        .await
    }
}

/// Records days of use, each unless a later one is recorded.
struct RecordUsedDays(Vec<UsedDay>);

impl Operation for RecordUsedDays {
    type Output = ();
    const SINGLE: bool = false;

    async fn run(&self, db: &mut AnyConnection) -> sqlx::Result<()> {
        for used in &self.0 {
            query(RECORD)
                .bind(&*used.client_uid)
                .bind(i64::from(used.day.number()))
                .bind(millis(used.recorded_at))
                .execute(&mut *db)
                .await?;
        }
        Ok(())
    }
}

/// A page of the days that were recorded.
struct ReadUsedDays {
    after: Timestamp,
    client_uid: String,
    limit: u32,
}

impl Operation for ReadUsedDays {
    type Output = Vec<UsedDay>;

    async fn run(&self, db: &mut AnyConnection) -> sqlx::Result<Vec<UsedDay>> {
        let rows = query(SELECT)
            .bind(millis(self.after))
            .bind(&*self.client_uid)
            .bind(i64::from(self.limit))
            .fetch_all(db)
            .await?;
        let row = |row| {
            let day: i64 = column(row, "day")?;
            Ok(UsedDay {
                client_uid: column(row, "client_uid")?,
                day: Day::from_number(u32::try_from(day).unwrap_or_default()),
                recorded_at: time(row, "recorded_at")?,
            })
        };
        rows.iter().map(row).collect()
    }
}

/// What searches, for the test of the indexes.
#[cfg(test)]
pub const SEARCHES: &[&str] = &[SELECT];
