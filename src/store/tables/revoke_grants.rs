//! Revokes the grants of a session, a user or a consent: codes that are not redeemed yet, and refresh families.

use jiff::Timestamp;
use sqlx::{AnyConnection, query};

use crate::backend::operation::millis;

/// Selects the grants to revoke.
pub enum GrantsOf<'a> {
    /// Those of the session of this `sid`, without `offline_access`.
    Session(&'a str),
    /// Those of a subject, without `offline_access`.
    UserOnline(&'a str),
    /// Those of a subject.
    User(&'a str),
    /// Those of a subject (first) for the client of a UID (second).
    Consent(&'a str, &'a str),
}

/// The statement that uses up codes, and the one that revokes families.
struct Statements {
    codes: &'static str,
    families: &'static str,
}

macro_rules! where_it_is {
    ($condition:literal) => {
        Statements {
            codes: concat!(
                "UPDATE codes SET redeemed_at = $2 WHERE tenant = $1 AND redeemed_at IS NULL AND ",
                $condition
            ),
            families: concat!(
                "UPDATE families SET revoked_at = $2, ends_at = CASE WHEN ends_at < $2 THEN ends_at ELSE $2 END
                WHERE tenant = $1 AND revoked_at IS NULL AND ",
                $condition
            ),
        }
    };
}

const SESSION: Statements = where_it_is!("sid = $3 AND offline = 0");
const USER_ONLINE: Statements = where_it_is!("subject = $3 AND offline = 0");
const USER: Statements = where_it_is!("subject = $3");
const CONSENT: Statements = where_it_is!("subject = $3 AND registration_id = $4");

/// Uses up the codes that are out, then revokes the families.
///
/// The order matters: a transaction that redeems a code concurrently has either committed its family, which the second
/// statement then sees, or finds the code used up. In the other order a family could begin between the two statements.
pub async fn revoke_grants(
    db: &mut AnyConnection,
    tenant_uid: &str,
    grants_of: &GrantsOf<'_>,
    now: Timestamp,
) -> sqlx::Result<()> {
    let (statements, key, client_uid) = match *grants_of {
        GrantsOf::Session(sid) => (SESSION, sid, None),
        GrantsOf::UserOnline(subject) => (USER_ONLINE, subject, None),
        GrantsOf::User(subject) => (USER, subject, None),
        GrantsOf::Consent(subject, client_uid) => (CONSENT, subject, Some(client_uid)),
    };
    for statement in [statements.codes, statements.families] {
        let mut statement = query(statement)
            .bind(tenant_uid)
            .bind(millis(now))
            .bind(key);
        if let Some(client_uid) = client_uid {
            statement = statement.bind(client_uid);
        }
        statement.execute(&mut *db).await?;
    }
    Ok(())
}

/// What searches, for the test of the indexes.
#[cfg(test)]
pub const SEARCHES: &[&str] = &[
    SESSION.codes,
    SESSION.families,
    USER_ONLINE.codes,
    USER_ONLINE.families,
    USER.codes,
    USER.families,
    CONSENT.codes,
    CONSENT.families,
];
