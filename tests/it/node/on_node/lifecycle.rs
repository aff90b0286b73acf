//! What an operator does on purpose: upgrades, restarts, scales, drains, uninstalls. No client notices any of it.

use std::collections::BTreeMap;
use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use kube::api::EvictParams;

use super::installation::{Installation, PATIENCE, SYSTEM, Secrets, TEAM, measured};
use super::machine::Image;
use super::release::Release;
use crate::node::drill::Row;
use crate::node::tally::Tally;
use crate::support::test_namespace::eventually_within;

/// No request failed.
pub fn unnoticed(drill: &str, tally: &Tally) -> Row {
    Row::at_most(drill, 0, Duration::ZERO, tally)
}

/// Every Secret that there was before is what it was.
pub async fn unchanged(drill: &str, on: &Installation, before: &Secrets) -> Row {
    let after = on.secrets().await;
    let differs = |name: &&String| after.get(*name) != before.get(*name);
    let changed: Vec<&String> = before.keys().filter(differs).collect();
    // The root key, the signing keys, and the Secrets of the clients of the drills.
    let enough = before.len() >= 4;
    let seen = format!("{} of {} changed {changed:?}", changed.len(), before.len());
    let met = changed.is_empty() && enough;
    Row::holds(drill, "every Secret byte-identical", &seen, met)
}

/// People are still signed in: no family of refresh tokens ended.
pub async fn signed_in(drill: &str, on: &Installation) -> Row {
    let people = on.people();
    let mut tries = Vec::new();
    for family in 0..people.families() {
        tries.push(people.tries_to_refresh(family, 10).await);
    }
    let all = tries.iter().all(|tries| *tries == 1);
    let seen = format!("tries: {tries:?}");
    Row::holds(drill, "every refresh token works", &seen, all)
}

/// `helm upgrade` to the chart of a release, with an image.
pub fn upgrade(on: &Installation, to: &Release, image: &Image) -> Result<String, String> {
    let digest = format!("image.digest={}", image.digest);
    let upgrade = ["upgrade", "--reset-then-reuse-values"];
    on.helm_with(to, &upgrade, &["--set".to_owned(), digest])
}

/// `helm rollback` to what was there before.
pub fn rollback(on: &Installation) -> Result<String, String> {
    let arguments = [
        "rollback",
        "clientele",
        "--namespace",
        SYSTEM,
        "--wait",
        PATIENCE,
    ];
    on.node.helm(&arguments)
}

/// To the same programs under another digest, and back.
pub async fn upgrade_and_rollback(on: &Installation) -> Vec<Row> {
    let upgrade = async { upgrade(on, &on.release, &on.again) };
    let (outcome, upgraded) = on.under_load(upgrade).await;
    outcome.unwrap();
    let (outcome, rolled_back) = on.under_load(async { rollback(on) }).await;
    outcome.unwrap();
    vec![
        unnoticed("upgrade to another digest", &upgraded),
        unnoticed("rollback", &rolled_back),
    ]
}

/// One pod after the other.
pub async fn rolling_restart(on: &Installation) -> Vec<Row> {
    let restart = async {
        on.kubectl(&["rollout", "restart", "deployment/clientele"])
            .unwrap();
        on.rolled_out();
    };
    let ((), tally) = on.under_load(restart).await;
    vec![unnoticed("rolling restart", &tally)]
}

/// To one replica and back to three.
pub async fn scale(on: &Installation) -> Vec<Row> {
    let mut rows = Vec::new();
    for (drill, count) in [("scale 3 → 1", 1), ("scale 1 → 3", 3)] {
        let replicas = format!("--replicas={count}");
        let scale = async {
            on.kubectl(&["scale", "deployment/clientele", &replicas])
                .unwrap();
            on.pods_are_ready(count).await;
        };
        let ((), tally) = on.under_load(scale).await;
        rows.push(unnoticed(drill, &tally));
    }
    rows
}

