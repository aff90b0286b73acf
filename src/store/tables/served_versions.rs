//! Which version of a client each replica serves, and which all of them do.

use jiff::Timestamp;
use sqlx::{AnyConnection, query};

use crate::Store;
use crate::backend::operation::{Operation, column, millis};
use crate::error::StoreError;
use clientele_oauth::client::served_versions::Versions;

const TELL: &str = "INSERT INTO served (registration_id, replica, generation) VALUES ($1, $2, $3)
    ON CONFLICT (registration_id, replica) DO UPDATE SET generation = excluded.generation";
const TAKE_BACK: &str = "DELETE FROM served WHERE registration_id = $1 AND replica = $2";
const BY_ALL: &str = "SELECT s.registration_id AS registration_id, MIN(s.generation) AS generation
    FROM served s JOIN replicas r ON r.id = s.replica
    WHERE r.serving = 1 AND r.heard_at >= $1
    GROUP BY s.registration_id
    HAVING COUNT(*) = (SELECT COUNT(*) FROM replicas WHERE serving = 1 AND heard_at >= $1)";
const WITHOUT: &str = "SELECT r.id AS id FROM replicas r
    WHERE r.serving = 1 AND r.heard_at >= $1
    AND NOT EXISTS (SELECT 1 FROM served s
        WHERE s.registration_id = $2 AND s.replica = r.id AND s.generation >= $3)
    ORDER BY r.id";

impl Store {
    /// A replica serves these versions of clients from now on, and says nothing of those registrations any more.
    pub async fn tell_served(
        &self,
        replica: &str,
        new: Vec<(String, i64)>,
        gone: Vec<String>,
    ) -> Result<(), StoreError> {
        let replica = replica.to_owned();
        self.write(Tell { replica, new, gone }).await
    }

    /// The versions of clients that every replica serves which was heard since `alive`, of those that were told.
    pub async fn served_by_all(&self, alive: Timestamp) -> Result<Versions, StoreError> {
        self.read(ByAll { alive }).await
    }

    /// The replicas heard since `alive` that have not told that they serve this version of a client.
    pub async fn replicas_without(
        &self,
        alive: Timestamp,
        registration: String,
        generation: i64,
    ) -> Result<Vec<String>, StoreError> {
        self.read(Without {
            alive,
            registration,
            generation,
        })
        .await
    }
}

/// A replica serves these versions, and says nothing of those registrations any more.
struct Tell {
    replica: String,
    new: Vec<(String, i64)>,
    gone: Vec<String>,
}

impl Operation for Tell {
    type Output = ();
    const SINGLE: bool = false;

    async fn run(&self, db: &mut AnyConnection) -> sqlx::Result<()> {
        for (registration, generation) in &self.new {
            let tell = query(TELL).bind(&**registration).bind(&*self.replica);
            tell.bind(*generation).execute(&mut *db).await?;
        }
        for registration in &self.gone {
            let take_back = query(TAKE_BACK).bind(&**registration).bind(&*self.replica);
            take_back.execute(&mut *db).await?;
        }
        Ok(())
    }
}

/// What every replica serves that serves at all and was heard since then.
struct ByAll {
    alive: Timestamp,
}

impl Operation for ByAll {
    type Output = Versions;

    async fn run(&self, db: &mut AnyConnection) -> sqlx::Result<Versions> {
        let by_all = query(BY_ALL).bind(millis(self.alive));
        let rows = by_all.fetch_all(db).await?;
        let row = |row| Ok((column(row, "registration_id")?, column(row, "generation")?));
        rows.iter().map(row).collect()
    }
}

/// The replicas that are waited for with a version of a client: they serve, were heard since then, and have not told that
/// they serve this version.
struct Without {
    alive: Timestamp,
    registration: String,
    generation: i64,
}

impl Operation for Without {
    type Output = Vec<String>;

    async fn run(&self, db: &mut AnyConnection) -> sqlx::Result<Vec<String>> {
        let without = query(WITHOUT).bind(millis(self.alive));
        let without = without.bind(&*self.registration).bind(self.generation);
        let rows = without.fetch_all(db).await?;
        rows.iter().map(|row| column(row, "id")).collect()
    }
}

/// What searches, for the test of the indexes.
#[cfg(test)]
pub const SEARCHES: &[&str] = &[TAKE_BACK];
