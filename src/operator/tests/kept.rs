//! What is kept of an OAuthClient is the OAuthClient, whatever is in it.

use std::sync::Arc;

use clientele_api::OAuthClient;
use kube::{Resource, ResourceExt};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::tenancy::clients::{of_b, text};
use super::tenancy::proofs::Keys;
use crate::domain::client::status::is_ready;
use crate::domain::kept::{Kept, Words, is_same_version};
use crate::domain::large::{is_shortened, mark_shortened};
use crate::watch::objects::prune_client;

fn time() -> impl Strategy<Value = Value> {
    let seconds = 0i64..4_000_000_000;
    seconds.prop_map(|second| json!(jiff::Timestamp::from_second(second).unwrap().to_string()))
}

fn maybe<T: Strategy<Value = Value>>(part: T) -> impl Strategy<Value = Value> {
    prop::option::of(part).prop_map(Option::unwrap_or_default)
}

fn words() -> impl Strategy<Value = Value> {
    maybe(text().prop_map(Value::String))
}

fn condition() -> impl Strategy<Value = Value> {
    let type_ = prop::sample::select(vec![
        "Ready",
        "Reconciling",
        "Stalled",
        "Advisory",
        "Another",
    ]);
    let status = prop::sample::select(vec!["True", "False", "Unknown"]);
    (
        type_,
        status,
        text(),
        text(),
        maybe((0i64..9).prop_map(Value::from)),
        time(),
    )
        .prop_map(|(type_, status, reason, message, generation, at)| {
            json!({
                "type": type_, "status": status, "reason": reason, "message": message,
                "observedGeneration": generation, "lastTransitionTime": at,
            })
        })
}

fn ledger() -> impl Strategy<Value = Value> {
    let number = || 0i64..=4_294_967_295;
    let overlap = (number(), time(), time(), maybe(time())).prop_map(|(before, since, end, used)| {
        json!({ "before": before, "since": since, "retiresAt": end, "lastUsed": used })
    });
    let older = prop::collection::vec(text(), 0..3);
    ((number(), number(), number()), maybe(time()), maybe(overlap), words(), older).prop_map(
        |((requested, published, oldest), at, overlap, key, older)| {
            json!({
                "requested": requested, "published": published, "oldestAccepted": oldest, "publishedAt": at,
                "overlap": overlap, "rootKey": key, "olderRootKeys": older,
            })
        },
    )
}

/// Any status. Names and IDs are the usual ones as often as not.
fn status() -> impl Strategy<Value = Value> {
    let usual = |name: &'static str| {
        maybe(prop_oneof![Just(name.to_owned()), text()].prop_map(Value::String))
    };
    let uid = "0f8fad5b-d9cb-469f-a165-70867728950e";
    let rotation = (words(), words(), maybe(time())).prop_map(|(id, cause, next)| {
        json!({ "lastHandledRequestId": id, "lastCause": cause, "nextAt": next })
    });
    let binding = text().prop_map(|name| json!({ "name": name }));
    let names = (usual("team-b.web"), words(), usual("web-oauth"), usual(uid));
    let times = (maybe(time()), maybe(time()));
    let conditions = prop::collection::vec(condition(), 0..5);
    let parts = (maybe(ledger()), maybe(rotation), maybe(binding));
    (maybe((0i64..9).prop_map(Value::from)), names, times, parts, conditions).prop_map(
        |(generation, (id, issuer, secret, uid), (used, unused), (ledger, rotation, binding), conditions)| {
            json!({
                "observedGeneration": generation, "clientId": id, "issuer": issuer, "secretName": secret,
                "secretUid": uid, "secretGeneration": ledger, "rotation": rotation, "lastUsedAt": used,
                "unusedSince": unused, "binding": binding, "conditions": conditions,
            })
        },
    )
}

