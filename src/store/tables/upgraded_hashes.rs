//! Password hashes that took the place of those in manifests, which have other parameters.

use jiff::Timestamp;
use sqlx::{AnyConnection, query};

use crate::Store;
use crate::backend::operation::{Operation, column, millis, time};
use crate::error::StoreError;

const SELECT: &str =
    "SELECT person, manifest, hash, upgraded_at FROM upgraded_hashes WHERE person = $1";
const KEEP: &str =
    "INSERT INTO upgraded_hashes (person, manifest, hash, upgraded_at) VALUES ($1, $2, $3, $4)
    ON CONFLICT (person) DO UPDATE SET manifest = excluded.manifest, hash = excluded.hash,
        upgraded_at = excluded.upgraded_at";

/// A hash of ours of a password whose manifest has another. Has no `Debug`.
#[derive(Clone)]
pub struct UpgradedHash {
    /// The UID of the `OAuthUser`.
    pub user_uid: String,
    /// The digest of the manifest's hash: with another one this counts no longer.
    pub manifest: String,
    /// The hash.
    pub hash: String,
    /// When it was made.
    pub upgraded_at: Timestamp,
}

impl Store {
    /// The upgraded hash of a person.
    pub async fn upgraded_hash(&self, user_uid: &str) -> Result<Option<UpgradedHash>, StoreError> {
        let user_uid = user_uid.to_owned();
        self.read(FindUpgradedHash { user_uid }).await
    }

    /// Keeps an upgraded hash in place of an earlier one of the person.
    pub async fn keep_upgraded_hash(&self, upgraded: UpgradedHash) -> Result<(), StoreError> {
        self.write(upgraded).await
    }
}

impl Operation for UpgradedHash {
    type Output = ();

    async fn run(&self, db: &mut AnyConnection) -> sqlx::Result<()> {
        query(KEEP)
            .bind(&*self.user_uid)
            .bind(&*self.manifest)
            .bind(&*self.hash)
            .bind(millis(self.upgraded_at))
            .execute(db)
            .await?;
        Ok(())
    }
}

/// Finds the upgraded hash of a person.
struct FindUpgradedHash {
    user_uid: String,
}

impl Operation for FindUpgradedHash {
    type Output = Option<UpgradedHash>;

    async fn run(&self, db: &mut AnyConnection) -> sqlx::Result<Option<UpgradedHash>> {
        let row = query(SELECT)
            .bind(&*self.user_uid)
            .fetch_optional(db)
            .await?;
        let Some(row) = row else {
            return Ok(None);
        };
        Ok(Some(UpgradedHash {
            user_uid: column(&row, "person")?,
            manifest: column(&row, "manifest")?,
            hash: column(&row, "hash")?,
            upgraded_at: time(&row, "upgraded_at")?,
        }))
    }
}

/// What searches, for the test of the indexes.
#[cfg(test)]
pub const SEARCHES: &[&str] = &[SELECT];
