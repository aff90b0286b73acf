//! Users as they follow from their objects and passwords, judged again only when something about them changed.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use clientele_api::OAuthUser;
use clientele_oauth::{Keyring, User, Users};
use jiff::{RoundMode, Timestamp, TimestampRound, Unit};
use kube::{Resource, ResourceExt};

use super::RegistryBuilder;
use super::arrivals::record_person_gone;
use super::memo::{Memo, kept};
use crate::domain::unique_names::{NameReservation, NameReservations, Wish};
use crate::domain::user::email::EmailAddresses;
use crate::domain::user::password::Found;
use crate::domain::user::validate::{UserInputs, place, validate_user};
use crate::domain::verdict::{UserDetails, UserVerdict};
use crate::metrics::count;
use crate::registry::Inputs;

/// A verdict about an OAuthUser and what it was made of.
pub(super) type UserMemo = Memo<OAuthUser, User, UserDetails, UserExtra>;

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

/// Who has which username and which address.
struct PeopleNames {
    usernames: NameReservations,
    emails: EmailAddresses,
}

/// What became of the people.
#[derive(Default)]
pub(super) struct Judged {
    /// The verdicts that are new.
    pub(super) changed: Vec<Arc<UserVerdict>>,
    /// The UIDs of those that are gone.
    pub(super) gone: Vec<String>,
    /// The tenants of both.
    pub(super) tenants: HashSet<String>,
}

impl RegistryBuilder {
    /// Decides who has which username and which address. Who may not have one does not keep others from it.
    fn people_names(&self, users: &[Arc<OAuthUser>]) -> PeopleNames {
        let admitted = || users.iter().filter(|user| self.admits(user));
        let by_email = admitted().filter(|user| self.signs_in_by_email(user));
        let usernames = admitted().map(|user| NameReservation::of_username(user));
        PeopleNames {
            usernames: NameReservations::decide(usernames),
            emails: EmailAddresses::of(by_email.map(|user| &**user)),
        }
    }

    /// The subjects that people bring, by the UID of the person.
    pub(super) fn subject_wishes(&self) -> HashMap<String, Vec<Wish>> {
        let users = self.users.objects();
        let wishes = users.iter().filter_map(|user| {
            let reservation = NameReservation::of_subject(user)?;
            let may = self.admits(user);
            Some((user.uid()?, vec![Wish { reservation, may }]))
        });
        wishes.collect()
    }

    fn signs_in_by_email(&self, user: &OAuthUser) -> bool {
        let tenant = self.tenant_state(&user.spec.tenant);
        tenant.is_some_and(|tenant| tenant.policy.signs_in_by_email)
    }

    fn admits(&self, user: &OAuthUser) -> bool {
        let tenant = self.tenant_state(&user.spec.tenant);
        let labels = self.labels(user.metadata.namespace.as_deref());
        let admits = tenant.zip(labels);
        admits.is_some_and(|(tenant, labels)| tenant.policy.users.contains(labels))
    }

    /// Judges everybody whose circumstances changed, and gathers the people of tenants in which one changed.
    pub(super) fn judge_people(&mut self, inputs: &Inputs) -> Judged {
        let objects = self.users.objects();
        self.note_where_people_live(&objects);
        let root_keys = inputs.root_keys.load();
        // Without them no person can sign in, and what began before cannot be told.
        let Some(keyring) = &root_keys.verifying else {
            return Judged::default();
        };
        let names = self.people_names(&objects);
        let mut changed = Vec::new();
        let mut moved: HashSet<String> = HashSet::new();
        let mut alive = HashMap::new();
        for object in objects {
            let uid = object.uid().unwrap_or_default();
            self.work.people += 1;
            let extra = UserExtra {
                holders: self.other_holders(&names, &object),
                password: place(&object).map(|place| inputs.cache.passwords.find(&place)),
                keyring: keyring.clone(),
            };
            let former = self.user_memos.get(&uid);
            let former = former.map(|memo| memo.verdict.object.spec.tenant.clone());
            let (memo, fresh) = self.judge_user(&object, &uid, extra);
            if fresh {
                // Admission refuses another tenant; where it was bypassed, the person leaves the former one.
                moved.extend(former);
                moved.insert(object.spec.tenant.clone());
                changed.push(memo.verdict.clone());
            }
            alive.insert(uid, memo);
        }
        let gone = std::mem::replace(&mut self.user_memos, alive);
        for memo in gone.values() {
            record_person_gone(inputs, &memo.verdict);
        }
        moved.extend(
            gone.values()
                .map(|memo| memo.verdict.object.spec.tenant.clone()),
        );
        self.gather(&moved);
        if !moved.is_empty() {
            self.renew_wanted_passwords(inputs);
        }
        inputs
            .context
            .metrics
            .registry
            .users
            .set(self.people.values().map(|people| count(people.len())).sum());
        Judged {
            changed,
            gone: gone.into_keys().collect(),
            tenants: moved,
        }
    }

