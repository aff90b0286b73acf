//! Users as they follow from their objects and passwords, judged again only when something about them changed.

use std::collections::HashSet;
use std::sync::Arc;

use clientele_api::OAuthUser;
use clientele_oauth::{Keyring, User};
use jiff::Timestamp;

use super::RegistryBuilder;
use super::asker::Asker;
use super::memo::{Change, Circumstances, Memo, shared};
use super::memos::Memos;
use super::pending::Pending;
use super::slices::Slices;
use crate::cache::place::Place;
use crate::domain::kept::Kept;
use crate::domain::secret_entry::SecretEntry;
use crate::domain::unique_names::{NameReservation, Wish};
use crate::domain::user::email::Names;
use crate::domain::user::password::Found;
use crate::domain::user::valid_from::valid_from;
use crate::domain::user::validate::{UserInputs, password_entry, validate_user};
use crate::domain::verdict::{UserDetails, UserVerdict};
use crate::registry::Inputs;

/// A verdict about an OAuthUser and what it was made of.
pub(super) type UserMemo = Memo<OAuthUser, User, UserDetails, UserExtra>;

/// The verdicts about OAuthUsers.
pub(super) type UserMemos = Memos<OAuthUser, User, UserDetails, UserExtra>;

/// What a verdict about an OAuthUser was made of, beside object, tenant and namespace.
pub(super) struct UserExtra {
    holders: Holders,
    password: Option<Found>,
    keyring: Arc<Keyring>,
}

impl PartialEq for UserExtra {
    fn eq(&self, other: &Self) -> bool {
        self.holders == other.holders
            && self.password == other.password
            && Arc::ptr_eq(&self.keyring, &other.keyring)
    }
}

/// Who has the username and who has the subject, if it is another person.
#[derive(Default, PartialEq, Eq)]
struct Holders {
    username: Option<String>,
    subject: Option<String>,
    /// Whether others have the e-mail address as well.
    ambiguous_email: bool,
}

/// The names that an object wants.
struct WantedNames {
    username: Vec<Wish>,
    subject: Vec<Wish>,
    by_email: Option<Names>,
}

impl RegistryBuilder {
    /// Takes in which names a person wants now. Returns who wants the same subject, and the people whose username or address
    /// may have another holder since.
    pub(super) fn decide_names_of_person(
        &mut self,
        place: &Place,
    ) -> (HashSet<Asker>, HashSet<Place>) {
        let wanted = self.wanted_names(place);
        let asker = Asker::Person(place.clone());
        let moved = self.names.set(&asker, wanted.subject);
        let mut people = self.usernames.set(place, wanted.username);
        people.extend(self.emails.set(place, wanted.by_email));
        (moved, people)
    }

    /// Who may not have a name does not keep others from it.
    fn wanted_names(&self, place: &Place) -> WantedNames {
        let user = self.users.get(place).map(|user| user.object());
        let may = user.as_ref().is_some_and(|user| self.admits(user));
        let wish = |reservation| Wish { reservation, may };
        let username = user.iter().map(|user| NameReservation::of_username(user));
        let subject = user
            .iter()
            .filter_map(|user| NameReservation::of_subject(user));
        let by_email = user.iter().find(|user| may && self.signs_in_by_email(user));
        WantedNames {
            username: username.map(wish).collect(),
            subject: subject.map(wish).collect(),
            by_email: by_email.map(|user| Names::of(user)),
        }
    }

    fn signs_in_by_email(&self, user: &OAuthUser) -> bool {
        let tenant = self.tenant_state(&user.spec.tenant);
        tenant.is_some_and(|tenant| tenant.policy.signs_in_by_email)
    }

    fn admits(&self, user: &OAuthUser) -> bool {
        let tenant = self.tenant_state(&user.spec.tenant);
        let namespace = user.metadata.namespace.as_deref();
        let labels = self.labels(namespace.unwrap_or_default());
        let admits = tenant.zip(labels);
        admits.is_some_and(|(tenant, labels)| tenant.policy.users.contains(labels))
    }

    /// Judges the people whose circumstances changed. Returns the verdicts that are others.
    pub(super) async fn judge_people(
        &mut self,
        inputs: &Inputs,
        pending: &Pending,
        slices: &mut Slices,
    ) -> Vec<Change<UserVerdict>> {
        // Without them no person can sign in, and what began before cannot be told. Once they are known, all are judged.
        let Some(keyring) = self.elsewhere.keyring.clone() else {
            return Vec::new();
        };
        let mut changes = Vec::new();
        for place in &pending.people {
            changes.extend(self.judge_person(inputs, &keyring, place));
            slices.turn().await;
        }
        self.renew_wanted_passwords(inputs, pending, &changes);
        changes
    }

    fn judge_person(
        &mut self,
        inputs: &Inputs,
        keyring: &Arc<Keyring>,
        place: &Place,
    ) -> Option<Change<UserVerdict>> {
        self.work.people += 1;
        let Some(kept) = self.users.get(place) else {
            return self.user_memos.remove(place).map(Change::end);
        };
        let object = kept.object();
        let now = self.circumstances(&object.spec.tenant, kept.namespace());
        let extra = self.user_extra(inputs, keyring, place, &object);
        let known = self.user_memos.get(place);
        if known.is_some_and(|memo| memo.extra == extra && memo.still_holds(&kept, &now)) {
            return self.user_memos.keep(place, &kept);
        }
        let memo = self.make_user(&kept, now, extra, known);
        let before = known.map(|memo| memo.verdict.clone());
        let change = Change::to(&memo.verdict, before);
        self.user_memos.insert(place, memo);
        Some(change)
    }

