//! The release before is installed, upgraded to this one, rolled back, and upgraded again: applications and people notice nothing.

use std::time::{Duration, Instant};

use k8s_openapi::api::core::v1::Pod;

use super::installation::{Installation, SYSTEM};
use super::lifecycle::{rollback, signed_in, unchanged, unnoticed, upgrade};
use super::machine::Image;
use super::release::Release;
use crate::node::drill::Row;
use crate::support::postgres;

/// The pages with the commands of [`rollback_by_a_backup`].
const PAGES: [&str; 2] = ["docs/operations/upgrade.md", "docs/operations/backup.md"];

/// The version of that release.
pub fn version() -> String {
    let version = std::env::var_os("CLIENTELE_PREVIOUS_VERSION");
    let version = version.expect("scripts/test says which release that is");
    version.into_string().unwrap()
}

/// On an installation of the release before.
pub async fn upgrade_and_rollback(on: &Installation, present: &Release) -> Vec<Row> {
    let before = on.secrets().await;
    let mut clients = vec!["hello".to_owned()];
    let mut rows = Vec::new();
    let ways = [
        ("upgraded", "upgrade from", &present.image),
        ("rolled-back", "rollback to", &on.release.image),
        ("upgraded-again", "second upgrade from", &present.image),
    ];
    for (client, way, image) in ways {
        let drill = format!("{way} {}", version());
        let change = async {
            if client == "rolled-back" {
                rollback(on)
            } else {
                upgrade(on, present, image)
            }
        };
        let (outcome, tally) = on.under_load(change).await;
        if let Err(error) = outcome {
            rows.push(Row::holds(&drill, "Helm says it is done", &error, false));
            return rows;
        }
        rows.push(unnoticed(&drill, &tally));
        rows.push(unchanged(&drill, on, &before).await);
        rows.push(everyone_runs(on, &drill, image).await);
        on.client(client).await;
        clients.push(client.to_owned());
        rows.push(all_get_tokens(on, &drill, &clients).await);
    }
    rows
}

/// The way for a release whose schema the one before refuses, as docs/operations/upgrade.md has it: a backup, the upgrade, and back with
/// the database of the backup. Nothing is served meanwhile, and nothing is lost but what the database got after the backup.
pub async fn rollback_by_a_backup(on: &Installation, present: &Release) -> Vec<Row> {
    let drill = "rollback by a backup";
    let pages = PAGES
        .map(|page| std::fs::read_to_string(page).unwrap())
        .concat();
    for command in [
        "pg_dump --format=custom",
        "kubectl -n clientele-system scale deployment clientele --replicas=0",
        "pg_restore --no-owner --exit-on-error",
        "helm rollback clientele REVISION --namespace clientele-system",
        "kubectl -n clientele-system rollout status deployment/clientele",
        "helm test clientele --namespace clientele-system",
    ] {
        assert!(pages.contains(command), "{command}");
    }
    let before = on.secrets().await;
    let files = tempfile::tempdir().unwrap();
    let dump = files.path().join("clientele.dump");
    let dump = dump.to_str().unwrap();
    let url = on.database.url("clientele");
    postgres::run("pg_dump", &["--format=custom", "--file", dump, &url]);
    upgrade(on, present, &present.image).unwrap();
    on.client("after-the-backup").await;

    let begin = Instant::now();
    on.kubectl(&["scale", "deployment", "clientele", "--replicas=0"])
        .unwrap();
    on.no_pod_is_left().await;
    on.database
        .execute("DROP DATABASE clientele WITH (FORCE)")
        .await;
    on.database.execute("CREATE DATABASE clientele").await;
    postgres::run(
        "pg_restore",
        &["--no-owner", "--exit-on-error", "--dbname", &url, dump],
    );
    on.node
        .helm(&["rollback", "clientele", "1", "--namespace", SYSTEM])
        .unwrap();
    on.rolled_out();
    let away = begin.elapsed();

    let clients = ["hello", "after-the-backup"].map(str::to_owned);
    vec![
        Row::within(drill, "served again", Duration::from_mins(1), away),
        on.helm_test(drill, "helm test passes"),
        everyone_runs(on, drill, &on.release.image).await,
        unchanged(drill, on, &before).await,
        all_get_tokens(on, drill, &clients).await,
        signed_in(drill, on).await,
    ]
}

/// Otherwise nothing was upgraded.
async fn everyone_runs(on: &Installation, drill: &str, image: &Image) -> Row {
    let pods = on.pods().await;
    let runs_it = |pod: &&Pod| {
        let containers = pod.spec.iter().flat_map(|spec| &spec.containers);
        let mut images = containers.filter_map(|container| container.image.as_deref());
        images.any(|name| name.ends_with(&image.digest))
    };
    let running = pods.iter().filter(runs_it).count();
    let seen = format!("{running} of {}", pods.len());
    let all = running == 3 && pods.len() == 3;
    Row::holds(drill, "every pod runs its image", &seen, all)
}

/// Clients of both versions are known to the one that runs.
async fn all_get_tokens(on: &Installation, drill: &str, clients: &[String]) -> Row {
    let mut refused = Vec::new();
    for client in clients {
        if let Err(error) = on.token_of(client).await {
            refused.push(format!("{client}: {error}"));
        }
    }
    let goal = "clients made before and after get tokens";
    let seen = match &refused[..] {
        [] => format!("{} of {0}", clients.len()),
        _ => refused.join("; "),
    };
    Row::holds(drill, goal, &seen, refused.is_empty())
}
