//! The replicas that report, and since when all of them have reported every use of a client secret.

use jiff::Timestamp;
use sqlx::{AnyConnection, query};

use crate::Store;
use crate::backend::operation::{Operation, millis};
use crate::error::StoreError;

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

impl Store {
    /// A replica says how it is with it. What is known of use begins anew if others are found to be dead: what they did
    /// not report could be anything.
    pub async fn hear(&self, heard: Hear) -> Result<(), StoreError> {
        self.write(heard).await
    }

    /// A replica has reported everything and serves no longer.
    pub async fn leave(&self, replica: &str) -> Result<(), StoreError> {
        self.write(Leave(replica.to_owned())).await
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
struct Leave(String);

impl Operation for Leave {
    type Output = ();
    const SINGLE: bool = false;

    async fn run(&self, db: &mut AnyConnection) -> sqlx::Result<()> {
        query(LEAVE).bind(&*self.0).execute(&mut *db).await?;
        query(CLEAR).execute(db).await.map(drop)
    }
}

/// What searches, for the test of the indexes.
#[cfg(test)]
pub const SEARCHES: &[&str] = &[BURY, FORGET, GO_ON, LEAVE];
