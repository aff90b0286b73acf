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

use super::drill::{Row, Rows, all_met, table};
use installation::Installation;
use machine::Node;

/// Install, first token, database down, upgrade, rollback: what `make test-node` runs.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn short_drills_reach_their_goals() {
    let mut rows = Rows::default();
    let installation = Installation::first(Node::here(), &mut rows).await;
    rows.add(faults::database_down(&installation).await);
    rows.add(lifecycle::upgrade_and_rollback(&installation).await);
    println!("{}", table(rows.all()));
    all_met(rows.all());
}

/// Every drill: what `make test-node-all` runs, and what docs/operations/drills.md shows.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_drill_reaches_its_goal() {
    let mut rows = Rows::default();
    let installation = Installation::first(Node::here(), &mut rows).await;
    rows.add(lifecycle::no_difference(&installation));
    rows.add(lifecycle::upgrade_and_rollback(&installation).await);
    rows.add(lifecycle::rolling_restart(&installation).await);
    rows.add(lifecycle::scale(&installation).await);
    rows.add(lifecycle::eviction(&installation).await);
    rows.add(lifecycle::certificate(&installation).await);
    rows.add(lifecycle::root_key(&installation).await);
    rows.add(faults::api_server_unreachable(&installation).await);
    rows.add(faults::api_server_down(&installation).await);
    rows.add(databases::restart(&installation).await);
    rows.add(Box::pin(databases::role_rotation(&installation)).await);
    rows.add(Box::pin(databases::password_rotation(&installation)).await);
    rows.add(faults::database_down(&installation).await);
    rows.add(crashes::kill(&installation).await);
    rows.add(crashes::freeze(&installation).await);
    let (seen, _last_primary) = Box::pin(databases::failover(&installation)).await;
    rows.add(seen);
    rows.add(lifecycle::reinstall(&installation).await);
    rows.add(sqlite::drills(&installation).await);
    rows.add([Row::not_run(
        "NetworkPolicy",
        "the bridge plugin of the node enforces none",
    )]);
    let table = table(rows.all());
    println!("{table}");
    if let Some(page) = std::env::var_os("CLIENTELE_DRILLS_TABLE") {
        std::fs::write(Path::new(&page), &table).unwrap();
    }
    all_met(rows.all());
}