/// Every pod, as a drain does it: the budget lets one go at a time. One node cannot be cordoned for it.
pub async fn eviction(on: &Installation) -> Vec<Row> {
    let pods: Api<Pod> = Api::namespaced(on.kube.clone(), SYSTEM);
    let names = on.ready_pods().await;
    let evict = async {
        let mut fewest = names.len();
        for name in &names {
            // Most refusals by the budget are tried again inside the client.
            while let Err(error) = pods.evict(name, &EvictParams::default()).await {
                let kube::Error::Api(status) = &error else {
                    panic!("{error}")
                };
                assert_eq!(status.code, 429, "{error}");
                on.pods_are_ready(names.len()).await;
            }
            fewest = fewest.min(on.ready_pods().await.len());
        }
        on.pods_are_ready(names.len()).await;
        fewest
    };
    let (fewest, tally) = on.under_load(evict).await;
    let seen = format!("never fewer than {fewest} of {} Ready", names.len());
    vec![
        unnoticed("eviction of every pod", &tally),
        Row::holds(
            "PodDisruptionBudget",
            "one pod at a time",
            &seen,
            fewest + 1 == names.len(),
        ),
    ]
}

/// What runs is what the chart says, field for field: a tool of GitOps has nothing to correct.
pub fn no_difference(on: &Installation) -> Vec<Row> {
    let manifest = tempfile::NamedTempFile::new().unwrap();
    let get = ["get", "manifest", "clientele", "--namespace", SYSTEM];
    std::fs::write(manifest.path(), on.node.helm(&get).unwrap()).unwrap();
    let file = manifest.path().to_str().unwrap();
    let outcome = on.kubectl(&["diff", "--server-side", "--force-conflicts", "-f", file]);
    let seen = outcome.as_ref().err().map_or("empty", String::as_str);
    vec![Row::holds("kubectl diff", "empty", seen, outcome.is_ok())]
}

/// Another certificate of the same authority: the kubelet brings it within a minute or two, and it is shown without a restart.
pub async fn certificate(on: &Installation) -> Vec<Row> {
    let drill = "certificate replaced";
    let before = on.restarts().await;
    let (shown, tally) = on.under_load(on.new_certificate()).await;
    vec![
        Row::within(drill, "shown by every pod", Duration::from_mins(2), shown),
        unnoticed(drill, &tally),
        same_processes(drill, on, &before).await,
    ]
}

/// No pod was replaced, and none restarted.
pub async fn same_processes(drill: &str, on: &Installation, before: &BTreeMap<String, i32>) -> Row {
    let after = on.restarts().await;
    let seen = format!("restarts {:?}", after.values().collect::<Vec<_>>());
    let same = before.len() == 3 && after == *before;
    Row::holds(drill, "without a restart", &seen, same)
}

/// Another root key, the ordinary way: clients move to it by rotations with an overlap.
pub async fn root_key(on: &Installation) -> Vec<Row> {
    let before = on.secrets().await;
    let rotate = async {
        on.node.rotate_root_key().unwrap();
        measured(|| async {
            let name = format!("{TEAM}/hello-oauth");
            on.secrets().await[&name] != before[&name]
        })
        .await
    };
    let (moved, tally) = on.under_load(rotate).await;
    let token = on.token().await;
    let seen = token.as_ref().err().map_or("a token", String::as_str);
    vec![
        Row::within(
            "root key replaced",
            "the first client has a secret from it",
            Duration::from_mins(1),
            moved,
        ),
        unnoticed("root key replaced", &tally),
        Row::holds(
            "root key replaced",
            "the new secret works",
            seen,
            token.is_ok(),
        ),
    ]
}

/// Everything goes but what the chart keeps, and comes back with the same bytes. Applications have theirs all the time, also those
/// that would be derived again.
pub async fn reinstall(on: &Installation) -> Vec<Row> {
    let before = on.secrets().await;
    on.uninstall().await;
    let left = on.kubectl(&["get", "deployments,services", "-o", "name"]);
    let left = left.unwrap();
    let meanwhile = unchanged("uninstall", on, &before).await;
    let installed = on.install("reinstall").await;
    let what = "the first client gets a token";
    eventually_within(Duration::from_mins(1), what, || on.token()).await;
    vec![
        Row::holds(
            "uninstall",
            "nothing serves",
            left.trim(),
            !left.contains("clientele"),
        ),
        meanwhile,
        installed,
        unchanged("reinstall", on, &before).await,
        signed_in("reinstall", on).await,
    ]
}
