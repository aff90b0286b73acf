//! Authorization codes: kept once for a request, used once.

use jiff::Timestamp;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, query};

use super::authorization_columns::{authorization_columns, bind};
use super::refresh_families;
use crate::backend::operation::{FromRow, Operation, column, millis, optional_time, time};
use crate::{Redemption, Store, StoreError};
use clientele_oauth::grant::{Authorization, Code, Family};

const INSERT: &str = concat!(
    "INSERT INTO codes (tenant, ",
    authorization_columns!(),
    ", offline, digest, request, redirect_uri, code_challenge, nonce, family, issued_at, expires_at, redeemed_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)
    ON CONFLICT (tenant, request) DO NOTHING"
);
const SELECT: &str = concat!(
    "SELECT tenant, ",
    authorization_columns!(),
    ", digest, request, redirect_uri, code_challenge, nonce, family, issued_at, expires_at, redeemed_at
    FROM codes WHERE tenant = $1 AND digest = $2"
);
const REDEEM: &str = "UPDATE codes SET redeemed_at = $3
    WHERE tenant = $1 AND digest = $2 AND redeemed_at IS NULL RETURNING family";
const FAMILY: &str = "SELECT family FROM codes WHERE tenant = $1 AND digest = $2";

impl FromRow for Code {
    fn from_row(row: &AnyRow) -> sqlx::Result<Self> {
        Ok(Self {
            digest: column(row, "digest")?,
            transaction: column(row, "request")?,
            authorization: Authorization::from_row(row)?,
            redirect_uri: column(row, "redirect_uri")?,
            code_challenge: column(row, "code_challenge")?,
            nonce: column(row, "nonce")?,
            family: column(row, "family")?,
            issued_at: time(row, "issued_at")?,
            expires_at: time(row, "expires_at")?,
            redeemed_at: optional_time(row, "redeemed_at")?,
        })
    }
}

impl Store {
    /// Keeps a code. `false` if its authorization request was answered before: then nothing is kept.
    pub async fn insert_code(&self, code: &Code) -> Result<bool, StoreError> {
        self.write(InsertCode(code.clone())).await
    }

    /// The code of a digest in a tenant, whatever its age and state.
    pub async fn code(&self, tenant_uid: &str, digest: &str) -> Result<Option<Code>, StoreError> {
        let (tenant_uid, digest) = (tenant_uid.to_owned(), digest.to_owned());
        self.read(FindCode { tenant_uid, digest }).await
    }

    /// Uses a code, once: marks it and begins the family, in one transaction. With `None` the code is used up and
    /// nothing begins, as after a wrong verifier. A second use revokes the family of the first.
    ///
    /// # Errors
    /// Also if the family is not the one that was set aside for the code; nothing happens then.
    pub async fn redeem(
        &self,
        tenant_uid: &str,
        digest: &str,
        family: Option<&Family>,
        now: Timestamp,
    ) -> Result<Redemption, StoreError> {
        self.write(RedeemCode {
            tenant_uid: tenant_uid.to_owned(),
            digest: digest.to_owned(),
            family: family.cloned(),
            now,
        })
        .await
    }
}

/// Keeps a code, unless its request was answered before.
struct InsertCode(Code);

impl Operation for InsertCode {
    type Output = bool;

    async fn run(&self, db: &mut AnyConnection) -> sqlx::Result<bool> {
        let code = &self.0;
        let done = bind(
            query(INSERT).bind(&*code.authorization.tenant),
            &code.authorization,
        )
        .bind(&*code.digest)
        .bind(&*code.transaction)
        .bind(&*code.redirect_uri)
        .bind(code.code_challenge.as_deref())
        .bind(code.nonce.as_deref())
        .bind(&*code.family)
        .bind(millis(code.issued_at))
        .bind(millis(code.expires_at))
        .bind(code.redeemed_at.map(millis))
        .execute(db)
        .await?;
        Ok(done.rows_affected() == 1)
    }
}

/// Finds a code.
struct FindCode {
    tenant_uid: String,
    digest: String,
}

impl Operation for FindCode {
    type Output = Option<Code>;

    async fn run(&self, db: &mut AnyConnection) -> sqlx::Result<Option<Code>> {
        let row = query(SELECT)
            .bind(&*self.tenant_uid)
            .bind(&*self.digest)
            .fetch_optional(db)
            .await?;
        row.as_ref().map(Code::from_row).transpose()
    }
}

/// Uses a code and begins its family.
struct RedeemCode {
    tenant_uid: String,
    digest: String,
    family: Option<Family>,
    now: Timestamp,
}

impl Operation for RedeemCode {
    type Output = Redemption;
    const SINGLE: bool = false;

    async fn at_once(&self, db: &mut AnyConnection) -> sqlx::Result<Option<Redemption>> {
        let ours = |family: &&Family| family.authorization.tenant == self.tenant_uid;
        let Some(family) = self.family.as_ref().filter(ours) else {
            return Ok(None);
        };
        let begun =
            refresh_families::insert_redeeming_code(db, family, &self.digest, self.now).await?;
        Ok(begun.then_some(Redemption::First))
    }

    async fn run(&self, db: &mut AnyConnection) -> sqlx::Result<Redemption> {
        let first = query(REDEEM)
            .bind(&*self.tenant_uid)
            .bind(&*self.digest)
            .bind(millis(self.now))
            .fetch_optional(&mut *db)
            .await?;
        let Some(row) = first else {
            return self.again(db).await;
        };
        let Some(family) = &self.family else {
            return Ok(Redemption::First);
        };
        // Otherwise a second use could not end it.
        if column::<&str>(&row, "family")? != family.id
            || self.tenant_uid != family.authorization.tenant
        {
            return Err(sqlx::Error::InvalidArgument(
                "a code begins the family that was reserved for it".into(),
            ));
        }
        refresh_families::insert(db, family).await?;
        Ok(Redemption::First)
    }
}

impl RedeemCode {
    async fn again(&self, db: &mut AnyConnection) -> sqlx::Result<Redemption> {
        let row = query(FAMILY)
            .bind(&*self.tenant_uid)
            .bind(&*self.digest)
            .fetch_optional(&mut *db)
            .await?;
        let Some(row) = row else {
            return Ok(Redemption::Gone);
        };
        let family = column(&row, "family")?;
        refresh_families::revoke(db, &self.tenant_uid, family, self.now).await?;
        Ok(Redemption::Again)
    }
}

/// What searches, for the test of the indexes.
#[cfg(test)]
pub const SEARCHES: &[&str] = &[SELECT, REDEEM, FAMILY];
