//! What an operator does on purpose: upgrades, restarts, scales, drains, uninstalls. No client notices any of it.

use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use kube::api::EvictParams;

use super::installation::{Installation, SYSTEM, TEAM, measured};
use crate::node::drill::Row;
use crate::node::tally::Tally;
use crate::support::test_namespace::eventually_within;

fn unnoticed(drill: &str, tally: &Tally) -> Row {
    Row::at_most(drill, 0, Duration::ZERO, tally)
}

/// To the same programs under another digest, and back.
pub async fn upgrade_and_rollback(on: &Installation) -> Vec<Row> {
    let digest = format!("image.digest={}", on.images[1].digest);
    let values = ["--set".to_owned(), digest];
    let upgrade = async { on.helm(&["upgrade", "--reset-then-reuse-values"], &values) };
    let (outcome, upgraded) = on.under_load(upgrade).await;
    outcome.unwrap();
    let back = async {
        let arguments = [
            "rollback",
            "clientele",
            "--namespace",
            SYSTEM,
            "--wait",
            "--timeout=180s",
        ];
        on.node.helm(&arguments)
    };
    let (outcome, rolled_back) = on.under_load(back).await;
    outcome.unwrap();
    vec![
        unnoticed("upgrade to another digest", &upgraded),
        unnoticed("rollback", &rolled_back),
        Row::not_run(
            "upgrade from the previous release",
            "the repository has no tag with a chart yet",
        ),
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
    let (shown, tally) = on.under_load(on.new_certificate()).await;
    vec![
        Row::within(
            "certificate replaced",
            "shown",
            Duration::from_mins(2),
            shown,
        ),
        unnoticed("certificate replaced", &tally),
    ]
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

/// Everything goes but what the chart keeps, and comes back with the same bytes.
pub async fn reinstall(on: &Installation) -> Vec<Row> {
    let before = on.secrets().await;
    on.uninstall().await;
    let installed = on.install().await;
    let what = "the first client gets a token";
    eventually_within(Duration::from_mins(1), what, || on.token()).await;
    let after = on.secrets().await;
    let missing = before
        .iter()
        .filter(|(name, data)| after.get(*name) != Some(data));
    let changed: Vec<&String> = missing.map(|(name, _)| name).collect();
    let seen = format!("{} of {} changed {changed:?}", changed.len(), before.len());
    vec![
        Row::holds(
            "uninstall and reinstall",
            "every Secret byte-identical",
            &seen,
            changed.is_empty(),
        ),
        installed,
    ]
}
