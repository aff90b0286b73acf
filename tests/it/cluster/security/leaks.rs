//! Nothing secret is ever said: not in the log at its lowest level, not in a status, an event, a metric, a ConfigMap
//! (M14, F69, K19).

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use clientele_api::{OAuthClient, OAuthTenant, OAuthUser};
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use k8s_openapi::api::events::v1::Event;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams};
use kube::{Api, Resource, ResourceExt};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::support::cluster::Cluster;
use crate::support::load::ask;
use crate::support::operator::{
    Options, RunningOperator, free_address, service_account_kubeconfig,
};
use crate::support::proxy::Proxy;
use crate::support::test_namespace::{TestNamespace, entries, eventually, http, when};

/// What must not be said, by what it is.
type Canaries = BTreeMap<String, String>;

/// Client secrets, root key and private keys, in each form in which they could be printed.
async fn of_the_cluster(kube: &kube::Client) -> Canaries {
    let mut canaries = Canaries::new();
    let all: Api<Secret> = Api::all(kube.clone());
    let ours = ListParams::default().labels("app.kubernetes.io/managed-by=clientele");
    for secret in all.list(&ours).await.unwrap() {
        for (entry, value) in secret.data.clone().unwrap_or_default() {
            let is_secret = ["CLIENT_SECRET", "client-secret", "cookie-secret"].contains(&&*entry)
                || is_private_key(&entry);
            let is_root_key = secret.name_any() == "clientele-root-key" && entry != "current";
            if is_secret || is_root_key {
                add_forms(
                    &mut canaries,
                    &format!("{} {entry}", secret.name_any()),
                    &value.0,
                );
            }
        }
    }
    canaries
}

/// The entries of signing Secrets are `<kid>.der`.
fn is_private_key(entry: &str) -> bool {
    entry.strip_suffix(".der").is_some()
}

fn add_forms(canaries: &mut Canaries, what: &str, bytes: &[u8]) {
    let hex: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let forms = [
        ("text", String::from_utf8_lossy(bytes).into_owned()),
        (
            "base64",
            STANDARD.encode(bytes).trim_end_matches('=').to_owned(),
        ),
        ("base64url", URL_SAFE_NO_PAD.encode(bytes)),
        ("hex", hex.concat()),
        (
            "debug",
            format!("{bytes:?}").trim_matches(['[', ']']).to_owned(),
        ),
    ];
    for (form, text) in forms {
        if !text.contains('\u{fffd}') {
            canaries.insert(format!("{what} as {form}"), text);
        }
    }
}

/// A secret in a place where none belongs.
async fn misplaced(issuer: &str, id: &str, secret: &str) {
    let (http, token) = (http(), format!("{issuer}/token"));
    let form = |pairs: &[(&str, &str)]| http.post(&token).form(pairs);
    let grant = ("grant_type", "client_credentials");
    let requests = [
        form(&[grant, ("client_id", id), ("client_secret", secret)]),
        form(&[grant, ("client_id", secret), ("client_secret", id)]),
        form(&[grant, ("client_id", id), ("scope", secret)]),
        form(&[grant, ("resource", secret)]).basic_auth(id, Some("wrong")),
        form(&[("grant_type", secret)]).basic_auth(id, Some(secret)),
        form(&[grant, (secret, secret)]).basic_auth(secret, Some(id)),
        form(&[grant]).bearer_auth(secret),
        form(&[grant])
            .header("x-secret", secret)
            .header("user-agent", secret),
        form(&[grant]).header("cookie", format!("session={secret}")),
        form(&[grant, grant]).basic_auth(id, Some(secret)),
        http.post(format!("{token}?client_secret={secret}"))
            .basic_auth(id, Some(secret)),
        http.post(&token).body(secret.to_owned()),
        http.post(&token).json(&json!({ "client_secret": secret })),
        http.get(format!("{issuer}/{secret}")),
        http.get(format!("{issuer}/t/{secret}/jwks")),
        http.put(format!("{issuer}/jwks?{secret}")),
    ];
    for request in requests {
        request.send().await.unwrap();
    }
}

