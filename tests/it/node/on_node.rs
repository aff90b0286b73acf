//! The drills themselves. They run inside the node's namespaces, one after the other, by `go -C cluster run . node`.

mod authority;
mod crashes;
mod databases;
mod faults;
mod installation;
mod lifecycle;
mod load;
mod machine;
mod people;
mod sqlite;

use std::path::Path;

use super::drill::{Row, all_met, table};
use installation::Installation;
use machine::Node;

/// Install, first token, database down, upgrade, rollback: what `make test-node` runs.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn short_drills_reach_their_goals() {
    let (installation, mut rows) = Installation::first(Node::here()).await;
    rows.extend(faults::database_down(&installation).await);
    rows.extend(lifecycle::upgrade_and_rollback(&installation).await);
    println!("{}", table(&rows));
    all_met(&rows);
}

/// Every drill: what `make test-node-all` runs, and what docs/operations/drills.md shows.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_drill_reaches_its_goal() {
    let (installation, mut rows) = Installation::first(Node::here()).await;
    rows.extend(lifecycle::no_difference(&installation));
    rows.extend(lifecycle::upgrade_and_rollback(&installation).await);
    rows.extend(lifecycle::rolling_restart(&installation).await);
    rows.extend(lifecycle::scale(&installation).await);
    rows.extend(lifecycle::eviction(&installation).await);
    rows.extend(lifecycle::certificate(&installation).await);
    rows.extend(lifecycle::root_key(&installation).await);
    rows.extend(faults::api_server_down(&installation).await);
    rows.extend(faults::api_server_unreachable(&installation).await);
    rows.extend(databases::restart(&installation).await);
    rows.extend(Box::pin(databases::role_rotation(&installation)).await);
    rows.extend(Box::pin(databases::password_rotation(&installation)).await);
    rows.extend(faults::database_down(&installation).await);
    rows.extend(crashes::kill(&installation).await);
    rows.extend(crashes::freeze(&installation).await);
    let (seen, _last_primary) = Box::pin(databases::failover(&installation)).await;
    rows.extend(seen);
    rows.extend(lifecycle::reinstall(&installation).await);
    rows.extend(sqlite::drills(&installation).await);
    rows.push(Row::not_run(
        "NetworkPolicy",
        "the bridge plugin of the node enforces none",
    ));
    let table = table(&rows);
    println!("{table}");
    if let Some(page) = std::env::var_os("CLIENTELE_DRILLS_TABLE") {
        std::fs::write(Path::new(&page), &table).unwrap();
    }
    all_met(&rows);
}
