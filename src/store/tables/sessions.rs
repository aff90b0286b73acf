//! Sessions: who is signed in, in which browser.

use jiff::Timestamp;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, query};

use super::revoke_grants::{Whose, end};
use crate::Store;
use crate::backend::operation::{FromRow, Operation, column, millis, time};
use crate::error::StoreError;
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
            person: column(row, "person")?,
            credential: column(row, "credential")?,
            auth_time: time(row, "auth_time")?,
            last_used: time(row, "last_used")?,
            expires_at: time(row, "expires_at")?,
        })
    }
}

impl Store {
    /// Begins a session.
    pub async fn begin_session(&self, session: &Session) -> Result<(), StoreError> {
        self.write(Begin(session.clone())).await
    }

    /// Begins a session in the place of the one that has its `sid`, whose cookie is then worth nothing. What was
    /// allowed in that one goes on in this.
    pub async fn renew_session(&self, session: &Session) -> Result<(), StoreError> {
        self.write(Renew(session.clone())).await
    }

    /// The session of a cookie's digest in a tenant, whatever its age.
    pub async fn session(&self, tenant: &str, digest: &str) -> Result<Option<Session>, StoreError> {
        let (tenant, digest) = (tenant.to_owned(), digest.to_owned());
        self.read(Find { tenant, digest }).await
    }

    /// Records that a session is in use. Called at most once a minute for a session.
    pub async fn touch_session(
        &self,
        tenant: &str,
        digest: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let (tenant, digest) = (tenant.to_owned(), digest.to_owned());
        self.write(Touch {
            tenant,
            digest,
            now,
        })
        .await
    }

    /// Ends a session (by `sid`) and whatever was allowed in it without `offline_access`: its families are revoked,
    /// and its codes are used up, so that none begins a family afterwards.
    pub async fn end_session(
        &self,
        tenant: &str,
        sid: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let (tenant, sid) = (tenant.to_owned(), sid.to_owned());
        self.write(End { tenant, sid, now }).await
    }

    /// Ends every session of a person, with every family and code without `offline_access`; those with it as well if
    /// `offline_too`.
    pub async fn end_all_sessions(
        &self,
        tenant: &str,
        subject: &str,
        offline_too: bool,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(EndAll {
            tenant: tenant.to_owned(),
            subject: subject.to_owned(),
            offline_too,
            now,
        })
        .await
    }
}

/// Begins a session.
struct Begin(Session);

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
        .bind(&*session.person)
        .bind(&*session.credential)
        .bind(millis(session.auth_time))
        .bind(millis(session.last_used))
        .bind(millis(session.expires_at))
        .execute(db)
        .await?;
    Ok(())
}

/// Begins a session in the place of the one that has its `sid`.
struct Renew(Session);

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
struct Find {
    tenant: String,
    digest: String,
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
struct Touch {
    tenant: String,
    digest: String,
    now: Timestamp,
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
struct End {
    tenant: String,
    sid: String,
    now: Timestamp,
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
struct EndAll {
    tenant: String,
    subject: String,
    offline_too: bool,
    now: Timestamp,
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