    fn user_extra(
        &self,
        inputs: &Inputs,
        keyring: &Arc<Keyring>,
        place: &Place,
        object: &OAuthUser,
    ) -> UserExtra {
        let username = NameReservation::of_username(object);
        let subject = NameReservation::of_subject(object);
        let owned = |holder: &str| holder.to_owned();
        UserExtra {
            holders: Holders {
                username: self.usernames.other_holder(&username).map(owned),
                subject: subject.and_then(|claim| self.names.other_holder(&claim).map(owned)),
                ambiguous_email: self.emails.is_ambiguous(place),
            },
            password: password_entry(object).map(|entry| inputs.cache.passwords.find(&entry)),
            keyring: keyring.clone(),
        }
    }

    /// Validates an object. What it shares with the verdict before is kept.
    fn make_user(
        &self,
        kept: &Arc<Kept<OAuthUser>>,
        now: Circumstances,
        extra: UserExtra,
        before: Option<&UserMemo>,
    ) -> UserMemo {
        let before = before.map(|memo| &*memo.verdict);
        let before = before.filter(|verdict| verdict.object.is_same_object(kept));
        if let Some(before) = before {
            kept.take_over(&before.object);
        }
        let object = kept.object();
        let labels = now.labels(kept.namespace());
        let valid_from = valid_from(&object, before, Timestamp::now());
        let tenant_uid = self.tenant_uid(&object.spec.tenant);
        let policy = now.tenant.as_ref().map(|tenant| &tenant.policy);
        let user = validate_user(
            &object,
            UserInputs {
                tenant: policy.map(|policy| (policy, &*tenant_uid)),
                namespace: &labels,
                username_holder: extra.holders.username.as_deref(),
                subject_holder: extra.holders.subject.as_deref(),
                password: extra.password.as_ref(),
                keyring: &extra.keyring,
                valid_from,
            },
        );
        let pending = user.as_ref().is_ok_and(|user| user.pending);
        let verdict = UserVerdict {
            object: kept.clone(),
            registered: shared(user.map(|user| user.person), before),
            tenant: now.tenant,
            details: UserDetails {
                pending,
                valid_from,
                ambiguous_email: extra.holders.ambiguous_email,
            },
        };
        UserMemo::new(verdict, labels, extra)
    }

    /// Only the passwords of people who exist are wanted, and only those of people whom a tenant admits are hashed.
    fn renew_wanted_passwords(
        &self,
        inputs: &Inputs,
        pending: &Pending,
        changes: &[Change<UserVerdict>],
    ) {
        let passwords = &inputs.cache.passwords;
        if pending.every_person {
            let entries = || self.user_memos.entries();
            passwords.want_only(entries().map(|(entry, _)| entry.clone()));
            let admitted = entries().filter(|(entry, _)| self.admits_one_with(entry));
            passwords.admit_only(admitted.map(|(entry, _)| entry.clone()));
            return inputs.requests.admitted_others();
        }
        let now = pending.people.iter();
        let now = now.filter_map(|place| self.user_memos.get(place));
        let now = now.map(|memo| &memo.verdict);
        let before = changes.iter().filter_map(|change| change.before.as_ref());
        let entries = now
            .chain(before)
            .filter_map(|verdict| password_entry(&verdict.object.object()));
        let mut entries: HashSet<SecretEntry> = entries.collect();
        entries.extend(pending.entries.iter().cloned());
        for entry in &entries {
            let refers = self.user_memos.referring(entry).next().is_some();
            passwords.set_use(entry, refers, self.admits_one_with(entry));
        }
        if !entries.is_empty() {
            inputs.requests.admitted_others();
        }
    }

    /// Whether a tenant admits one of the people whose password this entry is.
    fn admits_one_with(&self, entry: &SecretEntry) -> bool {
        let places = self.user_memos.referring(entry);
        let mut memos = places.filter_map(|place| self.user_memos.get(place));
        memos.any(|memo| self.admits(&memo.verdict.object.object()))
    }

    /// Whether the verdict about what lies in a place is what it would be if nothing was remembered. Looks at one object.
    pub(super) fn is_right_about_person(
        &self,
        inputs: &Inputs,
        keyring: &Arc<Keyring>,
        place: &Place,
    ) -> Result<(), &'static str> {
        let memo = self.user_memos.get(place);
        let kept = self.users.get(place);
        let (Some(memo), Some(kept)) = (memo, kept) else {
            return Err("an OAuthUser that exists has no verdict, or one that was deleted has one");
        };
        if !Arc::ptr_eq(&memo.verdict.object, &kept) {
            return Err("the verdict is about another version");
        }
        let wanted = self.wanted_names(place);
        let asker = Asker::Person(place.clone());
        if self.names.wishes(&asker) != wanted.subject
            || self.usernames.wishes(place) != wanted.username
            || self.emails.names(place) != wanted.by_email.as_ref()
        {
            return Err("the names are claimed otherwise than the object says");
        }
        let object = kept.object();
        let now = self.circumstances(&object.spec.tenant, kept.namespace());
        let extra = self.user_extra(inputs, keyring, place, &object);
        let fresh = self.make_user(&kept, now, extra, Some(memo));
        if fresh.verdict.registered != memo.verdict.registered
            || fresh.verdict.details != memo.verdict.details
        {
            return Err("the verdict is another");
        }
        if !self.has_its_person(&memo.verdict) {
            return Err("the registry has another person");
        }
        Ok(())
    }
}
