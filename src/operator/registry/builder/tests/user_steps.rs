//! Random events about people, their passwords and their addresses.

use std::collections::BTreeMap;

use clientele_api::OAuthUser;
use clientele_api::user::PASSWORD_TYPE;
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::runtime::watcher::Event;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::stage::Stage;
use super::steps::{NAMESPACES, Stored, TENANTS, next};
use crate::watch::objects::WatchEvent;

const HASH: &str = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
const ENTRIES: [&str; 2] = ["first", "second"];

/// The values of both entries; none where there is no entry.
pub type Values = [Option<&'static str>; 2];

/// One event.
#[derive(Clone, Debug)]
pub enum UserStep {
    Put(usize, Value),
    Status(usize, usize),
    Gone(usize),
    /// Another object of the same name, without a word about the end of the first.
    Reborn(usize, Value),
    Going(usize),
    /// Two people exchange what they say, with their names.
    Swap(usize, usize),
    /// A Secret with passwords, in one of two namespaces.
    Passwords(usize, Option<Values>),
    /// A list, which lacks a person.
    Relist(usize),
}

fn spec() -> impl Strategy<Value = Value> {
    let username = prop_oneof![Just("alice"), Just("bob"), Just("bob@example.com")];
    let subject = prop_oneof![
        Just(None),
        Just(Some("legacy")),
        Just(Some("urn:orders")),
        Just(Some("1234"))
    ];
    let email = prop_oneof![
        Just(None),
        Just(Some("alice@example.com")),
        Just(Some("Bob@example.com"))
    ];
    let entry = proptest::option::of(prop::sample::select(ENTRIES.to_vec()));
    (0..TENANTS.len(), username, subject, email, entry).prop_map(
        |(tenant, username, subject, email, entry)| {
            json!({
                "tenant": TENANTS[tenant],
                "username": username,
                "subject": subject,
                "email": email,
                "passwordSecretRef": entry.map(|key| json!({ "name": "people", "key": key })),
            })
        },
    )
}

pub fn step() -> impl Strategy<Value = UserStep> {
    let person = || 0..4_usize;
    let value = || {
        prop_oneof![
            Just(None),
            Just(Some(HASH)),
            Just(Some("a plain text")),
            Just(Some(""))
        ]
    };
    let values = proptest::option::of([value(), value()]);
    prop_oneof![
        6 => (person(), spec()).prop_map(|(n, spec)| UserStep::Put(n, spec)),
        2 => (person(), 0..4_usize).prop_map(|(n, status)| UserStep::Status(n, status)),
        1 => person().prop_map(UserStep::Gone),
        1 => (person(), spec()).prop_map(|(n, spec)| UserStep::Reborn(n, spec)),
        1 => person().prop_map(UserStep::Going),
        2 => (person(), person()).prop_map(|(a, b)| UserStep::Swap(a, b)),
        3 => (0..2_usize, values).prop_map(|(n, values)| UserStep::Passwords(n, values)),
        1 => person().prop_map(UserStep::Relist),
    ]
}

impl Stored {
    pub fn play_user(&mut self, stage: &mut Stage, step: UserStep) {
        match step {
            UserStep::Put(n, spec) => self.put_user(stage, n, spec),
            UserStep::Reborn(n, spec) => {
                self.users.remove(&n);
                self.put_user(stage, n, spec);
            }
            UserStep::Status(n, status) => {
                if let Some(mut user) = self.users.get(&n).cloned() {
                    user.status = serde_json::from_value(status_of(&user, status)).unwrap();
                    self.store_user_again(stage, n, user);
                }
            }
            UserStep::Going(n) => {
                if let Some(mut user) = self.users.get(&n).cloned() {
                    user.metadata.deletion_timestamp = Some(Time(jiff::Timestamp::UNIX_EPOCH));
                    self.store_user_again(stage, n, user);
                }
            }
            UserStep::Gone(n) => {
                if let Some(user) = self.users.remove(&n) {
                    stage.see(WatchEvent::User(Box::new(Event::Delete(user))));
                }
            }
            UserStep::Swap(a, b) => {
                let spec = |n| self.users.get(n).map(|user| json!(user.spec));
                if let (Some(of_a), Some(of_b)) = (spec(&a), spec(&b)) {
                    self.put_user(stage, a, of_b);
                    self.put_user(stage, b, of_a);
                }
            }
            UserStep::Passwords(n, values) => passwords(stage, NAMESPACES[n], values),
            UserStep::Relist(without) => {
                self.users.remove(&without);
                stage.see(WatchEvent::User(Box::new(Event::Init)));
                for user in self.users.values() {
                    let event = Event::InitApply(user.clone());
                    stage.see(WatchEvent::User(Box::new(event)));
                }
                stage.see(WatchEvent::User(Box::new(Event::InitDone)));
            }
        }
    }

    fn put_user(&mut self, stage: &mut Stage, n: usize, spec: Value) {
        let mut user = OAuthUser::new(&format!("user-{n}"), serde_json::from_value(spec).unwrap());
        user.metadata.namespace = Some(NAMESPACES[n % 2].into());
        let known = self.users.get(&n);
        user.status = known.and_then(|known| known.status.clone());
        let user = next(stage, known, user, &mut self.births);
        self.users.insert(n, user.clone());
        stage.user(user);
    }

    /// What leaves the manifest as it is.
    fn store_user_again(&mut self, stage: &mut Stage, n: usize, user: OAuthUser) {
        let generation = user.metadata.generation.unwrap();
        let user = stage.stored(user, generation);
        self.users.insert(n, user.clone());
        stage.user(user);
    }
}

pub fn passwords(stage: &mut Stage, namespace: &str, values: Option<Values>) {
    let index = &stage.inputs.cache.passwords;
    let Some(values) = values else {
        return index.forget(namespace, "people");
    };
    let entries = ENTRIES.into_iter().zip(values);
    let data = entries.filter_map(|(key, value)| Some((key.to_owned(), ByteString(value?.into()))));
    let mut secret = Secret {
        type_: Some(PASSWORD_TYPE.to_owned()),
        data: Some(data.collect::<BTreeMap<_, _>>()),
        ..Secret::default()
    };
    secret.metadata.namespace = Some(namespace.to_owned());
    secret.metadata.name = Some("people".to_owned());
    index.put(&secret);
}

/// What the status of a person may say: nothing, that it has its names, that it was refused one of them.
fn status_of(user: &OAuthUser, which: usize) -> Value {
    let refused = |reason: &str| {
        json!({ "conditions": [{
            "type": "Ready", "status": "False", "reason": reason, "message": "",
            "observedGeneration": user.metadata.generation,
            "lastTransitionTime": "2026-01-01T00:00:00Z",
        }] })
    };
    match which {
        0 => Value::Null,
        1 => json!({ "username": user.spec.username, "subject": user.spec.subject }),
        2 => refused("UsernameConflict"),
        _ => refused("SubjectConflict"),
    }
}
