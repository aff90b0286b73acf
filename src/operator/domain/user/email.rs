//! E-mail addresses by which people sign in, where the tenant lets them: sign-in by one that several people have is refused.

use std::collections::HashMap;

use clientele_api::OAuthUser;
use clientele_oauth::user::normal;
use kube::ResourceExt;

/// The condition of an OAuthUser whose address is not accepted at sign-in.
pub const CONDITION: &str = "EmailSignIn";

/// Who has which address or username, by tenant.
#[derive(Default)]
pub struct EmailAddresses(HashMap<(String, String), Holders>);

#[derive(Default)]
struct Holders {
    /// How many have the address.
    addresses: usize,
    /// Whose username it is.
    username_of: Option<String>,
}

impl EmailAddresses {
    /// Of people whose tenants let them sign in by their address.
    pub fn of<'a>(users: impl Iterator<Item = &'a OAuthUser>) -> Self {
        let mut all = Self::default();
        for user in users {
            let tenant = &user.spec.tenant;
            let username = (tenant.clone(), normal(&user.spec.username));
            all.0.entry(username).or_default().username_of = user.uid();
            if let Some(email) = &user.spec.email {
                let email = (tenant.clone(), normal(email));
                all.0.entry(email).or_default().addresses += 1;
            }
        }
        all
    }

    /// Whether the address of this person belongs to others as well.
    pub fn is_ambiguous(&self, user: &OAuthUser) -> bool {
        let email = user.spec.email.as_deref().map(normal);
        let holders = email.and_then(|email| self.0.get(&(user.spec.tenant.clone(), email)));
        holders.is_some_and(|holders| {
            let of_another = holders.username_of.is_some() && holders.username_of != user.uid();
            holders.addresses > 1 || of_another
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::user;
    use serde_json::json;

    fn named(name: &str, username: &str, email: Option<&str>) -> OAuthUser {
        let mut user = user(name, json!({ "username": username, "email": email }));
        user.metadata.uid = Some(format!("uid-of-{name}"));
        user
    }

    #[test]
    fn c22_an_address_of_several_or_anothers_name_is_ambiguous() {
        let users = [
            named("ada", "ada", Some("ada@example.com")),
            named("bob", "bob", Some("shared@example.com")),
            named("cem", "cem", Some("Shared@example.com")),
            named("dan", "dan@example.com", Some("dan@example.com")),
            named("eve", "eve", Some("fay@example.com")),
            named("fay", "fay@example.com", None),
        ];
        let addresses = EmailAddresses::of(users.iter());
        let ambiguous = users.each_ref().map(|user| addresses.is_ambiguous(user));
        assert_eq!(ambiguous, [false, true, true, false, true, false]);
        let mut elsewhere = named("bob", "bob", Some("shared@example.com"));
        elsewhere.spec.tenant = "another".into();
        assert!(!addresses.is_ambiguous(&elsewhere));
    }
}