/// Good requests, bad requests, changes of every kind; returns the tokens that were issued.
async fn a_busy_day(space: &TestNamespace) -> BTreeSet<String> {
    let mut tokens = BTreeSet::new();
    for name in ["a", "b", "c"] {
        space.ready(name, json!({})).await;
        let entries = space.entries(&format!("{name}-oauth")).await;
        tokens.insert(ask(&http(), &entries).await.unwrap());
        misplaced(
            &space.issuer,
            &entries["CLIENT_ID"],
            &entries["CLIENT_SECRET"],
        )
        .await;
        misplaced(&space.issuer, &entries["CLIENT_ID"], tokens.last().unwrap()).await;
    }
    space
        .try_create_tenant("other", json!({ "signing": { "algorithm": "EdDSA" } }))
        .await
        .unwrap();
    space.ready("of-other", json!({ "tenant": "other" })).await;
    tokens.insert(
        ask(&http(), &space.entries("of-other-oauth").await)
            .await
            .unwrap(),
    );
    let proxy = json!({ "secret": { "format": "OAuth2Proxy" } });
    space.ready("proxy", proxy).await;
    bring_some(space).await;
    meddle(space).await;
    people_come_and_go(space).await;
    tokens
}

/// Values of every kind that a Secret with a password can hold.
const PASSWORDS: [&str; 4] = [
    "correct-horse-battery-staple",
    "another-horse-another-staple",
    "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$5n3ZBlkY0ZyJ2hpGGxEhl3QxvZ5bGwvgZbYxBWDdNZo",
    "$argon2i$v=19$m=19456,t=2,p=1$AQEBAQEBAQEBAQEBAQEBAQ$xh3cNsHfQ0RQ0zPWkjPHrPvxz0Ypo4NL3KWhKcPcaSE",
];

/// Client secrets that are brought: a good one, another one, one that is too short, and one that did not opt in.
const BROUGHT: [&str; 4] = [
    "brought-0123456789abcdefghijklmnop",
    "brought-another-0123456789abcdefgh",
    "brought-too-short",
    "brought-nowhere-0123456789abcdefgh",
];

async fn bring_some(space: &TestNamespace) {
    let spec = |name: &str| json!({ "secretRef": { "name": name } });
    let type_ = "clientele.dev/client-secret";
    let provide = |name, type_, value| async move {
        space
            .write_secret(name, type_, &[("client-secret", value)])
            .await;
    };
    provide("brought", type_, BROUGHT[0]).await;
    space.ready("brought", spec("brought")).await;
    let id = format!("{}.brought", space.name);
    misplaced(&space.issuer, &id, BROUGHT[0]).await;
    provide("brought", type_, BROUGHT[1]).await;
    misplaced(&space.issuer, &id, BROUGHT[1]).await;
    provide("short", type_, BROUGHT[2]).await;
    space.create("short", spec("short")).await;
    space.wait_refused("short", "SecretInvalid").await;
    provide("plain", "Opaque", BROUGHT[3]).await;
    space.create("plain", spec("plain")).await;
    space.wait_refused("plain", "SecretNotFound").await;
}

