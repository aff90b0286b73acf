//! Sessions: who is signed in, in which browser.

use jiff::Timestamp;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, query};

use super::revoke_grants::{GrantsOf, revoke_grants};
use crate::Store;
use crate::backend::operation::{FromRow, Operation, column, millis, time};
use crate::error::StoreError;
use clientele_oauth::grant::Session;

const INSERT: &str = "INSERT INTO sessions (tenant, digest, sid, subject, person, credential, auth_time, last_used, expires_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
const SELECT: &str =
    "SELECT tenant, digest, sid, subject, person, credential, auth_time, last_used, expires_at
    FROM sessions WHERE tenant = $1 AND digest = $2";
const SELECT_BY_SID: &str =
    "SELECT tenant, digest, sid, subject, person, credential, auth_time, last_used, expires_at
    FROM sessions WHERE tenant = $1 AND sid = $2";
const TOUCH: &str =
    "UPDATE sessions SET last_used = $3 WHERE tenant = $1 AND digest = $2 AND last_used < $3";
const RENEW: &str = "INSERT INTO sessions (tenant, digest, sid, subject, person, credential, auth_time, last_used, expires_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
    ON CONFLICT (tenant, sid) DO UPDATE SET digest = excluded.digest, subject = excluded.subject, person = excluded.person,
    credential = excluded.credential, auth_time = excluded.auth_time, last_used = excluded.last_used,
    expires_at = excluded.expires_at";
/// Those beyond the ones that were used last.
const SPARE: &str = "SELECT sid FROM sessions WHERE tenant = $1 AND subject = $2
    ORDER BY last_used DESC, sid LIMIT 100 OFFSET $3";
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

/// The most sessions of a person in a tenant.
pub const MAX_SESSIONS: u32 = 100;

impl Store {
    /// Begins a session. Of a person who has `MAX_SESSIONS` already, those end that were used the longest time ago.
    pub async fn begin_session(&self, session: &Session) -> Result<(), StoreError> {
        self.write(BeginSession(session.clone())).await
    }

    /// Begins a session in the place of the one that has its `sid`, whose cookie is then worth nothing. What was
    /// allowed in that one goes on in this.
    pub async fn renew_session(&self, session: &Session) -> Result<(), StoreError> {
        self.write(RenewSession(session.clone())).await
    }

    /// The session of a cookie's digest in a tenant, whatever its age.
    pub async fn session(
        &self,
        tenant_uid: &str,
        digest: &str,
    ) -> Result<Option<Session>, StoreError> {
        let (tenant_uid, digest) = (tenant_uid.to_owned(), digest.to_owned());
        self.read(FindSession { tenant_uid, digest }).await
    }

    /// The session of a `sid` in a tenant, whatever its age.
    pub async fn session_by_sid(
        &self,
        tenant_uid: &str,
        sid: &str,
    ) -> Result<Option<Session>, StoreError> {
        let (tenant_uid, sid) = (tenant_uid.to_owned(), sid.to_owned());
        self.read(FindSessionBySid { tenant_uid, sid }).await
    }

    /// Records that a session is in use. Called at most once a minute for a session.
    pub async fn touch_session(
        &self,
        tenant_uid: &str,
        digest: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let (tenant_uid, digest) = (tenant_uid.to_owned(), digest.to_owned());
        self.write(TouchSession {
            tenant_uid,
            digest,
            now,
        })
        .await
    }

    /// Ends a session (by `sid`) and whatever was allowed in it without `offline_access`: its families are revoked,
    /// and its codes are used up, so that none begins a family afterwards.
    pub async fn end_session(
        &self,
        tenant_uid: &str,
        sid: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let (tenant_uid, sid) = (tenant_uid.to_owned(), sid.to_owned());
        self.write(EndSession {
            tenant_uid,
            sid,
            now,
        })
        .await
    }

    /// Ends every session of a person, with every family and code without `offline_access`; those with it as well if
    /// `offline_too`.
    pub async fn end_all_sessions(
        &self,
        tenant_uid: &str,
        subject: &str,
        offline_too: bool,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(EndAllSessions {
            tenant_uid: tenant_uid.to_owned(),
            subject: subject.to_owned(),
            offline_too,
            now,
        })
        .await
    }
}

/// Begins a session.
struct BeginSession(Session);

