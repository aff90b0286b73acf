//! Sessions: who is signed in, in which browser.

use jiff::Timestamp;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, query};

use super::revoke_grants::{Whose, end};
use crate::backend::operation::{FromRow, Operation, column, millis, time};
use clientele_oauth::grant::Session;

const INSERT: &str = "INSERT INTO sessions (tenant, digest, sid, subject, person, credential, auth_time, last_used, expires_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
const SELECT: &str =
    "SELECT tenant, digest, sid, subject, person, credential, auth_time, last_used, expires_at
    FROM sessions WHERE tenant = $1 AND digest = $2";
const TOUCH: &str =
    "UPDATE sessions SET last_used = $3 WHERE tenant = $1 AND digest = $2 AND last_used < $3";
const DELETE_ONE: &str = "DELETE FROM sessions WHERE tenant = $1 AND sid = $2";
const DELETE_ALL: &str = "DELETE FROM sessions WHERE tenant = $1 AND subject = $2";

impl FromRow for Session {
    fn from_row(row: &AnyRow) -> sqlx::Result<Self> {
        Ok(Self {
            tenant: column(row, "tenant")?,
            digest: column(row, "digest")?,
            sid: column(row, "sid")?,
            subject: column(row, "subject")?,
            user_uid: column(row, "person")?,
            credential: column(row, "credential")?,
            auth_time: time(row, "auth_time")?,
            last_used: time(row, "last_used")?,
            expires_at: time(row, "expires_at")?,
        })
    }
}

/// Begins a session.
pub struct Begin(pub Session);

impl Operation for Begin {
    type Output = ();

    async fn run(&self, db: &mut AnyConnection) -> sqlx::Result<()> {
        insert(&self.0, db).await
    }
}

async fn insert(session: &Session, db: &mut AnyConnection) -> sqlx::Result<()> {
    query(INSERT)
        .bind(&*session.tenant)
        .bind(&*session.digest)
        .bind(&*session.sid)
        .bind(&*session.subject)
        .bind(&*session.user_uid)
        .bind(&*session.credential)
        .bind(millis(session.auth_time))
        .bind(millis(session.last_used))
        .bind(millis(session.expires_at))
        .execute(db)
        .await?;
    Ok(())
}

/// Begins a session in the place of the one that has its `sid`.
pub struct Renew(pub Session);

impl Operation for Renew {
    type Output = ();
    const SINGLE: bool = false;

    async fn run(&self, db: &mut AnyConnection) -> sqlx::Result<()> {
        query(DELETE_ONE)
            .bind(&*self.0.tenant)
            .bind(&*self.0.sid)
            .execute(&mut *db)
            .await?;
        insert(&self.0, db).await
    }
}

/// Finds a session.
pub struct Find {
    pub tenant: String,
    pub digest: String,
}

impl Operation for Find {
    type Output = Option<Session>;

    async fn run(&self, db: &mut AnyConnection) -> sqlx::Result<Option<Session>> {
        let row = query(SELECT)
            .bind(&*self.tenant)
            .bind(&*self.digest)
            .fetch_optional(db)
            .await?;
        row.as_ref().map(Session::from_row).transpose()
    }
}

/// Records that a session is in use.
pub struct Touch {
    pub tenant: String,
    pub digest: String,
    pub now: Timestamp,
}

impl Operation for Touch {
    type Output = ();

    async fn run(&self, db: &mut AnyConnection) -> sqlx::Result<()> {
        query(TOUCH)
            .bind(&*self.tenant)
            .bind(&*self.digest)
            .bind(millis(self.now))
            .execute(db)
            .await?;
        Ok(())
    }
}

/// Ends a session, and with it what was allowed in it and does not outlive it.
pub struct End {
    pub tenant: String,
    pub sid: String,
    pub now: Timestamp,
}

impl Operation for End {
    type Output = ();
    const SINGLE: bool = false;

    async fn run(&self, db: &mut AnyConnection) -> sqlx::Result<()> {
        query(DELETE_ONE)
            .bind(&*self.tenant)
            .bind(&*self.sid)
            .execute(&mut *db)
            .await?;
        end(db, &self.tenant, &Whose::Session(&self.sid), self.now).await
    }
}

/// Ends every session of a person.
pub struct EndAll {
    pub tenant: String,
    pub subject: String,
    pub offline_too: bool,
    pub now: Timestamp,
}

impl Operation for EndAll {
    type Output = ();
    const SINGLE: bool = false;

    async fn run(&self, db: &mut AnyConnection) -> sqlx::Result<()> {
        query(DELETE_ALL)
            .bind(&*self.tenant)
            .bind(&*self.subject)
            .execute(&mut *db)
            .await?;
        let whose = if self.offline_too {
            Whose::Person(&self.subject)
        } else {
            Whose::PersonOnline(&self.subject)
        };
        end(db, &self.tenant, &whose, self.now).await
    }
}

/// What searches, for the test of the indexes.
#[cfg(test)]
pub const SEARCHES: &[&str] = &[SELECT, TOUCH, DELETE_ONE, DELETE_ALL];
