//! Which version of a client each replica serves, and which all of them do.

use jiff::Timestamp;
use sqlx::{AnyConnection, query};

use crate::Store;
use crate::backend::operation::{Operation, column, millis};
use crate::error::StoreError;
use clientele_oauth::client::served_versions::Versions;

const UPSERT: &str = "INSERT INTO served (registration_id, replica, generation) VALUES ($1, $2, $3)
    ON CONFLICT (registration_id, replica) DO UPDATE SET generation = excluded.generation";
const DELETE: &str = "DELETE FROM served WHERE registration_id = $1 AND replica = $2";
const BY_ALL: &str = "SELECT s.registration_id AS registration_id, MIN(s.generation) AS generation
    FROM served s JOIN replicas r ON r.id = s.replica
    WHERE r.serving = 1 AND (r.beat > 0 OR r.heard_at >= $1)
    GROUP BY s.registration_id
    HAVING COUNT(*) = (SELECT COUNT(*) FROM replicas WHERE serving = 1 AND (beat > 0 OR heard_at >= $1))";
const WITHOUT: &str = "SELECT r.id AS id FROM replicas r
    WHERE r.serving = 1 AND (r.beat > 0 OR r.heard_at >= $1)
    AND NOT EXISTS (SELECT 1 FROM served s
        WHERE s.registration_id = $2 AND s.replica = r.id AND s.generation >= $3)
    ORDER BY r.id";

impl Store {
    /// Reports that a replica serves these versions of clients, and no longer serves the `removed` clients.
    pub async fn report_served(
        &self,
        replica: &str,
        new: Vec<(String, i64)>,
        removed: Vec<String>,
    ) -> Result<(), StoreError> {
        let replica = replica.to_owned();
        self.write(ReportServed {
            replica,
            new,
            removed,
        })
        .await
    }

    /// The newest version of each client that every replica has reported that is waited for: those that [`Store::beat`] until they
    /// [`Store::leave`]; of an earlier version, which does neither, those with a heartbeat since `alive`.
    pub async fn served_by_all(&self, alive: Timestamp) -> Result<Versions, StoreError> {
        self.read(ServedByAll { alive }).await
    }

    /// The replicas that are waited for and have not reported this version of a client.
    pub async fn replicas_without(
        &self,
        alive: Timestamp,
        client_uid: String,
        generation: i64,
    ) -> Result<Vec<String>, StoreError> {
        self.read(ReplicasWithout {
            alive,
            client_uid,
            generation,
        })
        .await
    }
}

/// A replica serves these versions, and no longer serves the `removed` clients.
struct ReportServed {
    replica: String,
    new: Vec<(String, i64)>,
    removed: Vec<String>,
}

impl Operation for ReportServed {
    type Output = ();
    const SINGLE: bool = false;

    async fn run(&self, db: &mut AnyConnection) -> sqlx::Result<()> {
        for (client_uid, generation) in &self.new {
            let upsert = query(UPSERT).bind(&**client_uid).bind(&*self.replica);
            upsert.bind(*generation).execute(&mut *db).await?;
        }
        for client_uid in &self.removed {
            let delete = query(DELETE).bind(&**client_uid).bind(&*self.replica);
            delete.execute(&mut *db).await?;
        }
        Ok(())
    }
}

/// The versions that every serving replica with a heartbeat since then has reported.
struct ServedByAll {
    alive: Timestamp,
}

impl Operation for ServedByAll {
    type Output = Versions;

    async fn run(&self, db: &mut AnyConnection) -> sqlx::Result<Versions> {
        let by_all = query(BY_ALL).bind(millis(self.alive));
        let rows = by_all.fetch_all(db).await?;
        let row = |row| Ok((column(row, "registration_id")?, column(row, "generation")?));
        rows.iter().map(row).collect()
    }
}

/// The replicas that delay the readiness of a version of a client: they serve, have a heartbeat since then, and have not
/// reported this version.
struct ReplicasWithout {
    alive: Timestamp,
    client_uid: String,
    generation: i64,
}

impl Operation for ReplicasWithout {
    type Output = Vec<String>;

    async fn run(&self, db: &mut AnyConnection) -> sqlx::Result<Vec<String>> {
        let without = query(WITHOUT).bind(millis(self.alive));
        let without = without.bind(&*self.client_uid).bind(self.generation);
        let rows = without.fetch_all(db).await?;
        rows.iter().map(|row| column(row, "id")).collect()
    }
}

/// What searches, for the test of the indexes.
#[cfg(test)]
pub const SEARCHES: &[&str] = &[DELETE];
