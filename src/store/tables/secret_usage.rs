//! Which generation of a client secret was used last when, as all replicas have reported it, and who they are.

use std::collections::HashMap;

use jiff::Timestamp;
use sqlx::{AnyConnection, query};

use crate::backend::operation::{Operation, column, millis, optional_time, time};
use clientele_oauth::client::secret_usage::{LastUse, Usage};

const REPORT: &str =
    "INSERT INTO last_uses (registration_id, generation, used_at) VALUES ($1, $2, $3)
    ON CONFLICT (registration_id, generation) DO UPDATE SET used_at = excluded.used_at
    WHERE last_uses.used_at < excluded.used_at";
const BURY: &str = "DELETE FROM replicas WHERE heard_at < $1";
const SUCCEED: &str = r"DELETE FROM replicas WHERE id LIKE $1 ESCAPE '\' AND id <> $2";
const FORGET: &str = "UPDATE usage_epoch SET since = $1 WHERE id = 1 AND since < $1";
const GO_ON: &str =
    "UPDATE usage_epoch SET since = CASE WHEN heard_at < $1 THEN $2 ELSE since END, heard_at = $2
    WHERE id = 1";
const BEGIN: &str =
    "INSERT INTO usage_epoch (id, since, heard_at) VALUES (1, $1, $1) ON CONFLICT (id) DO NOTHING";
const HEAR: &str = "INSERT INTO replicas (id, heard_at, serving) VALUES ($1, $2, $3)
    ON CONFLICT (id) DO UPDATE SET heard_at = excluded.heard_at, serving = excluded.serving";
const LEAVE: &str = "DELETE FROM replicas WHERE id = $1";
const CLEAR: &str = "DELETE FROM served WHERE replica NOT IN (SELECT id FROM replicas)";
const EPOCH: &str = "SELECT since FROM usage_epoch WHERE id = 1";
const SLOWEST: &str = "SELECT heard_at FROM replicas ORDER BY heard_at LIMIT 1";
const OLDEST_SESSION: &str = "SELECT MIN(auth_time) AS oldest FROM sessions WHERE expires_at > $1";
const OLDEST_FAMILY: &str = "SELECT MIN(auth_time) AS oldest FROM families WHERE ends_at > $1";
const SELECT: &str = "SELECT generation, used_at FROM last_uses WHERE registration_id = $1";

/// Keeps uses, each unless a later one is known.
pub struct Report(pub Vec<LastUse>);

impl Operation for Report {
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

/// A replica has reported every use until `reported`. One that was not heard since `dead` counts no longer; but what it
/// did not report could be anything, so what is known begins anew. It does as well if nobody was heard since.
#[derive(Clone, Debug)]
pub struct Hear {
    /// Which one; nobody had this ID before.
    pub replica: String,
    /// What its ID begins with, before an underscore and sixteen digits, if no other replica that lives has this name:
    /// whoever had it is dead.
    pub name: Option<String>,
    /// Whether others wait for it.
    pub serving: bool,
    /// Until when it has reported every use.
    pub reported: Timestamp,
    /// Who was not heard since then is dead.
    pub dead: Timestamp,
    /// The time.
    pub now: Timestamp,
}

impl Operation for Hear {
    type Output = ();
    const SINGLE: bool = false;

    async fn run(&self, db: &mut AnyConnection) -> sqlx::Result<()> {
        let (now, dead) = (millis(self.now), millis(self.dead));
        let buried = query(BURY).bind(dead).execute(&mut *db).await?;
        let mut died = buried.rows_affected();
        if let Some(name) = &self.name {
            let succeed = query(SUCCEED).bind(of_name(name));
            let succeeded = succeed.bind(&*self.replica).execute(&mut *db).await?;
            died += succeeded.rows_affected();
        }
        if died > 0 {
            query(FORGET).bind(now).execute(&mut *db).await?;
            query(CLEAR).execute(&mut *db).await?;
        }
        let goes_on = query(GO_ON).bind(dead).bind(now);
        if goes_on.execute(&mut *db).await?.rows_affected() == 0 {
            query(BEGIN).bind(now).execute(&mut *db).await?;
        }
        query(HEAR)
            .bind(&*self.replica)
            .bind(millis(self.reported))
            .bind(i64::from(self.serving))
            .execute(&mut *db)
            .await?;
        Ok(())
    }
}

/// A pattern of the IDs of this name: with an underscore and sixteen digits behind it.
fn of_name(name: &str) -> String {
    let mut pattern = String::new();
    for character in name.chars().chain(['_']) {
        if matches!(character, '\\' | '%' | '_') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern + &"_".repeat(16)
}

/// A replica has reported everything and serves no longer.
pub struct Leave(pub String);

impl Operation for Leave {
    type Output = ();
    const SINGLE: bool = false;

    async fn run(&self, db: &mut AnyConnection) -> sqlx::Result<()> {
        query(LEAVE).bind(&*self.0).execute(&mut *db).await?;
        query(CLEAR).execute(db).await.map(drop)
    }
}

/// What is known of these registrations; nothing if no replica has been heard.
pub struct Read(pub Vec<String>);

impl Operation for Read {
    type Output = Option<Usage>;

    async fn run(&self, db: &mut AnyConnection) -> sqlx::Result<Option<Usage>> {
        // Until when everything is known comes first: what is reported meanwhile may be read, and is not promised.
        let epoch = query(EPOCH).fetch_optional(&mut *db).await?;
        let slowest = query(SLOWEST).fetch_optional(&mut *db).await?;
        let (Some(epoch), Some(slowest)) = (epoch, slowest) else {
            return Ok(None);
        };
        let mut uses = HashMap::with_capacity(self.0.len());
        for registration in &self.0 {
            let rows = query(SELECT)
                .bind(&**registration)
                .fetch_all(&mut *db)
                .await?;
            let row = |row| {
                let generation: i64 = column(row, "generation")?;
                let generation = u32::try_from(generation).unwrap_or_default();
                Ok((generation, time(row, "used_at")?))
            };
            let rows = rows.iter().map(row).collect::<sqlx::Result<Vec<_>>>()?;
            uses.insert(registration.clone(), rows);
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
pub struct OldestSignIn {
    pub now: Timestamp,
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
pub const SEARCHES: &[&str] = &[
    BURY,
    FORGET,
    GO_ON,
    LEAVE,
    EPOCH,
    SELECT,
    OLDEST_SESSION,
    OLDEST_FAMILY,
];