    /// Only the passwords of people who exist are wanted, and only those of people whom a tenant admits are hashed.
    fn renew_wanted_passwords(&self, inputs: &Inputs) {
        let memos = self.user_memos.values();
        let places = memos.filter_map(|memo| place(&memo.verdict.object));
        inputs.cache.passwords.want_only(places);
        let memos = self.user_memos.values();
        let admitted = memos.filter(|memo| self.admits(&memo.verdict.object));
        let places = admitted.filter_map(|memo| place(&memo.verdict.object));
        inputs.cache.passwords.admit_only(places);
        inputs.requests.admitted_others();
    }

    fn note_where_people_live(&mut self, users: &[Arc<OAuthUser>]) {
        let namespaces = users.iter().filter_map(|user| user.namespace());
        self.people_live_in = namespaces.collect();
        let tenants = users.iter().map(|user| user.spec.tenant.clone());
        self.people_belong_to = tenants.collect();
    }

    fn other_holders(&self, names: &PeopleNames, object: &OAuthUser) -> Holders {
        let username = NameReservation::of_username(object);
        let subject = NameReservation::of_subject(object);
        let owned = |holder: &str| holder.to_owned();
        Holders {
            username: names.usernames.other_holder(&username).map(owned),
            subject: subject.and_then(|claim| self.names.other_holder(&claim).map(owned)),
            ambiguous_email: names.emails.is_ambiguous(object),
        }
    }

    fn gather(&mut self, moved: &HashSet<String>) {
        for tenant in moved {
            let verdicts = self.user_memos.values().map(|memo| &memo.verdict);
            let people = verdicts
                .filter(|verdict| verdict.object.spec.tenant == *tenant)
                .filter(|verdict| verdict.object.meta().deletion_timestamp.is_none())
                .filter_map(|verdict| verdict.registered.as_ref().ok().cloned());
            let people = Users::new(people);
            // Anybody may write down the name of a tenant that does not exist.
            if people.is_empty() {
                self.people.remove(tenant);
            } else {
                self.people.insert(tenant.clone(), Arc::new(people));
            }
        }
    }

    /// Validates an object again only if something that matters to it changed.
    fn judge_user(
        &mut self,
        object: &Arc<OAuthUser>,
        uid: &str,
        extra: UserExtra,
    ) -> (UserMemo, bool) {
        let namespace = object.metadata.namespace.as_deref();
        let now = self.circumstances(&object.spec.tenant, namespace);
        let before = self.user_memos.remove(uid);
        let before = match before {
            Some(mut memo) if memo.extra == extra && memo.still_holds(object, &now) => {
                let is_other_copy = !Arc::ptr_eq(&memo.verdict.object, object);
                if is_other_copy {
                    memo.move_to(object);
                }
                return (memo, is_other_copy);
            }
            before => before,
        };
        let superseded = before.as_ref().and_then(|memo| memo.superseded(object));
        let before = before.as_ref().map(|memo| &*memo.verdict);
        let labels = now.labels(&**object);
        let valid_from = valid_from(object, before, Timestamp::now());
        let tenant_uid = self.tenant_uid(&object.spec.tenant);
        let policy = now.tenant.as_ref().map(|tenant| &tenant.policy);
        let user = validate_user(
            object,
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
            object: object.clone(),
            registered: kept(user.map(|user| user.person), before),
            tenant: now.tenant,
            superseded: superseded.unwrap_or_default(),
            details: UserDetails {
                pending,
                valid_from,
                ambiguous_email: extra.holders.ambiguous_email,
            },
        };
        (UserMemo::new(verdict, labels, extra), true)
    }
}