impl Operation for BeginSession {
    type Output = ();
    const SINGLE: bool = false;

    async fn run(&self, db: &mut AnyConnection) -> sqlx::Result<()> {
        let Session {
            tenant, subject, ..
        } = &self.0;
        let spare = query(SPARE)
            .bind(&**tenant)
            .bind(&**subject)
            .bind(i64::from(MAX_SESSIONS) - 1)
            .fetch_all(&mut *db)
            .await?;
        for row in &spare {
            end(db, tenant, column(row, "sid")?, self.0.auth_time).await?;
        }
        insert(INSERT, &self.0, db).await
    }
}

async fn insert(
    statement: &'static str,
    session: &Session,
    db: &mut AnyConnection,
) -> sqlx::Result<()> {
    query(statement)
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

/// Begins a session in the place of the one that has its `sid`. In one statement: a browser may send its form twice, and
/// then two renew at once.
struct RenewSession(Session);

impl Operation for RenewSession {
    type Output = ();

    async fn run(&self, db: &mut AnyConnection) -> sqlx::Result<()> {
        insert(RENEW, &self.0, db).await
    }
}

/// Finds a session.
struct FindSession {
    tenant_uid: String,
    digest: String,
}

impl Operation for FindSession {
    type Output = Option<Session>;

    async fn run(&self, db: &mut AnyConnection) -> sqlx::Result<Option<Session>> {
        let row = query(SELECT)
            .bind(&*self.tenant_uid)
            .bind(&*self.digest)
            .fetch_optional(db)
            .await?;
        row.as_ref().map(Session::from_row).transpose()
    }
}

/// Finds a session by its public name.
struct FindSessionBySid {
    tenant_uid: String,
    sid: String,
}

impl Operation for FindSessionBySid {
    type Output = Option<Session>;

    async fn run(&self, db: &mut AnyConnection) -> sqlx::Result<Option<Session>> {
        let row = query(SELECT_BY_SID)
            .bind(&*self.tenant_uid)
            .bind(&*self.sid)
            .fetch_optional(db)
            .await?;
        row.as_ref().map(Session::from_row).transpose()
    }
}

/// Records that a session is in use.
struct TouchSession {
    tenant_uid: String,
    digest: String,
    now: Timestamp,
}

impl Operation for TouchSession {
    type Output = ();

    async fn run(&self, db: &mut AnyConnection) -> sqlx::Result<()> {
        query(TOUCH)
            .bind(&*self.tenant_uid)
            .bind(&*self.digest)
            .bind(millis(self.now))
            .execute(db)
            .await?;
        Ok(())
    }
}

/// Ends a session, and with it what was allowed in it and does not outlive it.
struct EndSession {
    tenant_uid: String,
    sid: String,
    now: Timestamp,
}

impl Operation for EndSession {
    type Output = ();
    const SINGLE: bool = false;

    async fn run(&self, db: &mut AnyConnection) -> sqlx::Result<()> {
        end(db, &self.tenant_uid, &self.sid, self.now).await
    }
}

async fn end(db: &mut AnyConnection, tenant: &str, sid: &str, now: Timestamp) -> sqlx::Result<()> {
    let delete = query(DELETE_ONE).bind(tenant).bind(sid);
    delete.execute(&mut *db).await?;
    revoke_grants(db, tenant, &GrantsOf::Session(sid), now).await
}

/// Ends every session of a person.
struct EndAllSessions {
    tenant_uid: String,
    subject: String,
    offline_too: bool,
    now: Timestamp,
}

impl Operation for EndAllSessions {
    type Output = ();
    const SINGLE: bool = false;

    async fn run(&self, db: &mut AnyConnection) -> sqlx::Result<()> {
        query(DELETE_ALL)
            .bind(&*self.tenant_uid)
            .bind(&*self.subject)
            .execute(&mut *db)
            .await?;
        let grants_of = if self.offline_too {
            GrantsOf::User(&self.subject)
        } else {
            GrantsOf::UserOnline(&self.subject)
        };
        revoke_grants(db, &self.tenant_uid, &grants_of, self.now).await
    }
}

/// What searches, for the test of the indexes.
#[cfg(test)]
pub const SEARCHES: &[&str] = &[SPARE, SELECT, SELECT_BY_SID, TOUCH, DELETE_ONE, DELETE_ALL];
