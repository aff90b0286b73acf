//! Refresh families: one chain of refresh tokens each, which never forks.

use std::time::Duration;

use jiff::Timestamp;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, query};

use super::authorization_columns::{Statement, authorization_columns, bind};
use crate::backend::operation::{FromRow, Operation, column, millis, optional_time, time};
use crate::{Rotation, Store, StoreError};
use clientele_oauth::grant::{Authorization, Family};

macro_rules! family_columns {
    () => {
        concat!(
            "tenant, ",
            authorization_columns!(),
            ", id, sequence, rotated_at, issued_at, expires_at, idle_expires_at, revoked_at"
        )
    };
}
const INSERT: &str = concat!(
    "INSERT INTO families (tenant, ",
    authorization_columns!(),
    ", offline, id, sequence, rotated_at, issued_at, expires_at, idle_expires_at, revoked_at, ends_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)"
);
const BEGIN: &str = concat!(
    "WITH used AS (UPDATE codes SET redeemed_at = $22
        WHERE tenant = $1 AND digest = $21 AND family = $13 AND redeemed_at IS NULL RETURNING family)
    INSERT INTO families (tenant, ",
    authorization_columns!(),
    ", offline, id, sequence, rotated_at, issued_at, expires_at, idle_expires_at, revoked_at, ends_at)
    SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, family, $14, $15, $16, $17, $18, $19, $20 FROM used"
);
const SELECT: &str = concat!(
    "SELECT ",
    family_columns!(),
    " FROM families WHERE tenant = $1 AND id = $2"
);
const ROTATE: &str = concat!(
    "UPDATE families SET sequence = sequence + 1, rotated_at = $4, idle_expires_at = $5,
        ends_at = CASE WHEN expires_at < $5 THEN expires_at ELSE $5 END
    WHERE tenant = $1 AND id = $2 AND sequence = $3
        AND revoked_at IS NULL AND expires_at > $4 AND idle_expires_at > $4
    RETURNING ",
    family_columns!()
);
const REVOKE: &str =
    "UPDATE families SET revoked_at = $3, ends_at = CASE WHEN ends_at < $3 THEN ends_at ELSE $3 END
    WHERE tenant = $1 AND id = $2 AND revoked_at IS NULL RETURNING expires_at, idle_expires_at";

/// Those that live, beyond the ones that began last.
const SPARE: &str =
    "SELECT id FROM families WHERE tenant = $1 AND subject = $2 AND registration_id = $3
    AND revoked_at IS NULL AND ends_at > $4 ORDER BY issued_at DESC, id LIMIT 100 OFFSET $5";

/// The most refresh families of a person with one client.
pub const MAX_FAMILIES: u32 = 100;

impl FromRow for Family {
    fn from_row(row: &AnyRow) -> sqlx::Result<Self> {
        let sequence: i64 = column(row, "sequence")?;
        Ok(Self {
            id: column(row, "id")?,
            authorization: Authorization::from_row(row)?,
            sequence: u32::try_from(sequence)
                .map_err(|error| sqlx::Error::Decode(Box::new(error)))?,
            rotated_at: time(row, "rotated_at")?,
            issued_at: time(row, "issued_at")?,
            expires_at: time(row, "expires_at")?,
            idle_expires_at: time(row, "idle_expires_at")?,
            revoked_at: optional_time(row, "revoked_at")?,
        })
    }
}

impl Store {
    /// A family, whatever its age and state.
    pub async fn family(&self, tenant_uid: &str, id: &str) -> Result<Option<Family>, StoreError> {
        let (tenant_uid, id) = (tenant_uid.to_owned(), id.to_owned());
        self.read(FindFamily { tenant_uid, id }).await
    }

    /// Uses the refresh token `sequence` of a family. Within `grace` of its first use, while its successor is unused,
    /// it may be used again. `idle` is until when the family may now lie unused.
    pub async fn rotate(
        &self,
        tenant_uid: &str,
        id: &str,
        sequence: u32,
        grace: Duration,
        idle: Timestamp,
        now: Timestamp,
    ) -> Result<Rotation, StoreError> {
        self.write(RotateFamily {
            tenant_uid: tenant_uid.to_owned(),
            id: id.to_owned(),
            sequence,
            grace,
            idle,
            now,
        })
        .await
    }

    /// Revokes what a person has beyond `MAX_FAMILIES` with the client of this authorization, oldest first. Returns how many.
    pub async fn trim_families(
        &self,
        authorization: &Authorization,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let authorization = authorization.clone();
        self.write(TrimFamilies { authorization, now }).await
    }

    /// Revokes a family. Whether there was one that lived.
    pub async fn revoke_family(
        &self,
        tenant_uid: &str,
        id: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let (tenant_uid, id) = (tenant_uid.to_owned(), id.to_owned());
        self.write(RevokeFamily {
            tenant_uid,
            id,
            now,
        })
        .await
    }
}

/// Revokes those of a person with a client that began the longest time ago.
struct TrimFamilies {
    authorization: Authorization,
    now: Timestamp,
}

impl Operation for TrimFamilies {
    type Output = u64;
    const SINGLE: bool = false;

    async fn run(&self, db: &mut AnyConnection) -> sqlx::Result<u64> {
        let Authorization {
            tenant,
            subject,
            client_uid,
            ..
        } = &self.authorization;
        let spare = query(SPARE)
            .bind(&**tenant)
            .bind(&**subject)
            .bind(&**client_uid)
            .bind(millis(self.now))
            .bind(i64::from(MAX_FAMILIES))
            .fetch_all(&mut *db)
            .await?;
        for row in &spare {
            revoke(db, tenant, column(row, "id")?, self.now).await?;
        }
        Ok(spare.len() as u64)
    }
}

