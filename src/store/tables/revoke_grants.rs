//! Ends what was allowed, all that belongs to a session, a person or a consent.

use jiff::Timestamp;
use sqlx::{AnyConnection, query};

use crate::backend::operation::millis;

/// Whose grants are to end.
pub enum Whose<'a> {
    /// What was allowed in the session of this `sid` and does not outlive it.
    Session(&'a str),
    /// Everything that a subject allowed and that does not outlive a session.
    PersonOnline(&'a str),
    /// Everything that a subject allowed.
    Person(&'a str),
    /// What a subject allowed a registration.
    Consent(&'a str, &'a str),
}

/// How codes are used up, and how families are revoked.
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
const PERSON_ONLINE: Statements = where_it_is!("subject = $3 AND offline = 0");
const PERSON: Statements = where_it_is!("subject = $3");
const CONSENT: Statements = where_it_is!("subject = $3 AND registration_id = $4");

/// Uses up the codes that are out, then revokes the families.
///
/// In this order: who redeems a code at this moment has either committed its family, which is then seen, or finds the
/// code used up. The other way round a family could begin between the two.
pub async fn end(
    db: &mut AnyConnection,
    tenant: &str,
    whose: &Whose<'_>,
    now: Timestamp,
) -> sqlx::Result<()> {
    let (statements, who, registration) = match *whose {
        Whose::Session(sid) => (SESSION, sid, None),
        Whose::PersonOnline(subject) => (PERSON_ONLINE, subject, None),
        Whose::Person(subject) => (PERSON, subject, None),
        Whose::Consent(subject, registration) => (CONSENT, subject, Some(registration)),
    };
    for statement in [statements.codes, statements.families] {
        let mut statement = query(statement).bind(tenant).bind(millis(now)).bind(who);
        if let Some(registration) = registration {
            statement = statement.bind(registration);
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
    PERSON_ONLINE.codes,
    PERSON_ONLINE.families,
    PERSON.codes,
    PERSON.families,
    CONSENT.codes,
    CONSENT.families,
];