/// What began earlier is over: the time at which the person was last seen to be disabled. It only rises, so that
/// letting the person in again brings nothing back to life.
fn valid_from(object: &OAuthUser, before: Option<&UserVerdict>, now: Timestamp) -> Timestamp {
    let status = object.status.as_ref();
    let recorded = status.and_then(|status| status.sessions_valid_from.as_ref());
    let known = [
        recorded.map(|time| time.0),
        before.map(|b| b.details.valid_from),
    ];
    let known = known.into_iter().flatten().max();
    let observed = status.and_then(|status| status.observed_generation);
    // After a restart: it was seen if this generation was, and its time is recorded.
    let after_restart = recorded.is_some() && observed == object.metadata.generation;
    let was_seen = before.map_or(after_restart, |before| before.object.spec.disabled);
    if !object.spec.disabled || was_seen {
        return known.unwrap_or(Timestamp::UNIX_EPOCH);
    }
    // Rounded up, because the status has whole seconds and nothing that began in this one may survive.
    let up = TimestampRound::new()
        .smallest(Unit::Second)
        .mode(RoundMode::Ceil);
    let now = now.round(up).unwrap_or(now);
    known.map_or(now, |known| known.max(now))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::user;
    use serde_json::{Value, json};

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millisecond(millis).unwrap()
    }

    fn alice(disabled: bool, generation: i64, status: Value) -> OAuthUser {
        let mut alice = user(
            "alice",
            json!({ "username": "alice", "disabled": disabled }),
        );
        alice.metadata.generation = Some(generation);
        alice.status = serde_json::from_value(status).unwrap();
        alice
    }

    fn seen(object: OAuthUser, valid_from: Timestamp) -> UserVerdict {
        UserVerdict {
            object: Arc::new(object),
            registered: Err(crate::domain::reason::Refusal::new(
                crate::domain::reason::Reason::Disabled,
                "",
            )),
            tenant: None,
            details: UserDetails {
                pending: false,
                valid_from,
                ambiguous_email: false,
            },
            superseded: Arc::default(),
        }
    }

    #[test]
    fn c17_who_is_disabled_and_let_in_again_finds_no_session() {
        let free = seen(alice(false, 1, json!({})), Timestamp::UNIX_EPOCH);
        let disabled = alice(true, 2, json!({}));
        let since = valid_from(&disabled, Some(&free), at(1500));
        assert_eq!(
            since,
            at(2000),
            "whole seconds, and none of this one survives"
        );
        let disabled = seen(disabled, since);
        assert_eq!(
            valid_from(&disabled.object, Some(&disabled), at(9000)),
            since,
            "as long as nothing changes nothing is written"
        );
        // Before the status could be written the person is let in again.
        let again = alice(false, 3, json!({}));
        assert_eq!(valid_from(&again, Some(&disabled), at(9000)), since);
        let again = seen(again, since);
        let twice = alice(true, 4, json!({}));
        assert_eq!(valid_from(&twice, Some(&again), at(9000)), at(9000));
    }

    #[test]
    fn m09_a_restart_remembers_when_somebody_was_disabled() {
        let status =
            json!({ "observedGeneration": 2, "sessionsValidFrom": "1970-01-01T00:00:05Z" });
        let recorded = alice(true, 2, status.clone());
        assert_eq!(valid_from(&recorded, None, at(60_000)), at(5000));
        let while_away = alice(true, 3, status.clone());
        assert_eq!(valid_from(&while_away, None, at(60_000)), at(60_000));
        let free = alice(false, 3, status);
        assert_eq!(valid_from(&free, None, at(60_000)), at(5000));
        let never = alice(false, 1, json!({}));
        assert_eq!(valid_from(&never, None, at(60_000)), Timestamp::UNIX_EPOCH);
    }
}
