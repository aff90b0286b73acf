//! A request that waits for a person, while they sign in or decide.
//!
//! Nothing is kept for it: what was asked travels with the person, sealed by a MAC and bound to one tenant and one
//! browser. So a stranger can make us keep nothing, and a replica needs to know nothing of what another began.
//! What a seal says is what was asked then. Whether it may be answered is decided each time.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::keys::seal::Seal;
use crate::{Keyring, Tenant};

/// How long a form of ours may stay open: over a night, and over a weekend.
pub const LIFETIME: Duration = Duration::from_hours(168);
/// How long a sign-in counts as the answer to the request for which it was made.
pub const FRESH: Duration = Duration::from_mins(30);
/// The longest sealed transaction that is parsed.
const MAX_LEN: usize = 24 * 1024;
const PURPOSE: &str = "clientele transaction v1";

/// A request that waits for a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transaction {
    /// 128 random bits. A browser may answer a transaction again, and gets another code.
    pub id: String,
    /// [`digest_of`](crate::digest::digest_of) the browser's cookie.
    pub browser: String,
    /// When it began, in seconds since 1970.
    pub started_at: i64,
    /// What waits.
    pub waiting: Waiting,
    /// Whom it was shown to.
    pub shown_to: Option<ShownTo>,
}

/// What waits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Waiting {
    /// An authorization request.
    Authorization {
        /// As it was sent.
        query: String,
        /// The registration of the client that sent it: one that took its name is another.
        #[serde(rename = "registration_id")]
        client_uid: String,
    },
    /// The account page.
    Account,
    /// A request to sign out.
    SignOut {
        /// What of it matters when the person has agreed, in the form of a query.
        query: String,
    },
}

/// The session in which a person saw it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownTo {
    /// The `sid`.
    pub sid: String,
    /// Whether the person signed in to answer it.
    pub signed_in_for_it: bool,
}

/// Why a transaction cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unusable {
    /// We did not seal it, or for another tenant or browser.
    Foreign,
    /// The person took too long. It is ours, and says who asked; nothing may follow from it.
    Expired(Box<Transaction>),
}

impl Transaction {
    /// Seals it for a tenant. `None` only if the keyring fails.
    pub fn seal(&self, keyring: &Keyring, tenant: &Tenant) -> Option<String> {
        let payload = serde_json::to_vec(self).ok()?;
        sealed_for(&[&*tenant.uid]).seal(keyring, &payload)
    }

    /// Opens what [`Self::seal`] made for the same tenant, and for the browser one of whose cookies has this digest.
    pub fn open(
        keyring: &Keyring,
        tenant: &Tenant,
        sealed: &str,
        browsers: &[String],
        now: Timestamp,
    ) -> Result<Self, Unusable> {
        let opened = unsealed(keyring, tenant, sealed).ok_or(Unusable::Foreign)?;
        if !browsers.contains(&opened.browser) {
            return Err(Unusable::Foreign);
        }
        let started_at = Timestamp::from_second(opened.started_at);
        let age = started_at.map_or(jiff::SignedDuration::MAX, |start| now.duration_since(start));
        // A clock that went back far brings no page back to life.
        let limit = if age.is_negative() { FRESH } else { LIFETIME };
        let young = age.unsigned_abs() < limit;
        if young {
            Ok(opened)
        } else {
            Err(Unusable::Expired(Box::new(opened)))
        }
    }
}

fn unsealed(keyring: &Keyring, tenant: &Tenant, sealed: &str) -> Option<Transaction> {
    if sealed.len() > MAX_LEN {
        return None;
    }
    let payload = sealed_for(&[&*tenant.uid]).open(keyring, sealed)?;
    serde_json::from_slice(&payload).ok()
}

fn sealed_for<'a>(whose: &'a [&'a str]) -> Seal<'a> {
    Seal {
        purpose: PURPOSE,
        whose,
        length: 32,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::root_keyring::RootKey;
    use proptest::prelude::*;

    fn keyring(current: &str) -> Keyring {
        let key = |id, byte| RootKey::new(id, &[byte; 32]).unwrap();
        Keyring::new(current, vec![key("aaaaaaaa", 1), key("bbbbbbbb", 2)]).unwrap()
    }

    fn tenant(uid: &str) -> Tenant {
        Tenant::new("t".into(), uid.into(), "https://id.example".into())
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_000_000 + second).unwrap()
    }

    fn transaction() -> Transaction {
        Transaction {
            id: "id".into(),
            browser: "browser".into(),
            started_at: 1_000_000,
            waiting: Waiting::Authorization {
                query: "client_id=a.b&state=%00".into(),
                client_uid: "uid".into(),
            },
            shown_to: Some(ShownTo {
                sid: "sid".into(),
                signed_in_for_it: true,
            }),
        }
    }

    fn sealed() -> String {
        let (keyring, tenant) = (keyring("aaaaaaaa"), tenant("uid-of-t"));
        transaction().seal(&keyring, &tenant).unwrap()
    }

    fn opened(
        sealed: &str,
        uid: &str,
        browser: &str,
        second: i64,
    ) -> Result<Transaction, Unusable> {
        // The other key has become the current one meanwhile.
        Transaction::open(
            &keyring("bbbbbbbb"),
            &tenant(uid),
            sealed,
            &["another".to_owned(), browser.to_owned()],
            at(second),
        )
    }

    #[test]
    fn what_was_sealed_comes_back_also_after_a_rotation_of_the_root_key() {
        assert_eq!(
            opened(&sealed(), "uid-of-t", "browser", 60),
            Ok(transaction())
        );
    }

    #[test]
    fn c05_c18_another_browser_or_tenant_cannot_use_it() {
        for (uid, browser) in [
            ("uid-of-t", "other"),
            ("uid-of-t", ""),
            ("other", "browser"),
        ] {
            assert_eq!(opened(&sealed(), uid, browser, 60), Err(Unusable::Foreign));
        }
    }

    #[test]
    fn c19_it_expires_after_a_week() {
        assert!(opened(&sealed(), "uid-of-t", "browser", 604_799).is_ok());
        for second in [604_800, 6_048_000, -1800, -900_000] {
            let late = opened(&sealed(), "uid-of-t", "browser", second);
            assert!(matches!(late, Err(Unusable::Expired(_))), "{second}");
        }
    }

    #[test]
    fn a_key_that_is_gone_opens_nothing() {
        let other = RootKey::new("cccccccc", &[1; 32]).unwrap();
        let keyring = Keyring::new("cccccccc", vec![other]).unwrap();
        let browsers = ["browser".to_owned()];
        let opened = Transaction::open(&keyring, &tenant("uid-of-t"), &sealed(), &browsers, at(1));
        assert_eq!(opened, Err(Unusable::Foreign));
    }

    proptest! {
        #[test]
        fn c09_no_change_of_a_sealed_transaction_is_accepted(at in 0usize..1000, byte in "[A-Za-z0-9_.-]") {
            let original = sealed();
            let at = at % original.len();
            let changed = format!("{}{byte}{}", &original[..at], &original[at + 1..]);
            if changed != original {
                prop_assert_eq!(opened(&changed, "uid-of-t", "browser", 1), Err(Unusable::Foreign));
            }
        }

        #[test]
        fn p3_no_text_makes_it_panic(text in ".{0,200}") {
            prop_assert_eq!(opened(&text, "uid-of-t", "browser", 1), Err(Unusable::Foreign));
        }
    }
}
