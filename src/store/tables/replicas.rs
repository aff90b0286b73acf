//! The replicas that report, and since when all of them have reported every use of a client secret.

use jiff::Timestamp;
use sqlx::{AnyConnection, query};

use crate::Store;
use crate::backend::operation::{Operation, column, millis};
use crate::error::StoreError;

const DELETE_EXPIRED: &str =
    "DELETE FROM replicas WHERE heard_at < $1 AND (serving = 0 OR beat = 0)";
const DELETE_PREDECESSORS: &str = r"DELETE FROM replicas WHERE id LIKE $1 ESCAPE '\' AND id <> $2";
const RESTART_EPOCH: &str = "UPDATE usage_epoch SET since = $1 WHERE id = 1 AND since < $1";
const CONTINUE_EPOCH: &str =
    "UPDATE usage_epoch SET since = CASE WHEN heard_at < $1 THEN $2 ELSE since END, heard_at = $2
    WHERE id = 1";
const INSERT_EPOCH: &str =
    "INSERT INTO usage_epoch (id, since, heard_at) VALUES (1, $1, $1) ON CONFLICT (id) DO NOTHING";
const UPSERT: &str = "INSERT INTO replicas (id, heard_at, serving, beat) VALUES ($1, $2, $3, $4)
    ON CONFLICT (id) DO UPDATE SET heard_at = excluded.heard_at, serving = excluded.serving,
    beat = replicas.beat + excluded.beat";
const BEAT: &str = "UPDATE replicas SET beat = beat + 1, serving = 1 WHERE id = $1";
const BEATS: &str = "SELECT id, beat FROM replicas WHERE serving = 1 AND beat > 0";
const LEAVE: &str = "UPDATE replicas SET serving = 0 WHERE id = $1 AND beat = $2";
const DELETE: &str = "DELETE FROM replicas WHERE id = $1";
const DELETE_ORPHANS: &str = "DELETE FROM served WHERE replica NOT IN (SELECT id FROM replicas)";

impl Store {
    /// Records that a replica is alive. If other replicas have expired, the epoch of the usage records restarts: the
    /// uses that those did not report are unknown.
    pub async fn heartbeat(&self, heartbeat: Heartbeat) -> Result<(), StoreError> {
        self.write(heartbeat).await
    }

    /// Records that a replica lives and serves, and returns how often each that serves was heard. `None` if the replica is
    /// not known, because it was taken for gone: a heartbeat makes it known again.
    pub async fn beat(&self, replica: &str) -> Result<Option<Vec<(String, i64)>>, StoreError> {
        self.write(Beat(replica.to_owned())).await
    }

    /// No longer waits for a replica that was not heard since this beat; if it was, nothing happens.
    pub async fn leave(&self, replica: &str, beat: i64) -> Result<(), StoreError> {
        let replica = replica.to_owned();
        self.write(Leave { replica, beat }).await
    }

    /// Removes a replica that has reported every use and has stopped serving.
    pub async fn remove_replica(&self, replica: &str) -> Result<(), StoreError> {
        self.write(RemoveReplica(replica.to_owned())).await
    }
}

/// A replica is alive and has reported every use until `reported`. Replicas without a heartbeat since `expired_before`
/// are deleted, but for those that are still waited for; the uses that they did not report are unknown, so the epoch of the usage
/// records restarts. It also restarts if no replica sent a heartbeat since then.
#[derive(Clone, Debug)]
pub struct Heartbeat {
    /// The ID of the replica, unique to this process.
    pub replica: String,
    /// The prefix of the ID, before an underscore and sixteen digits, if no other live replica can have it: earlier
    /// replicas of this name are deleted.
    pub name: Option<String>,
    /// Whether the other replicas wait for it before they report a client as ready.
    pub serving: bool,
    /// Whether it says by [`Store::beat`] that it lives: then it is waited for, and not deleted, until others let it
    /// [`Store::leave`].
    pub beats: bool,
    /// The time until which it has reported every use.
    pub reported: Timestamp,
    /// A replica without a heartbeat since then has expired.
    pub expired_before: Timestamp,
    /// The current time.
    pub now: Timestamp,
}

impl Operation for Heartbeat {
    type Output = ();
    const SINGLE: bool = false;

    async fn run(&self, db: &mut AnyConnection) -> sqlx::Result<()> {
        let (now, expired_before) = (millis(self.now), millis(self.expired_before));
        // First, so that what it has said already is not removed as that of an unknown replica.
        query(UPSERT)
            .bind(&*self.replica)
            .bind(millis(self.reported))
            .bind(i64::from(self.serving))
            .bind(i64::from(self.beats))
            .execute(&mut *db)
            .await?;
        let expired = query(DELETE_EXPIRED).bind(expired_before);
        let mut deleted = expired.execute(&mut *db).await?.rows_affected();
        if let Some(name) = &self.name {
            let predecessors = query(DELETE_PREDECESSORS).bind(ids_of_name(name));
            let predecessors = predecessors.bind(&*self.replica);
            deleted += predecessors.execute(&mut *db).await?.rows_affected();
        }
        if deleted > 0 {
            query(RESTART_EPOCH).bind(now).execute(&mut *db).await?;
            query(DELETE_ORPHANS).execute(&mut *db).await?;
        }
        let continued = query(CONTINUE_EPOCH).bind(expired_before).bind(now);
        if continued.execute(&mut *db).await?.rows_affected() == 0 {
            query(INSERT_EPOCH).bind(now).execute(&mut *db).await?;
        }
        Ok(())
    }
}

/// A `LIKE` pattern of the IDs of a name: the name, an underscore and sixteen digits.
fn ids_of_name(name: &str) -> String {
    let mut pattern = String::new();
    for character in name.chars().chain(['_']) {
        if matches!(character, '\\' | '%' | '_') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern + &"_".repeat(16)
}

/// A replica lives and serves.
struct Beat(String);

impl Operation for Beat {
    type Output = Option<Vec<(String, i64)>>;
    const SINGLE: bool = false;

    async fn run(&self, db: &mut AnyConnection) -> sqlx::Result<Self::Output> {
        let heard = query(BEAT).bind(&*self.0).execute(&mut *db).await?;
        if heard.rows_affected() == 0 {
            return Ok(None);
        }
        let rows = query(BEATS).fetch_all(db).await?;
        let row = |row| Ok((column(row, "id")?, column(row, "beat")?));
        rows.iter().map(row).collect::<sqlx::Result<_>>().map(Some)
    }
}

/// A replica is not waited for any more, unless it was heard meanwhile.
struct Leave {
    replica: String,
    beat: i64,
}

impl Operation for Leave {
    type Output = ();

    async fn run(&self, db: &mut AnyConnection) -> sqlx::Result<()> {
        let leave = query(LEAVE).bind(&*self.replica).bind(self.beat);
        leave.execute(db).await.map(drop)
    }
}

/// Removes a replica and the versions that it served.
struct RemoveReplica(String);

impl Operation for RemoveReplica {
    type Output = ();
    const SINGLE: bool = false;

    async fn run(&self, db: &mut AnyConnection) -> sqlx::Result<()> {
        query(DELETE).bind(&*self.0).execute(&mut *db).await?;
        query(DELETE_ORPHANS).execute(db).await.map(drop)
    }
}

/// What searches, for the test of the indexes.
#[cfg(test)]
pub const SEARCHES: &[&str] = &[
    DELETE_EXPIRED,
    RESTART_EPOCH,
    CONTINUE_EPOCH,
    DELETE,
    BEAT,
    LEAVE,
];
