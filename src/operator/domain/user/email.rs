//! E-mail addresses by which people sign in, where the tenant lets them: sign-in by one that several people have is refused.

use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;

use clientele_api::OAuthUser;
use clientele_oauth::user::normal;

/// The condition of an OAuthUser whose address is not accepted at sign-in.
pub const CONDITION: &str = "EmailSignIn";

/// A name that a person may type, in its tenant.
type SignInName = (String, String);

/// Who has which address or username, by tenant. A change decides its own names again and no others.
pub struct EmailAddresses<P> {
    names: HashMap<SignInName, Holders<P>>,
    people: HashMap<P, Names>,
}

/// The names of a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    username: SignInName,
    email: Option<SignInName>,
}

struct Holders<P> {
    by_address: BTreeSet<P>,
    by_username: BTreeSet<P>,
}

impl<P> Default for EmailAddresses<P> {
    fn default() -> Self {
        Self {
            names: HashMap::new(),
            people: HashMap::new(),
        }
    }
}

impl<P> Default for Holders<P> {
    fn default() -> Self {
        Self {
            by_address: BTreeSet::new(),
            by_username: BTreeSet::new(),
        }
    }
}

impl Names {
    /// Those of a person whose tenant lets people sign in by their address.
    pub fn of(user: &OAuthUser) -> Self {
        let in_tenant = |name: &str| (user.spec.tenant.clone(), normal(name));
        Self {
            username: in_tenant(&user.spec.username),
            email: user.spec.email.as_deref().map(in_tenant),
        }
    }

    fn each(&self) -> impl Iterator<Item = &SignInName> {
        [&self.username].into_iter().chain(&self.email)
    }
}

impl<P: Clone + Ord + Hash> EmailAddresses<P> {
    /// Takes in the names that a person has now, if the person signs in by address. Returns all whose address may have become
    /// ambiguous, or may not be it any more.
    pub fn set(&mut self, person: &P, names: Option<Names>) -> Vec<P> {
        let before = self.people.get(person).cloned();
        if before == names {
            return Vec::new();
        }
        let touched = before.iter().chain(&names).flat_map(Names::each);
        let touched: Vec<SignInName> = touched.cloned().collect();
        let verdicts = |all: &Self| touched.iter().map(|name| all.summary(name)).collect();
        let former: Vec<_> = verdicts(self);
        if let Some(before) = &before {
            self.leave(person, before);
        }
        if let Some(names) = names {
            self.join(person, names);
        }
        let now: Vec<_> = verdicts(self);
        let moved = touched.iter().zip(former.into_iter().zip(now));
        let moved = moved.filter(|(_, (former, now))| former != now);
        let holders = moved.filter_map(|(name, _)| self.names.get(name));
        holders
            .flat_map(|holders| holders.by_address.iter().cloned())
            .collect()
    }

    /// Whether the address of this person belongs to others as well, or is the username of another.
    pub fn is_ambiguous(&self, person: &P) -> bool {
        let names = self.people.get(person);
        let email = names.and_then(|names| names.email.as_ref());
        let holders = email.and_then(|email| self.names.get(email));
        holders.is_some_and(|holders| {
            let of_another = holders.by_username.iter().any(|holder| holder != person);
            holders.by_address.len() > 1 || of_another
        })
    }

    /// The names of a person, as last heard.
    pub fn names(&self, person: &P) -> Option<&Names> {
        self.people.get(person)
    }

    /// What the ambiguity of an address follows from: whether several have it, and the first two whose username it is.
    fn summary(&self, name: &SignInName) -> (bool, Vec<P>) {
        let Some(holders) = self.names.get(name) else {
            return (false, Vec::new());
        };
        let by_username = holders.by_username.iter().take(2).cloned();
        (holders.by_address.len() > 1, by_username.collect())
    }

    fn join(&mut self, person: &P, names: Names) {
        let holders = self.names.entry(names.username.clone()).or_default();
        holders.by_username.insert(person.clone());
        if let Some(email) = &names.email {
            let holders = self.names.entry(email.clone()).or_default();
            holders.by_address.insert(person.clone());
        }
        self.people.insert(person.clone(), names);
    }

    fn leave(&mut self, person: &P, names: &Names) {
        self.people.remove(person);
        for name in names.each() {
            let Some(holders) = self.names.get_mut(name) else {
                continue;
            };
            if *name == names.username {
                holders.by_username.remove(person);
            }
            if names.email.as_ref() == Some(name) {
                holders.by_address.remove(person);
            }
            if holders.by_username.is_empty() && holders.by_address.is_empty() {
                self.names.remove(name);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::tests::user;

    fn named(username: &str, email: Option<&str>) -> Names {
        Names::of(&user("x", json!({ "username": username, "email": email })))
    }

    #[test]
    fn c22_an_address_of_several_or_anothers_name_is_ambiguous() {
        let users = [
            named("ada", Some("ada@example.com")),
            named("bob", Some("shared@example.com")),
            named("cem", Some("Shared@example.com")),
            named("dan@example.com", Some("dan@example.com")),
            named("eve", Some("fay@example.com")),
            named("fay@example.com", None),
        ];
        let mut addresses = EmailAddresses::default();
        for (person, names) in users.into_iter().enumerate() {
            addresses.set(&person, Some(names));
        }
        let ambiguous = [0, 1, 2, 3, 4, 5].map(|person| addresses.is_ambiguous(&person));
        assert_eq!(ambiguous, [false, true, true, false, true, false]);
        let mut elsewhere = user(
            "bob",
            json!({ "username": "bob", "email": "shared@example.com" }),
        );
        elsewhere.spec.tenant = "another".into();
        addresses.set(&6, Some(Names::of(&elsewhere)));
        assert!(!addresses.is_ambiguous(&6));
    }

    fn names() -> impl Strategy<Value = Option<Names>> {
        let name = || prop_oneof![Just("a@b"), Just("c@d"), Just("e")];
        let each = (name(), proptest::option::of(name()));
        proptest::option::of(each.prop_map(|(username, email)| named(username, email)))
    }

    proptest! {
        #[test]
        fn it_tells_everybody_whose_address_is_another_case_now(steps in proptest::collection::vec((0..5_u8, names()), 1..24)) {
            let mut addresses = EmailAddresses::default();
            let mut all: HashMap<u8, Option<Names>> = HashMap::new();
            let mut before = [false; 5];
            for (person, names) in steps {
                let told = addresses.set(&person, names.clone());
                all.insert(person, names);
                let now = [0, 1, 2, 3, 4].map(|person| addresses.is_ambiguous(&person));
                let mut whole = EmailAddresses::default();
                for (person, names) in &all {
                    whole.set(person, names.clone());
                }
                prop_assert_eq!(now, [0, 1, 2, 3, 4].map(|person| whole.is_ambiguous(&person)));
                for other in 0..5_u8 {
                    let place = usize::from(other);
                    let is_told = other == person || told.contains(&other);
                    prop_assert!(is_told || now[place] == before[place], "{} was not told", other);
                }
                before = now;
            }
            for person in 0..5 {
                addresses.set(&person, None);
            }
            prop_assert!(addresses.names.is_empty() && addresses.people.is_empty());
        }
    }
}