/// People with passwords that are good, changed, refused, and in a Secret that did not opt in; and their end.
async fn people_come_and_go(space: &TestNamespace) {
    let people = space.tenant_with_people(json!({})).await;
    let spec = |name: &str| json!({ "tenant": people, "username": name, "passwordSecretRef": { "name": name } });
    space.person(&people, "anna", PASSWORDS[0]).await;
    space.write_password("anna", PASSWORDS[1]).await;
    space.person(&people, "bert", PASSWORDS[2]).await;
    space.write_password("carl", PASSWORDS[3]).await;
    space.create_user("carl", spec("carl")).await;
    space.not_enrolled("carl", "PasswordInvalid").await;
    let entries = [("password", PASSWORDS[0])];
    space.write_secret("dora", "Opaque", &entries).await;
    space.create_user("dora", spec("dora")).await;
    space.not_enrolled("dora", "PasswordSecretWrongType").await;
    space.patch_user("anna", json!({ "disabled": true })).await;
    space.not_enrolled("anna", "Disabled").await;
    let now = DeleteParams::default();
    let _ = space.users().delete("bert", &now).await.unwrap();
}

/// Repairs, a rename, a refusal, a deletion.
async fn meddle(space: &TestNamespace) {
    let (secrets, params) = (space.secrets(), PatchParams::default());
    let before = entries(&secrets.get("a-oauth").await.unwrap());
    let change = Patch::Merge(json!({ "stringData": { "CLIENT_SECRET": "edited-by-a-user" } }));
    secrets.patch("a-oauth", &params, &change).await.unwrap();
    space
        .wait_secret("a-oauth", "repaired", |secret| entries(secret) == before)
        .await;
    let entry = json!({ "spec": { "secret": { "entries": { "clientSecret": "password" } } } });
    space.patch("b", entry).await;
    space.wait_ready("b").await;
    // An immutable Secret that is no longer right, and one that was stripped of every mark.
    let immutable = Patch::Merge(json!({ "immutable": true }));
    secrets.patch("c-oauth", &params, &immutable).await.unwrap();
    space
        .patch(
            "c",
            json!({ "spec": { "secret": { "labels": { "reloader.stakater.com/team": "a" } } } }),
        )
        .await;
    space.wait_refused("c", "SecretRefused").await;
    let unmarked = Patch::Merge(json!({ "metadata": { "labels": null, "ownerReferences": null } }));
    secrets.patch("a-oauth", &params, &unmarked).await.unwrap();
    space
        .wait_secret("a-oauth", "marked again", |secret| {
            !secret.labels().is_empty() && !secret.owner_references().is_empty()
        })
        .await;
    let now = DeleteParams::default();
    let _ = space.clients().delete("b", &now).await.unwrap();
}

async fn objects<K>(kube: &kube::Client, said: &mut Vec<(String, String)>)
where
    K: Resource<DynamicType = ()> + Clone + std::fmt::Debug + DeserializeOwned + Serialize,
{
    for object in Api::<K>::all(kube.clone())
        .list(&ListParams::default())
        .await
        .unwrap()
    {
        let text: Value = serde_json::to_value(&object).unwrap();
        said.push((
            format!("{} {}", K::kind(&()), object.name_any()),
            text.to_string(),
        ));
    }
}

/// Everything that anybody without rights on Secrets may come to see.
async fn everything_said(operator: &RunningOperator, kube: &kube::Client) -> Vec<(String, String)> {
    let mut said = vec![
        ("the metrics".to_owned(), operator.metrics()),
        ("the readiness".to_owned(), operator.readiness()),
    ];
    objects::<OAuthClient>(kube, &mut said).await;
    objects::<OAuthTenant>(kube, &mut said).await;
    objects::<OAuthUser>(kube, &mut said).await;
    objects::<ConfigMap>(kube, &mut said).await;
    objects::<Event>(kube, &mut said).await;
    let log = operator.log();
    said.extend(
        log.lines()
            .map(|line| ("the log".to_owned(), line.to_owned())),
    );
    said
}

