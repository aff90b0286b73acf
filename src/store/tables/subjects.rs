//! Which registration of a person uses a subject that was brought: another one does not get it at once.

use jiff::Timestamp;
use sqlx::{AnyConnection, query};

use crate::Store;
use crate::backend::operation::{Operation, millis};
use crate::error::StoreError;

const CLAIM: &str =
    "INSERT INTO subjects (tenant, subject, person, used_at) VALUES ($1, $2, $3, $4)
    ON CONFLICT (tenant, subject) DO UPDATE SET person = excluded.person, used_at = excluded.used_at
    WHERE subjects.person = excluded.person OR subjects.used_at < $5";

/// A registration of a person signs in under a subject.
#[derive(Clone, Debug)]
pub struct SubjectClaim {
    /// The UID of the tenant.
    pub tenant_uid: String,
    /// The subject.
    pub subject: String,
    /// The UID of the `OAuthUser`.
    pub user_uid: String,
    /// When.
    pub now: Timestamp,
    /// Another registration that used the subject last before this time has lost it.
    pub free_before: Timestamp,
}

impl Store {
    /// Uses a subject. Whether it belongs to this registration from now on: of two at once, also on two replicas, one
    /// succeeds. What succeeds is recorded before the session begins, so a crash in between leaves nothing undone.
    pub async fn claim_subject(&self, claim: SubjectClaim) -> Result<bool, StoreError> {
        self.write(claim).await
    }
}

impl Operation for SubjectClaim {
    type Output = bool;

    async fn run(&self, db: &mut AnyConnection) -> sqlx::Result<bool> {
        let done = query(CLAIM)
            .bind(&*self.tenant_uid)
            .bind(&*self.subject)
            .bind(&*self.user_uid)
            .bind(millis(self.now))
            .bind(millis(self.free_before))
            .execute(db)
            .await?;
        Ok(done.rows_affected() == 1)
    }
}
