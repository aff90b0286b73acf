//! Consents: what a person need not be asked again.

use jiff::Timestamp;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, query};

use super::revoke_grants::{GrantsOf, revoke_grants};
use crate::Store;
use crate::backend::operation::{FromRow, Operation, column, millis, time};
use crate::error::StoreError;
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

impl Store {
    /// The consent of a user for a client.
    pub async fn consent(
        &self,
        tenant_uid: &str,
        subject: &str,
        client_uid: &str,
    ) -> Result<Option<Consent>, StoreError> {
        self.read(FindConsent {
            tenant_uid: tenant_uid.to_owned(),
            subject: subject.to_owned(),
            client_uid: client_uid.to_owned(),
        })
        .await
    }

    /// Keeps a consent in place of an earlier one.
    pub async fn keep_consent(&self, consent: &Consent) -> Result<(), StoreError> {
        self.write(KeepConsent(consent.clone())).await
    }

    /// The consents of a person, newest first.
    pub async fn consents(
        &self,
        tenant_uid: &str,
        subject: &str,
    ) -> Result<Vec<Consent>, StoreError> {
        let (tenant_uid, subject) = (tenant_uid.to_owned(), subject.to_owned());
        self.read(ListConsents {
            tenant_uid,
            subject,
        })
        .await
    }

    /// Withdraws a consent, revokes every family of the user for that client, and uses up its codes.
    pub async fn withdraw(
        &self,
        tenant_uid: &str,
        subject: &str,
        client_uid: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(WithdrawConsent {
            tenant_uid: tenant_uid.to_owned(),
            subject: subject.to_owned(),
            client_uid: client_uid.to_owned(),
            now,
        })
        .await
    }
}

/// Keeps a consent in place of an earlier one.
struct KeepConsent(Consent);

impl Operation for KeepConsent {
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

/// Finds the consent of a user for a client.
struct FindConsent {
    tenant_uid: String,
    subject: String,
    client_uid: String,
}

impl Operation for FindConsent {
    type Output = Option<Consent>;

    async fn run(&self, db: &mut AnyConnection) -> sqlx::Result<Option<Consent>> {
        let row = query(SELECT)
            .bind(&*self.tenant_uid)
            .bind(&*self.subject)
            .bind(&*self.client_uid)
            .fetch_optional(db)
            .await?;
        row.as_ref().map(Consent::from_row).transpose()
    }
}

/// Lists the consents of a person.
struct ListConsents {
    tenant_uid: String,
    subject: String,
}

impl Operation for ListConsents {
    type Output = Vec<Consent>;

    async fn run(&self, db: &mut AnyConnection) -> sqlx::Result<Vec<Consent>> {
        let rows = query(LIST)
            .bind(&*self.tenant_uid)
            .bind(&*self.subject)
            .fetch_all(db)
            .await?;
        rows.iter().map(Consent::from_row).collect()
    }
}

/// Withdraws a consent, and ends what it allowed.
struct WithdrawConsent {
    tenant_uid: String,
    subject: String,
    client_uid: String,
    now: Timestamp,
}

impl Operation for WithdrawConsent {
    type Output = ();
    const SINGLE: bool = false;

    async fn run(&self, db: &mut AnyConnection) -> sqlx::Result<()> {
        query(DELETE)
            .bind(&*self.tenant_uid)
            .bind(&*self.subject)
            .bind(&*self.client_uid)
            .execute(&mut *db)
            .await?;
        let grants_of = GrantsOf::Consent(&self.subject, &self.client_uid);
        revoke_grants(db, &self.tenant_uid, &grants_of, self.now).await
    }
}

/// What searches, for the test of the indexes.
#[cfg(test)]
pub const SEARCHES: &[&str] = &[SELECT, LIST, DELETE];
