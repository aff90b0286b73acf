//! Consents: what a person need not be asked again.

use jiff::Timestamp;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, query};

use super::revoke_grants::{Whose, end};
use crate::backend::operation::{FromRow, Operation, column, millis, time};
use clientele_oauth::grant::Consent;

const KEEP: &str = "INSERT INTO consents (tenant, subject, registration_id, person, client_id, scope, resources, granted_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
    ON CONFLICT (tenant, subject, registration_id) DO UPDATE SET person = excluded.person,
        client_id = excluded.client_id, scope = excluded.scope, resources = excluded.resources,
        granted_at = excluded.granted_at";
const SELECT: &str =
    "SELECT tenant, subject, registration_id, person, client_id, scope, resources, granted_at
    FROM consents WHERE tenant = $1 AND subject = $2 AND registration_id = $3";
const LIST: &str =
    "SELECT tenant, subject, registration_id, person, client_id, scope, resources, granted_at
    FROM consents WHERE tenant = $1 AND subject = $2 ORDER BY granted_at DESC, registration_id";
const DELETE: &str =
    "DELETE FROM consents WHERE tenant = $1 AND subject = $2 AND registration_id = $3";

impl FromRow for Consent {
    fn from_row(row: &AnyRow) -> sqlx::Result<Self> {
        Ok(Self {
            tenant: column(row, "tenant")?,
            subject: column(row, "subject")?,
            user_uid: column(row, "person")?,
            client_uid: column(row, "registration_id")?,
            client_id: column(row, "client_id")?,
            scope: column(row, "scope")?,
            resources: column(row, "resources")?,
            granted_at: time(row, "granted_at")?,
        })
    }
}

/// Keeps a consent in place of an earlier one.
pub struct Keep(pub Consent);

impl Operation for Keep {
    type Output = ();

    async fn run(&self, db: &mut AnyConnection) -> sqlx::Result<()> {
        let consent = &self.0;
        query(KEEP)
            .bind(&*consent.tenant)
            .bind(&*consent.subject)
            .bind(&*consent.client_uid)
            .bind(&*consent.user_uid)
            .bind(&*consent.client_id)
            .bind(&*consent.scope)
            .bind(&*consent.resources)
            .bind(millis(consent.granted_at))
            .execute(db)
            .await?;
        Ok(())
    }
}

/// Finds the consent of a person for a registration.
pub struct Find {
    pub tenant: String,
    pub subject: String,
    pub registration: String,
}

impl Operation for Find {
    type Output = Option<Consent>;

    async fn run(&self, db: &mut AnyConnection) -> sqlx::Result<Option<Consent>> {
        let row = query(SELECT)
            .bind(&*self.tenant)
            .bind(&*self.subject)
            .bind(&*self.registration)
            .fetch_optional(db)
            .await?;
        row.as_ref().map(Consent::from_row).transpose()
    }
}

/// Lists the consents of a person.
pub struct List {
    pub tenant: String,
    pub subject: String,
}

impl Operation for List {
    type Output = Vec<Consent>;

    async fn run(&self, db: &mut AnyConnection) -> sqlx::Result<Vec<Consent>> {
        let rows = query(LIST)
            .bind(&*self.tenant)
            .bind(&*self.subject)
            .fetch_all(db)
            .await?;
        rows.iter().map(Consent::from_row).collect()
    }
}

/// Withdraws a consent, and ends what it allowed.
pub struct Withdraw {
    pub tenant: String,
    pub subject: String,
    pub registration: String,
    pub now: Timestamp,
}

impl Operation for Withdraw {
    type Output = ();
    const SINGLE: bool = false;

    async fn run(&self, db: &mut AnyConnection) -> sqlx::Result<()> {
        query(DELETE)
            .bind(&*self.tenant)
            .bind(&*self.subject)
            .bind(&*self.registration)
            .execute(&mut *db)
            .await?;
        let whose = Whose::Consent(&self.subject, &self.registration);
        end(db, &self.tenant, &whose, self.now).await
    }
}

/// What searches, for the test of the indexes.
#[cfg(test)]
pub const SEARCHES: &[&str] = &[SELECT, LIST, DELETE];
