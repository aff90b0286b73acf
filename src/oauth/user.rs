//! A person who can sign in, as an `OAuthUser` describes them.

pub mod claims;
pub mod known_browser;
pub mod login_throttle;
pub mod password;
mod password_hash;
pub mod subject;
mod users;

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Map, Value};

pub use password_hash::PasswordHash;
pub use users::Users;

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