fn any_client() -> impl Strategy<Value = OAuthClient> {
    let version = prop_oneof![(0u64..u64::MAX).prop_map(|n| n.to_string()), text()];
    let parts = (
        of_b(&Keys::new()),
        maybe(status()),
        version,
        maybe(time()),
        any::<bool>(),
    );
    parts.prop_map(|(mut client, status, version, deleted, shortened)| {
        client.status = serde_json::from_value(status).unwrap();
        client.metadata.resource_version = Some(version);
        client.metadata.deletion_timestamp = serde_json::from_value(deleted).unwrap();
        let client = prune_client(client);
        if shortened {
            mark_shortened(client)
        } else {
            client
        }
    })
}

/// What an OAuthClient takes, without its texts and its status: of 100,000 each byte is 100 kB.
#[test]
fn an_oauthclient_stays_small() {
    assert_eq!(size_of::<Kept<OAuthClient>>(), 192);
}

proptest! {
    #[test]
    fn an_oauthclient_is_what_it_was_before_it_was_kept(client in any_client()) {
        let mut words = Words::default();
        let kept = Arc::new(Kept::new(client.clone(), &mut words));
        prop_assert_eq!(&*kept.object(), &client);
        let again = Arc::new(Kept::new((*kept.object()).clone(), &mut words));
        prop_assert!(is_same_version(&kept, &again));
        prop_assert_eq!(is_shortened(&*kept.object()), is_shortened(&client));
    }

    /// What is asked without the whole object is what the whole object says.
    #[test]
    fn what_is_asked_often_is_what_the_object_says(client in any_client()) {
        let kept = Kept::new(client.clone(), &mut Words::default());
        let status = client.status.as_ref();
        let generation = status.and_then(|status| status.secret_generation.as_ref());
        prop_assert_eq!(&**kept.name(), client.name_any());
        prop_assert_eq!(Some(&**kept.namespace()), client.metadata.namespace.as_deref());
        prop_assert_eq!(Some(&**kept.uid()), client.metadata.uid.as_deref());
        prop_assert_eq!(kept.generation(), client.meta().generation);
        prop_assert_eq!(kept.is_going(), client.metadata.deletion_timestamp.is_some());
        prop_assert_eq!(&**kept.tenant(), &client.spec.tenant);
        prop_assert_eq!(kept.secret_ref(), client.spec.secret_ref.as_deref());
        prop_assert_eq!(kept.brings_id(), client.spec.client_id.is_some());
        prop_assert_eq!(kept.is_suspended(), client.spec.suspended);
        prop_assert_eq!(kept.is_ready(), is_ready(&client));
        prop_assert_eq!(kept.has_ledger(), generation.is_some());
        let uid = status.and_then(|status| status.secret_uid.as_deref());
        prop_assert!(uid.is_none_or(|uid| kept.has_secret_uid(&uid.into())));
        prop_assert!(!kept.has_secret_uid(&"another UID".into()));
        let next = status.and_then(|status| status.rotation.as_ref()?.next_at.as_ref());
        prop_assert_eq!(kept.next_rotation_at(), next.map(|time| time.0));
        let published = generation.and_then(|generation| generation.published_at.as_ref());
        prop_assert_eq!(kept.secret_published_at(), published.map(|time| time.0));
        let overlap = generation.filter(|generation| generation.overlap.is_some());
        let published = overlap.map(|generation| u32::try_from(generation.published).unwrap());
        prop_assert_eq!(kept.published_in_overlap(), published);
        let last = status.map(|status| (&status.last_used_at, &status.unused_since));
        let kept_last = kept.last_use().map(|last| (&last.last_used_at, &last.unused_since));
        prop_assert_eq!(kept_last, last);
        for id in ["web", "of.a", ""] {
            let names = |key: &str| key == id;
            let may = generation.is_some_and(|generation| {
                generation.root_key.as_deref().is_none_or(names)
                    || generation.older_root_keys.iter().any(|key| names(key))
            });
            prop_assert_eq!(kept.may_derive_from(id), may);
        }
    }
}
