//! Rotation without interruption: requests, schedule, overlap, and every way to bring a retired secret back.

mod resurrection;
mod schedule;
mod silence;

use std::time::{Duration, Instant};

use clientele_api::{OAuthClient, RotationStatus, SecretGeneration};
use k8s_openapi::api::events::v1::Event;
use kube::Api;
use kube::api::{ListParams, Patch, PatchParams};
use serde_json::{Value, json};

use crate::support::load::{Entries, Load, ask};
use crate::support::test_namespace::{
    DEADLINE, TestNamespace, eventually, eventually_within, http, when,
};

/// The ledger as requested, published and oldest accepted.
pub fn ledger(object: &OAuthClient) -> (i64, i64, i64) {
    let ledger = generation(object);
    (ledger.requested, ledger.published, ledger.oldest_accepted)
}

pub fn generation(object: &OAuthClient) -> SecretGeneration {
    let status = object.status.clone().unwrap_or_default();
    status.secret_generation.unwrap_or_default()
}

pub fn rotation(object: &OAuthClient) -> RotationStatus {
    let status = object.status.clone().unwrap_or_default();
    *status.rotation.unwrap_or_default()
}

fn handled(object: &OAuthClient) -> Option<String> {
    rotation(object).last_handled_request_id
}

/// Asks for a rotation and waits until it is published.
async fn rotate(space: &TestNamespace, name: &str, id: &str) -> OAuthClient {
    let patch = json!({ "spec": { "rotation": { "requestId": id } } });
    space.patch(name, patch).await;
    wait_rotated(space, name, id).await
}

async fn wait_rotated(space: &TestNamespace, name: &str, id: &str) -> OAuthClient {
    space
        .wait_client(name, "the rotation is published", |object| {
            let (requested, published, _) = ledger(object);
            handled(object).as_deref() == Some(id) && requested == published
        })
        .await
}

/// Waits until no generation but the published one works.
pub async fn wait_retired(space: &TestNamespace, name: &str) -> OAuthClient {
    space
        .wait_client(name, "the old generation is retired", |object| {
            let (_, published, oldest) = ledger(object);
            published == oldest
        })
        .await
}

/// Waits until these credentials are refused.
pub async fn wait_refused(entries: &Entries) {
    wait_refused_within(DEADLINE, entries).await;
}

pub async fn wait_refused_within(within: Duration, entries: &Entries) {
    let http = http();
    eventually_within(within, "the old secret is refused", || async {
        let answer = ask(&http, entries).await;
        let refused = answer
            .as_ref()
            .is_err_and(|said| said.starts_with("401 ") && said.contains("invalid_client"));
        when(refused, (), || format!("{}", answer.is_ok()))
    })
    .await;
}

/// The notes of the events of this reason in the namespace; waits for the first.
pub async fn notes(space: &TestNamespace, reason: &str) -> Vec<String> {
    let events: Api<Event> = Api::namespaced(space.kube.clone(), &space.name);
    eventually(reason, || async {
        let list = events.list(&ListParams::default()).await.unwrap();
        let notes: Vec<String> = list
            .items
            .into_iter()
            .filter(|event| event.reason.as_deref() == Some(reason))
            .filter_map(|event| event.note)
            .collect();
        when(!notes.is_empty(), notes, || format!("no event {reason}"))
    })
    .await
}

/// The application reads its Secret again, as one does whose mounted volume changes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_rotations_under_load_refuse_nobody() {
    let space = TestNamespace::new("rotation").await;
    space.ready("web", json!({})).await;
    let first = space.entries("web-oauth").await;
    let load = Load::reading(space.secrets(), "web-oauth", 50);
    for turn in 1..=100_u32 {
        let object = rotate(&space, "web", &format!("turn-{turn}")).await;
        assert_eq!(ledger(&object).1, i64::from(turn) + 1);
    }
    load.stop().await.is_flawless();
    let last = space.entries("web-oauth").await;
    assert_ne!(first["CLIENT_SECRET"], last["CLIENT_SECRET"]);
    // A client that has not read it again yet is not refused either.
    ask(&http(), &first).await.unwrap();
}

/// F04 of the table of faults.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_quick_requests_the_last_counts_without_a_gap() {
    let space = TestNamespace::new("rotation").await;
    space.ready("web", json!({})).await;
    let load = Load::reading(space.secrets(), "web-oauth", 50);
    for turn in 0..10 {
        for half in ["a", "b"] {
            let patch = json!({ "spec": { "rotation": { "requestId": format!("{turn}{half}") } } });
            space.patch("web", patch).await;
        }
        wait_rotated(&space, "web", &format!("{turn}b")).await;
    }
    load.stop().await.is_flawless();
    let (requested, published, oldest) = ledger(&space.clients().get("web").await.unwrap());
    assert!((11..=21).contains(&requested), "{requested}");
    assert_eq!((published, oldest), (requested, 1));
}

