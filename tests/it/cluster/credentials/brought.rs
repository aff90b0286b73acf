//! Client secrets that an application team provides: noticed at once, refused with a reason, copied nowhere.

use std::time::Duration;

use kube::ResourceExt;
use kube::api::{ListParams, Patch, PatchParams};
use serde_json::{Value, json};

use crate::cluster::documented::obey;
use crate::cluster::install::namespaces::scoped;
use crate::support::load::{Entries, ask};
use crate::support::operator::{Options, RunningOperator};
use crate::support::replica::Replica;
use crate::support::test_namespace::{TestNamespace, entries, http, message, promptly};

/// The type by which a Secret opts in.
const TYPE: &str = "clientele.dev/client-secret";
pub const ONE: &str = "one-0123456789abcdef0123456789abcdef";
const TWO: &str = "two-0123456789abcdef0123456789abcdef";

/// How long it may take until a change is noticed.
const NOTICED: Duration = Duration::from_secs(1);

fn bringing() -> Value {
    json!({ "secretRef": { "name": "mine" } })
}

pub async fn provide(space: &TestNamespace, value: &str) {
    let entries = [("client-secret", value)];
    space.write_secret("mine", TYPE, &entries).await;
}

async fn remove_entry(space: &TestNamespace, entry: &str) {
    let patch = Patch::Merge(json!({ "data": { entry: null } }));
    let params = PatchParams::default();
    space
        .secrets()
        .patch("mine", &params, &patch)
        .await
        .unwrap();
}

/// What an application would present that reads its ID from the one Secret and its secret from the other.
async fn presenting(space: &TestNamespace, value: &str) -> Entries {
    let mut entries = space.entries("web-oauth").await;
    entries.insert("CLIENT_SECRET".into(), value.into());
    entries
}

async fn is_accepted_within(within: Duration, presented: &Entries) {
    let http = http();
    promptly(within, "accepted", || ask(&http, presented)).await;
}

