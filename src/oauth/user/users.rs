//! The people of a tenant, by what they sign in with.

use std::sync::Arc;

use super::password::work::Work;
use super::{User, normal};
use crate::shared_map::SharedMap;

/// The people of a tenant. Copies share what they have in common.
#[derive(Clone, Debug, Default)]
pub struct Users {
    by_username: SharedMap<Arc<str>, Arc<User>>,
    /// By the normal form of the address, then by subject: one that several people have signs in none of them.
    by_email: SharedMap<String, SharedMap<Arc<str>, Arc<User>>>,
    by_subject: SharedMap<Arc<str>, Arc<User>>,
    /// How many passwords are this much work.
    works: SharedMap<Work, usize>,
    costliest: Work,
}

impl Users {
    /// Indexes the people.
    pub fn new(users: impl IntoIterator<Item = Arc<User>>) -> Self {
        let mut index = Self::default();
        for user in users {
            index.insert(user);
        }
        index
    }

    /// Takes in a person, in place of those with the same username or subject: the operator refuses the later of two. Returns
    /// whether there is one more.
    pub fn insert(&mut self, user: Arc<User>) -> bool {
        let before = self.len();
        let same = [
            self.by_subject.get(&user.subject).cloned(),
            self.by_username.get(&user.username).cloned(),
        ];
        for known in same.into_iter().flatten() {
            self.remove(&known);
        }
        if let Some(work) = user.password.as_ref().map(Work::of) {
            let count = self.works.get(&work).copied().unwrap_or_default();
            self.works.insert(work, count + 1);
            self.costliest = self.costliest.max(work);
        }
        if let Some(email) = user.email() {
            let mut holders = self.by_email.get(&email).cloned().unwrap_or_default();
            holders.insert(user.subject.clone(), user.clone());
            self.by_email.insert(email, holders);
        }
        self.by_username.insert(user.username.clone(), user.clone());
        self.by_subject.insert(user.subject.clone(), user);
        self.len() > before
    }

    /// Removes a person, if this registration is there. Returns whether it was.
    pub fn remove(&mut self, user: &User) -> bool {
        let Some(known) = self.by_subject(&user.subject, &user.uid).cloned() else {
            return false;
        };
        self.by_subject.remove(&known.subject);
        self.by_username.remove(&known.username);
        if let Some(email) = known.email()
            && let Some(mut holders) = self.by_email.remove(&email)
        {
            holders.remove(&known.subject);
            if !holders.is_empty() {
                self.by_email.insert(email, holders);
            }
        }
        if let Some(work) = known.password.as_ref().map(Work::of) {
            self.forget_work(work);
        }
        true
    }

    fn forget_work(&mut self, work: Work) {
        let count = self.works.remove(&work).unwrap_or_default();
        if count > 1 {
            self.works.insert(work, count - 1);
        } else {
            let works = self.works.keys();
            self.costliest = works.fold(Work::default(), |most, work| most.max(*work));
        }
    }

    /// The person with this name, in any case: the username, and with `email` also the address. Sign-in is refused by an
    /// address that several people have, or that is the username of another person.
    pub fn by_sign_in_name(&self, typed: &str, email: bool) -> Option<&Arc<User>> {
        let by_username = self.by_username(typed);
        by_username.or_else(|| email.then(|| self.by_email(typed))?)
    }

    fn by_email(&self, typed: &str) -> Option<&Arc<User>> {
        let holders = self.by_email.get(&normal(typed))?;
        holders.values().next().filter(|_| holders.len() == 1)
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use serde_json::json;

    use super::super::{PasswordHash, testing};
    use super::*;

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

    /// A person of a few, under one of a few names, with one of a few addresses and passwords.
    fn person() -> impl Strategy<Value = (usize, User)> {
        let hash = prop_oneof![
            Just(None),
            Just(Some(
                "$2a$08$dXJ3SW6G7P50lGmMkkmwe.20cQQubK3.HZWzG3YB1tlRy.fqvM/BG"
            )),
            Just(Some(
                "$2a$10$dXJ3SW6G7P50lGmMkkmwe.20cQQubK3.HZWzG3YB1tlRy.fqvM/BG"
            )),
        ];
        let email = prop_oneof![
            Just(None),
            Just(Some("A@b.example")),
            Just(Some("a@b.example"))
        ];
        (0..5_usize, 0..3_usize, email, hash).prop_map(|(uid, version, email, hash)| {
            let mut user = testing::user();
            user.uid = format!("uid-{uid}").into();
            // One person after the other has each name and subject, but never two at once.
            user.username = format!("name-{uid}-{version}").into();
            user.subject = format!("subject-{uid}-{version}").into();
            user.password = hash.map(|hash| PasswordHash(hash.into()));
            user.claims.remove("email");
            if let Some(email) = email {
                user.claims.insert("email".into(), json!(email));
            }
            (uid, user)
        })
    }

    proptest! {
        #[test]
        fn people_who_come_and_go_leave_what_everybody_at_once_makes(
            steps in proptest::collection::vec((person(), any::<bool>()), 1..32)
        ) {
            let mut users = Users::default();
            let mut all: BTreeMap<usize, Arc<User>> = [].into();
            for ((uid, user), comes) in steps {
                let before = all.remove(&uid);
                prop_assert!(before.is_none_or(|before| users.remove(&before)));
                if comes {
                    let user = Arc::new(user);
                    prop_assert!(users.insert(user.clone()));
                    all.insert(uid, user);
                }
                let whole = Users::new(all.values().cloned());
                prop_assert_eq!(users.len(), whole.len());
                prop_assert_eq!(users.costliest(), whole.costliest());
                for typed in ["a@b.example", "name-0-0", "name-1-1", "name-2-2"] {
                    prop_assert_eq!(users.by_sign_in_name(typed, true), whole.by_sign_in_name(typed, true));
                }
                for user in all.values() {
                    prop_assert_eq!(users.by_subject(&user.subject, &user.uid), Some(user));
                    prop_assert_eq!(users.by_username(&user.username), Some(user));
                }
            }
        }
    }

    #[test]
    fn who_has_the_same_subject_or_username_takes_the_place() {
        let mut users = Users::new([
            named("ada", "ada@example.com"),
            named("bob", "bob@example.com"),
        ]);
        let mut both = User::clone(&named("ada", "cem@example.com"));
        both.subject = "subject-of-bob".into();
        both.uid = "uid-of-another".into();
        let both = Arc::new(both);
        assert!(!users.insert(both.clone()), "two left, one came");
        assert_eq!(users.len(), 1);
        assert_eq!(users.by_sign_in_name("ada@example.com", true), None);
        assert_eq!(users.by_sign_in_name("cem@example.com", true), Some(&both));
        assert!(
            !users.remove(&named("ada", "ada@example.com")),
            "another registration"
        );
        assert!(users.remove(&both) && users.is_empty());
    }
}