#[tokio::test]
async fn k25_a_manifest_that_is_applied_again_and_again_rotates_once() {
    let space = TestNamespace::new("rotation").await;
    space.ready("web", json!({})).await;
    let manifest = json!({
        "apiVersion": "clientele.dev/v1alpha1", "kind": "OAuthClient",
        "metadata": { "name": "web" },
        "spec": { "rotation": { "requestId": "INC-4711" } },
    });
    let gitops = PatchParams::apply("gitops").force();
    let apply = async || {
        let patch = Patch::Apply(&manifest);
        space.clients().patch("web", &gitops, &patch).await.unwrap()
    };
    let declared = |object: &OAuthClient| {
        let metadata = &object.metadata;
        json!([
            object.spec,
            metadata.labels,
            metadata.annotations,
            metadata.generation,
            metadata.finalizers
        ])
    };
    let first = declared(&apply().await);
    wait_rotated(&space, "web", "INC-4711").await;
    for _ in 0..60 {
        assert_eq!(declared(&apply().await), first);
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert_eq!(
        ledger(&space.clients().get("web").await.unwrap()),
        (2, 2, 1)
    );
}

#[tokio::test]
async fn a_request_in_the_first_manifest_counts_as_answered() {
    let space = TestNamespace::new("rotation").await;
    let spec = json!({ "rotation": { "requestId": "born-with-it" } });
    space.ready("web", spec).await;
    let object = wait_rotated(&space, "web", "born-with-it").await;
    assert_eq!(ledger(&object), (1, 1, 1));
}

#[tokio::test]
async fn without_overlap_the_old_secret_stops_at_once_with_an_event() {
    let space = TestNamespace::new("rotation").await;
    space.ready("web", json!({})).await;
    let old = space.entries("web-oauth").await;
    let leaked = json!({ "spec": { "rotation": { "maxOverlap": "0s", "requestId": "leak" } } });
    space.patch("web", leaked).await;
    let object = wait_rotated(&space, "web", "leak").await;
    assert_eq!(ledger(&object), (2, 2, 2));
    assert_eq!(generation(&object).overlap, None);
    wait_refused(&old).await;
    ask(&http(), &space.entries("web-oauth").await)
        .await
        .unwrap();
    let note = &notes(&space, "Retired").await[0];
    assert!(note.contains("maxOverlap: 0s"), "{note}");
    let note = &notes(&space, "Rotated").await[0];
    assert!(
        note.contains("generation 2") && note.contains("Requested"),
        "{note}"
    );
    let no_repair = space.kube.clone();
    let events: Api<Event> = Api::namespaced(no_repair, &space.name);
    let list = events.list(&ListParams::default()).await.unwrap();
    let repaired = list
        .iter()
        .any(|event| event.reason.as_deref() == Some("Repaired"));
    assert!(!repaired, "a rotation is no repair");
}

#[tokio::test]
async fn a_running_overlap_is_ended_by_a_shorter_one() {
    let space = TestNamespace::new("rotation").await;
    space.ready("web", json!({})).await;
    let old = space.entries("web-oauth").await;
    let object = rotate(&space, "web", "one").await;
    let message = crate::support::test_namespace::message(&object);
    assert!(
        message.contains("the old client secret works until 2"),
        "{message}"
    );
    ask(&http(), &old).await.unwrap();
    let at_once = json!({ "spec": { "rotation": { "maxOverlap": "0s" } } });
    space.patch("web", at_once).await;
    let object = wait_retired(&space, "web").await;
    assert_eq!(ledger(&object), (2, 2, 2));
    wait_refused(&old).await;
}

#[tokio::test]
async fn d15_both_secrets_work_in_the_overlap_then_the_new_one() {
    let space = TestNamespace::new("rotation").await;
    let spec = json!({ "rotation": { "maxOverlap": "4s", "quietPeriod": "4s" } });
    space.ready("web", spec).await;
    let old = space.entries("web-oauth").await;
    let since = Instant::now();
    rotate(&space, "web", "one").await;
    let new = space.entries("web-oauth").await;
    ask(&http(), &new).await.unwrap();
    let answer = ask(&http(), &old).await;
    let elapsed = since.elapsed();
    assert!(
        answer.is_ok() || elapsed >= Duration::from_secs(4),
        "{answer:?} {elapsed:?}"
    );
    let object = wait_retired(&space, "web").await;
    assert_eq!(ledger(&object), (2, 2, 2));
    wait_refused(&old).await;
    ask(&http(), &new).await.unwrap();
    let note = &notes(&space, "Retired").await[0];
    assert!(note.contains("its maximum overlap of 4s ended"), "{note}");
}

#[tokio::test]
async fn a_suspended_client_rotates_when_asked_and_keeps_its_overlap() {
    let space = TestNamespace::new("rotation").await;
    space.ready("web", json!({})).await;
    let old = space.entries("web-oauth").await;
    space
        .patch("web", json!({ "spec": { "suspended": true } }))
        .await;
    space.wait_refused("web", "Suspended").await;
    let object = rotate(&space, "web", "one").await;
    assert_eq!(ledger(&object), (2, 2, 1));
    space
        .patch("web", json!({ "spec": { "suspended": false } }))
        .await;
    space.wait_ready("web").await;
    ask(&http(), &old).await.unwrap();
    ask(&http(), &space.entries("web-oauth").await)
        .await
        .unwrap();
}

fn spec(object: &OAuthClient) -> Value {
    json!(object.spec)
}