fn is_silent(said: &[(String, String)], canaries: &Canaries) {
    let leaks: BTreeSet<String> = said
        .iter()
        .flat_map(|(place, text)| {
            let found = canaries
                .iter()
                .filter(|(_, canary)| text.contains(&***canary));
            found.map(move |(what, _)| {
                let start: String = text.chars().take(120).collect();
                format!("{what} in {place}: {start}")
            })
        })
        .collect();
    assert!(leaks.is_empty(), "{} leaks: {leaks:#?}", leaks.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn m14_f69_k19_at_no_level_and_in_no_object_is_anything_secret() {
    let cluster = Cluster::with_chart(&[]);
    let kubeconfig = service_account_kubeconfig(&cluster);
    let options = Options {
        kubeconfig: Some(kubeconfig.clone()),
        ..Options::default()
    };
    let operator = RunningOperator::start(&cluster, &options);
    let space = TestNamespace::within(&cluster, &operator.issuer, "leaks").await;
    let mut canaries = Canaries::new();
    let tokens = a_busy_day(&space).await;
    canaries.extend(of_the_cluster(&space.kube).await);
    assert!(canaries.len() > 20, "{:?}", canaries.keys());
    for (number, token) in tokens.iter().enumerate() {
        let signature = token.rsplit('.').next().unwrap();
        canaries.insert(format!("signature of token {number}"), signature.to_owned());
    }
    for (number, value) in BROUGHT.iter().enumerate() {
        let what = format!("brought {number}");
        add_forms(&mut canaries, &what, value.as_bytes());
    }
    for (number, password) in PASSWORDS.iter().enumerate() {
        add_forms(
            &mut canaries,
            &format!("password {number}"),
            password.as_bytes(),
        );
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, password.as_bytes());
        add_forms(
            &mut canaries,
            &format!("fingerprint {number}"),
            digest.as_ref(),
        );
    }
    canaries.insert("what a user edited".into(), "edited-by-a-user".into());
    let parsed: Value = serde_yaml::from_str(&kubeconfig).unwrap();
    let own = parsed["users"][0]["user"]["token"].as_str().unwrap();
    canaries.insert("the token of the operator".into(), own.to_owned());
    let log = || operator.log();
    eventually("the log is as low as it gets", || async {
        when(
            log().contains("TRACE") && log().contains("DEBUG"),
            (),
            || "no trace".into(),
        )
    })
    .await;
    is_silent(&everything_said(&operator, &space.kube).await, &canaries);
}

/// What the client library says of an answer that it cannot read, at the level that is the default.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn m14_an_answer_that_cannot_be_read_is_not_printed() {
    let cluster = Cluster::with_chart(&[]);
    let proxy = Proxy::before(&cluster).await;
    let listen = free_address();
    let options = || Options::flags(&[]).at(&listen).through(&proxy);
    let operator = RunningOperator::start(&cluster, &options());
    let space = TestNamespace::within(&cluster, &operator.issuer, "garbled").await;
    space.ready("web", json!({})).await;
    let canaries = of_the_cluster(&space.kube).await;
    operator.stop();

    proxy.garble();
    let operator = RunningOperator::start_unready(&cluster, &options());
    eventually("it has met what it cannot read", || async {
        let told = operator.log().contains("trailing characters");
        when(told, (), || operator.log())
    })
    .await;
    is_silent(&everything_said(&operator, &space.kube).await, &canaries);
    proxy.be_honest();
    operator.wait_ready();
    assert!(
        ask(&http(), &space.entries("web-oauth").await)
            .await
            .is_ok()
    );
}

/// The search itself finds what is there.
#[test]
fn the_search_finds_every_form_of_a_secret() {
    let mut canaries = Canaries::new();
    add_forms(&mut canaries, "key", b"0123456789abcdef");
    let saying = |text: &str| vec![("the log".to_owned(), format!("before {text} after"))];
    for text in [
        "0123456789abcdef",
        "MDEyMzQ1Njc4OWFiY2RlZg==",
        "[48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 97, 98, 99, 100, 101, 102]",
    ] {
        let said = saying(text);
        assert!(
            std::panic::catch_unwind(|| is_silent(&said, &canaries)).is_err(),
            "{text}"
        );
    }
    is_silent(&saying("nothing"), &canaries);
}
