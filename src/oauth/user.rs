//! A person who can sign in, as an `OAuthUser` describes them.

pub mod claims;
pub mod known_browser;
pub mod login_throttle;
pub mod password;
mod password_hash;
pub mod subject;

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Map, Value};

use password::work::Work;
pub use password_hash::PasswordHash;

/// A person who can sign in.
#[derive(Clone, Debug, PartialEq)]
pub struct User {
    /// `sub` (OIDC Core §2): stable, random, never a client ID.
    pub subject: Arc<str>,
    /// The UID of the `OAuthUser`: a recreated object is another person.
    pub uid: Arc<str>,
    /// What the person types, in lower case.
    pub username: Arc<str>,
    /// What is known about the person, by claim name (OIDC Core §5.1): `name`, `email`, `email_verified`,
    /// `preferred_username` and whatever the resource adds. Without `sub` and `groups`.
    pub claims: Map<String, Value>,
    /// The groups, for the `groups` scope and for the clients' `allowedGroups`.
    pub groups: Arc<[Arc<str>]>,
    /// How the password is verified; without it the person cannot sign in by password.
    pub password: Option<PasswordHash>,
    /// Whether signing in is refused and everything that began before is over.
    pub disabled: bool,
    /// Changes with the password: what was begun with another is over. A digest that reveals nothing.
    pub credential: Arc<str>,
    /// The same under the other root keys that live: who signed in before the root key rotated is still signed in.
    pub former_credentials: Arc<[Arc<str>]>,
    /// Sessions and grants that began earlier are over, as after a time of being disabled.
    pub valid_from: Timestamp,
}

impl User {
    /// Whether a session or grant that began by signing in at `auth_time`, with the credential of that time, still stands.
    pub fn stands_by(&self, credential: &str, auth_time: Timestamp) -> bool {
        let mut known = std::iter::once(&self.credential).chain(&*self.former_credentials);
        !self.disabled && known.any(|known| **known == *credential) && auth_time >= self.valid_from
    }

    /// The e-mail address in its normal form.
    pub fn email(&self) -> Option<String> {
        self.claims.get("email").and_then(Value::as_str).map(normal)
    }

    /// Whether the person is in one of the groups; without a required group: yes.
    pub fn is_in_any(&self, allowed: Option<&[Arc<str>]>) -> bool {
        allowed.is_none_or(|allowed| allowed.iter().any(|group| self.groups.contains(group)))
    }
}

/// The people of a tenant.
#[derive(Debug, Default)]
pub struct Users {
    by_username: HashMap<Arc<str>, Arc<User>>,
    /// By the normal form of the address; none if several people have it.
    by_email: HashMap<String, Option<Arc<User>>>,
    by_subject: HashMap<Arc<str>, Arc<User>>,
    costliest: Work,
}

impl Users {
    /// Indexes the people. Username and subject are unique already: the controller refuses the later of two.
    pub fn new(users: impl IntoIterator<Item = Arc<User>>) -> Self {
        let mut index = Self::default();
        for user in users {
            let hash = user.password.as_ref();
            index.costliest = index.costliest.max(hash.map(Work::of).unwrap_or_default());
            index
                .by_username
                .insert(user.username.clone(), user.clone());
            if let Some(email) = user.email() {
                let holder = index.by_email.entry(email);
                let holder = holder.and_modify(|holder| *holder = None);
                holder.or_insert_with(|| Some(user.clone()));
            }
            index.by_subject.insert(user.subject.clone(), user);
        }
        index
    }

    /// The person with this name, in any case: the username, and with `email` also the address. Sign-in is refused by an
    /// address that several people have, or that is the username of another person.
    pub fn by_sign_in_name(&self, typed: &str, email: bool) -> Option<&Arc<User>> {
        let by_username = self.by_username(typed);
        let by_email = || self.by_email.get(&normal(typed))?.as_ref();
        by_username.or_else(|| email.then(by_email)?)
    }

    /// The person with this username, in any case.
    pub fn by_username(&self, username: &str) -> Option<&Arc<User>> {
        self.by_username.get(normal(username).as_str())
    }

    /// The person with this subject, if it is still the same registration.
    pub fn by_subject(&self, subject: &str, uid: &str) -> Option<&Arc<User>> {
        self.by_subject
            .get(subject)
            .filter(|user| *user.uid == *uid)
    }

    /// The most work of each algorithm that verifying one of the passwords is.
    pub fn costliest(&self) -> Work {
        self.costliest
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.by_subject.len()
    }

    /// Whether it is empty.
    pub fn is_empty(&self) -> bool {
        self.by_subject.is_empty()
    }
}

/// The one form of a username: without space around it, in lower case. One account, one counter, one spelling.
pub fn normal(username: &str) -> String {
    username.trim().to_lowercase()
}

/// A person for the tests of this folder.
#[cfg(any(test, feature = "testing"))]
pub mod testing {
    use super::{Timestamp, User};
    use serde_json::json;

    /// A person with a name, an address and groups.
    pub fn user() -> User {
        let claims = json!({
            "name": "Alice",
            "email": "alice@example.com",
            "email_verified": true,
            "department": "bees",
        });
        User {
            subject: "7f6a0c9e".into(),
            uid: "uid-of-alice".into(),
            username: "alice".into(),
            claims: claims.as_object().cloned().unwrap_or_default(),
            groups: ["staff".into(), "system:masters".into()].into(),
            password: None,
            disabled: false,
            credential: "credential-1".into(),
            former_credentials: [].into(),
            valid_from: Timestamp::UNIX_EPOCH,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn named(username: &str, email: &str) -> Arc<User> {
        let mut user = testing::user();
        user.username = username.into();
        user.subject = format!("subject-of-{username}").into();
        user.claims.insert("email".into(), json!(email));
        Arc::new(user)
    }

    #[test]
    fn c22_an_address_signs_in_whoever_alone_has_it() {
        let users = Users::new([
            named("ada", "Ada@example.com"),
            named("bob", "shared@example.com"),
            named("cem", "SHARED@example.com"),
            named("dan", "shared@example.com"),
            named("eve@example.com", "eve@home.example"),
            named("fay", "eve@example.com"),
        ]);
        for (typed, email, expected) in [
            ("ada", false, Some("ada")),
            ("ada@example.com", false, None),
            (" ADA@example.com ", true, Some("ada")),
            ("shared@example.com", true, None),
            ("bob", true, Some("bob")),
            ("eve@example.com", true, Some("eve@example.com")),
            ("eve@example.com", false, Some("eve@example.com")),
            ("eve@home.example", true, Some("eve@example.com")),
            ("unknown@example.com", true, None),
            ("", true, None),
        ] {
            let found = users.by_sign_in_name(typed, email);
            assert_eq!(found.map(|user| &*user.username), expected, "{typed}");
        }
    }
}