/// Inserts a family.
pub async fn insert(db: &mut AnyConnection, family: &Family) -> sqlx::Result<()> {
    bind_family(query(INSERT), family)
        .execute(db)
        .await
        .map(drop)
}

/// Binds the twenty columns of a family.
fn bind_family<'q>(statement: Statement<'q>, family: &'q Family) -> Statement<'q> {
    let ends_at = family.expires_at.min(family.idle_expires_at);
    let ends_at = family.revoked_at.map_or(ends_at, |at| at.min(ends_at));
    bind(
        statement.bind(&*family.authorization.tenant),
        &family.authorization,
    )
    .bind(&*family.id)
    .bind(i64::from(family.sequence))
    .bind(millis(family.rotated_at))
    .bind(millis(family.issued_at))
    .bind(millis(family.expires_at))
    .bind(millis(family.idle_expires_at))
    .bind(family.revoked_at.map(millis))
    .bind(millis(ends_at))
}

/// Redeems an unused code and inserts its family, in one statement of PostgreSQL. Whether it did.
pub async fn insert_redeeming_code(
    db: &mut AnyConnection,
    family: &Family,
    digest: &str,
    now: Timestamp,
) -> sqlx::Result<bool> {
    let statement = bind_family(query(BEGIN), family);
    let begun = statement.bind(digest).bind(millis(now));
    Ok(begun.execute(db).await?.rows_affected() == 1)
}

/// Revokes a family. Whether it lived.
pub async fn revoke(
    db: &mut AnyConnection,
    tenant_uid: &str,
    id: &str,
    now: Timestamp,
) -> sqlx::Result<bool> {
    let revoked = query(REVOKE)
        .bind(tenant_uid)
        .bind(id)
        .bind(millis(now))
        .fetch_optional(db)
        .await?;
    match revoked {
        Some(row) => Ok(now < time(&row, "expires_at")? && now < time(&row, "idle_expires_at")?),
        None => Ok(false),
    }
}

/// Finds a family.
struct FindFamily {
    tenant_uid: String,
    id: String,
}

impl Operation for FindFamily {
    type Output = Option<Family>;

    async fn run(&self, db: &mut AnyConnection) -> sqlx::Result<Option<Family>> {
        find(db, &self.tenant_uid, &self.id).await
    }
}

async fn find(db: &mut AnyConnection, tenant_uid: &str, id: &str) -> sqlx::Result<Option<Family>> {
    let row = query(SELECT)
        .bind(tenant_uid)
        .bind(id)
        .fetch_optional(db)
        .await?;
    row.as_ref().map(Family::from_row).transpose()
}

/// Uses a refresh token.
struct RotateFamily {
    tenant_uid: String,
    id: String,
    sequence: u32,
    grace: Duration,
    idle: Timestamp,
    now: Timestamp,
}

/// What it reads after the first statement found nothing decides only whether the family is revoked, and that is one
/// statement again.
impl Operation for RotateFamily {
    type Output = Rotation;

    async fn run(&self, db: &mut AnyConnection) -> sqlx::Result<Rotation> {
        let moved = query(ROTATE)
            .bind(&*self.tenant_uid)
            .bind(&*self.id)
            .bind(i64::from(self.sequence))
            .bind(millis(self.now))
            .bind(millis(self.idle))
            .fetch_optional(&mut *db)
            .await?;
        if let Some(row) = moved {
            return Ok(Rotation::Next(Family::from_row(&row)?));
        }
        let family = find(db, &self.tenant_uid, &self.id).await?;
        let Some(family) = family.filter(|family| family.lives(self.now)) else {
            return Ok(Rotation::Gone);
        };
        if self.is_retry(&family) {
            return Ok(Rotation::Retry(family));
        }
        if self.came_before(&family) {
            return Ok(Rotation::Gone);
        }
        // A sequence number that is still to come was given out before the database was restored: who has that
        // token cannot be told from who has the one that the database knows.
        revoke(db, &self.tenant_uid, &self.id, self.now).await?;
        Ok(Rotation::Reused)
    }
}

impl RotateFamily {
    /// Whether this is the token before the newest, used again so soon that its answer must have been lost.
    fn is_retry(&self, family: &Family) -> bool {
        let since = millis(self.now).saturating_sub(millis(family.rotated_at));
        let grace = i64::try_from(self.grace.as_millis()).unwrap_or(i64::MAX);
        self.sequence.checked_add(1) == Some(family.sequence) && since < grace
    }

    /// Whether this request came before the newest rotation and waited for the database. The client has given it up and
    /// repeated it, and the repetition was faster: the token was not used again after its use.
    fn came_before(&self, family: &Family) -> bool {
        self.sequence < family.sequence && self.now < family.rotated_at
    }
}

/// Revokes a family.
struct RevokeFamily {
    tenant_uid: String,
    id: String,
    now: Timestamp,
}

impl Operation for RevokeFamily {
    type Output = bool;

    async fn run(&self, db: &mut AnyConnection) -> sqlx::Result<bool> {
        revoke(db, &self.tenant_uid, &self.id, self.now).await
    }
}

/// What searches, for the test of the indexes.
#[cfg(test)]
pub const SEARCHES: &[&str] = &[SPARE, SELECT, ROTATE, REVOKE];