async fn is_refused_within(within: Duration, presented: &Entries) {
    promptly(within, "refused", || async {
        match ask(&http(), presented).await {
            Err(refused) if refused.starts_with("401 ") => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
}

#[tokio::test]
async fn a_brought_secret_authenticates_and_is_copied_nowhere() {
    let space = TestNamespace::new("brought").await;
    provide(&space, ONE).await;
    let object = space.ready("web", bringing()).await;
    assert!(message(&object).contains("/mine"), "{}", message(&object));
    let written = space.entries("web-oauth").await;
    assert!(written.contains_key("CLIENT_ID") && !written.contains_key("CLIENT_SECRET"));
    let presented = presenting(&space, ONE).await;
    ask(&http(), &presented).await.unwrap();
    ask(&http(), &presenting(&space, TWO).await)
        .await
        .unwrap_err();
    let everything = space.secrets().list(&ListParams::default()).await.unwrap();
    for secret in everything
        .items
        .iter()
        .filter(|secret| secret.name_any() != "mine")
    {
        let text = format!("{:?} {:?}", entries(secret), secret.metadata);
        assert!(!text.contains(ONE), "{text}");
    }
    let mine = space.secrets().get("mine").await.unwrap();
    assert!(
        mine.labels().is_empty() && mine.owner_references().is_empty(),
        "it is not ours"
    );
}

#[tokio::test]
async fn a_change_counts_in_a_second_and_the_previous_value_overlaps() {
    let space = TestNamespace::new("brought").await;
    space.write_secret("mine", TYPE, &[("now", ONE)]).await;
    let reference = json!({ "name": "mine", "key": "now", "previousKey": "before" });
    space.ready("web", json!({ "secretRef": reference })).await;
    let (one, two) = (presenting(&space, ONE).await, presenting(&space, TWO).await);
    ask(&http(), &one).await.unwrap();
    space
        .write_secret("mine", TYPE, &[("now", TWO), ("before", ONE)])
        .await;
    is_accepted_within(NOTICED, &two).await;
    ask(&http(), &one).await.unwrap();
    remove_entry(&space, "before").await;
    is_refused_within(NOTICED, &one).await;
    ask(&http(), &two).await.unwrap();
}

/// The reason is in the status, and the client is unknown until the Secret is right; order does not matter.
#[tokio::test]
async fn k09_a_missing_secret_is_reported_a_deleted_one_stops_access() {
    let space = TestNamespace::new("brought").await;
    space.create("web", bringing()).await;
    let said = space
        .refused("web", "SecretNotFound", "create secret generic mine")
        .await;
    assert!(said.contains(TYPE), "{said}");
    assert!(!space.has_secret("web-oauth").await);
    provide(&space, ONE).await;
    space.wait_ready("web").await;
    let presented = presenting(&space, ONE).await;
    ask(&http(), &presented).await.unwrap();

    space.delete_secret("mine").await;
    is_refused_within(NOTICED, &presented).await;
    space.wait_refused("web", "SecretNotFound").await;
    let left = space.entries("web-oauth").await;
    assert!(
        !left.contains_key("CLIENT_SECRET"),
        "nothing takes its place"
    );

    provide(&space, ONE).await;
    is_accepted_within(NOTICED, &presented).await;
    space.wait_ready("web").await;

    space.delete_secret("mine").await;
    let said = space.wait_refused("web", "SecretNotFound").await;
    obey(&space, &said).await;
    space.wait_ready("web").await;
}

/// Also a ServiceAccount's token, a TLS key and the credentials Secret of another client.
#[tokio::test]
async fn k09_a_secret_that_did_not_opt_in_is_not_read() {
    let space = TestNamespace::new("brought").await;
    let account = json!({ "kubernetes.io/service-account.name": "default" });
    space
        .write_secret("plain", "Opaque", &[("client-secret", ONE)])
        .await;
    space
        .write_secret(
            "password",
            "clientele.dev/password",
            &[("client-secret", ONE)],
        )
        .await;
    space.ready("other", json!({})).await;
    let token: k8s_openapi::api::core::v1::Secret = serde_json::from_value(json!({
        "metadata": { "name": "token", "annotations": account },
        "type": "kubernetes.io/service-account-token",
        "stringData": { "client-secret": ONE },
    }))
    .unwrap();
    space
        .secrets()
        .create(&kube::api::PostParams::default(), &token)
        .await
        .unwrap();
    for (name, key) in [
        ("plain", "client-secret"),
        ("password", "client-secret"),
        ("token", "client-secret"),
        ("other-oauth", "CLIENT_SECRET"),
    ] {
        let spec = json!({ "secretRef": { "name": name, "key": key } });
        space.create(&format!("of-{name}"), spec).await;
        let said = space
            .refused(
                &format!("of-{name}"),
                "SecretNotFound",
                "none of another type is read",
            )
            .await;
        assert!(!said.contains(ONE), "{said}");
    }
}

#[tokio::test]
async fn d14_k09_an_unusable_client_secret_is_reported_not_repeated() {
    let space = TestNamespace::new("brought").await;
    provide(&space, "").await;
    space.create("web", bringing()).await;
    let said = space.wait_refused("web", "SecretInvalid").await;
    assert!(said.contains("is missing or empty"), "{said}");
    for (value, problem) in [
        ("0123456789abcdef01234", "is shorter than 22"),
        ("abababababababababababababababababab", "can be guessed"),
        ("0123456789abcdef0123456789abcde\u{e9}", "printable ASCII"),
    ] {
        provide(&space, value).await;
        let object = space
            .wait_client("web", problem, |object| message(object).contains(problem))
            .await;
        assert!(!message(&object).contains(value), "{}", message(&object));
    }
    remove_entry(&space, "client-secret").await;
    space
        .wait_client("web", "the entry is missing", |object| {
            message(object).contains("is missing")
        })
        .await;
    let said = space.wait_refused("web", "SecretInvalid").await;
    obey(&space, &said).await;
    space.wait_ready("web").await;
    provide(&space, ONE).await;
    space.wait_ready("web").await;
    let mut presented = presenting(&space, "").await;
    ask(&http(), &presented).await.unwrap_err();
    presented.remove("CLIENT_SECRET");
    ask(&http(), &presented).await.unwrap_err();
}

#[tokio::test]
async fn derived_and_brought_take_turns_and_never_work_together() {
    let space = TestNamespace::new("brought").await;
    space.ready("web", json!({})).await;
    let derived = space.entries("web-oauth").await;
    ask(&http(), &derived).await.unwrap();
    provide(&space, ONE).await;
    space.patch("web", json!({ "spec": bringing() })).await;
    space.wait_ready("web").await;
    let brought = presenting(&space, ONE).await;
    ask(&http(), &brought).await.unwrap();
    let refused = ask(&http(), &derived).await.unwrap_err();
    assert!(refused.starts_with("401 "), "{refused}");
    assert!(
        !space
            .entries("web-oauth")
            .await
            .contains_key("CLIENT_SECRET")
    );

    space
        .patch("web", json!({ "spec": { "secretRef": null } }))
        .await;
    space.wait_ready("web").await;
    assert_eq!(
        space.entries("web-oauth").await,
        derived,
        "the same bytes, the same generation"
    );
    ask(&http(), &derived).await.unwrap();
    ask(&http(), &brought).await.unwrap_err();
    let mine = space.entries("mine").await;
    assert_eq!(mine["client-secret"], ONE, "it is still whose it was");
}

/// A replica that says it is ready knows every secret that is brought: no client is refused for a moment.
#[tokio::test]
async fn a_replica_is_ready_only_when_it_knows_what_is_brought() {
    let space = TestNamespace::new("brought").await;
    provide(&space, ONE).await;
    space.ready("web", bringing()).await;
    for _ in 0..3 {
        let replica = Replica::start().await;
        let tenant = replica.tenant("default");
        let client = &tenant.clients[&*format!("{}.web", space.name)];
        assert!(client.external_secret.is_some());
        replica.stop().await;
    }
}

/// The same Role that lets credentials Secrets be written is enough.
#[tokio::test]
async fn a_namespace_of_its_own_rights_is_enough() {
    let scoped = scoped().await;
    let space = TestNamespace::within(&scoped.cluster, &scoped.operator.issuer, "brought").await;
    provide(&space, ONE).await;
    space.create("web", bringing()).await;
    let said = space.wait_refused("web", "NamespaceNotEnabled").await;
    let commands = said.split('`').skip(1).step_by(2);
    for command in commands {
        let words: Vec<&str> = command.split(' ').collect();
        scoped.cluster.kubectl(&words[1..]).unwrap();
    }
    let what = "the rights are noticed";
    promptly(Duration::from_secs(15), what, || space.is_ready("web")).await;
    let presented = presenting(&space, ONE).await;
    ask(&http(), &presented).await.unwrap();
    provide(&space, TWO).await;
    is_accepted_within(NOTICED, &presenting(&space, TWO).await).await;
    is_refused_within(NOTICED, &presented).await;
}

/// What is kept in memory is kept in no store: a restart reads it again.
#[tokio::test]
async fn after_a_restart_it_works_at_the_first_request() {
    let space = TestNamespace::new("brought").await;
    provide(&space, ONE).await;
    space.ready("web", bringing()).await;
    let cluster = &crate::support::cluster::shared().cluster;
    let issuer = space.issuer.clone();
    let options = Options {
        issuer: Some(issuer),
        ..Options::default()
    };
    let beside = RunningOperator::start(cluster, &options);
    let presented = presenting(&space, ONE).await;
    let endpoint = format!("http://{}/token", beside.listen);
    let answer = crate::support::load::ask_at(&http(), &endpoint, &presented).await;
    answer.unwrap();
}
