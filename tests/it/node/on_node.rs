//! The drills themselves. They run inside the node's namespaces, one after the other, by `go -C cluster run . node`.

mod authority;
mod crashes;
mod databases;
mod faults;
mod flux;
mod front;
mod git;
mod installation;
mod lifecycle;
mod load;
mod machine;
mod newcomer;
mod people;
mod plugin;
mod previous;
mod record;
mod registry;
mod release;
mod sqlite;
mod volume;

use std::panic::AssertUnwindSafe;

use futures::FutureExt;

use super::drill::{Row, Rows, all_met, table};
use installation::Installation;
use machine::{Image, Node};
use release::Release;

/// No row yet; each is kept where `scripts/test` wants them.
fn no_rows() -> Rows {
    Rows::kept(std::env::var_os("CLIENTELE_DRILLS_TABLE").map(Into::into))
}

/// Adds the rows of a drill. One that panics is a row, and those after it run all the same.
async fn add(
    rows: &mut Rows,
    on: &Installation,
    drill: &str,
    seen: impl Future<Output = Vec<Row>>,
) {
    // DRILLS=SIGSTOP,SQLite: these only.
    let only = std::env::var_os("DRILLS").and_then(|only| only.into_string().ok());
    if only.is_some_and(|only| !only.split(',').any(|one| one == drill)) {
        return;
    }
    if !run(rows, &on.node, drill, Box::pin(seen)).await {
        on.mend().await;
    }
}

/// Adds the rows of a drill, and keeps what the pods said where it missed a goal. Whether it came to its end.
async fn run(
    rows: &mut Rows,
    node: &Node,
    drill: &str,
    seen: impl Future<Output = Vec<Row>>,
) -> bool {
    let seen = AssertUnwindSafe(seen).catch_unwind().await;
    let is_whole = seen.is_ok();
    let seen = seen.unwrap_or_else(|panic| vec![Row::broken_off(drill, &*panic)]);
    if seen.iter().any(Row::is_missed) {
        record::write_down(node, drill);
    }
    rows.add(seen);
    is_whole
}

/// Install, first token, database down, upgrade, rollback: what `make test-node` runs.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn short_drills_reach_their_goals() {
    let mut rows = no_rows();
    let on = &Installation::first(Node::here(), &mut rows).await;
    rows.add([plugin::status(on)]);
    add(&mut rows, on, "database down", faults::database_down(on)).await;
    let upgrade = lifecycle::upgrade_and_rollback(on);
    add(&mut rows, on, "upgrade", upgrade).await;
    conclude(&mut rows);
}

/// Every drill: what `make test-node-all` runs, and what docs/operations/drills.md shows.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_drill_reaches_its_goal() {
    let mut rows = no_rows();
    let on = &Installation::first(Node::here(), &mut rows).await;
    let rows = &mut rows;
    rows.add([plugin::status(on)]);
    rows.add(lifecycle::no_difference(on));
    add(rows, on, "upgrade", lifecycle::upgrade_and_rollback(on)).await;
    add(rows, on, "rolling restart", lifecycle::rolling_restart(on)).await;
    add(rows, on, "scale", lifecycle::scale(on)).await;
    add(rows, on, "eviction", lifecycle::eviction(on)).await;
    add(rows, on, "certificate", lifecycle::certificate(on)).await;
    add(rows, on, "root key", lifecycle::root_key(on)).await;
    let cut_off = faults::api_server_unreachable(on);
    add(rows, on, "API server cut off", cut_off).await;
    add(rows, on, "API server down", faults::api_server_down(on)).await;
    add(rows, on, "database restarted", databases::restart(on)).await;
    let role = databases::role_rotation(on);
    add(rows, on, "database role rotated", role).await;
    let password = databases::password_rotation(on);
    add(rows, on, "password of one role rotated", password).await;
    add(rows, on, "database down", faults::database_down(on)).await;
    add(rows, on, "kill -9", Box::pin(crashes::kill(on))).await;
    add(rows, on, "SIGSTOP", Box::pin(crashes::freeze(on))).await;
    add(rows, on, "reinstall", lifecycle::reinstall(on)).await;
    let mut last_primary = None;
    let failover = databases::failover(on, &mut last_primary);
    add(rows, on, "failover", failover).await;
    add(rows, on, "SQLite", sqlite::drills(on)).await;
    rows.add([Row::not_run(
        "NetworkPolicy",
        "the bridge plugin of the node enforces none",
    )]);
    conclude(rows);
}

/// On a node of its own that never saw Clientele: `make test-node` and `make test-node-all` run it after the others.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn newcomer_gets_a_token_by_the_commands_of_the_readme() {
    let node = &Node::here();
    alone(node, "README", newcomer::way(node)).await;
}

/// On a node of its own, too: `make test-node-all` runs it after the others.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn flux_brings_the_operator_and_its_clients() {
    let node = &Node::here();
    alone(node, "Flux", flux::drills(node)).await;
}

/// A drill that begins with an empty node.
async fn alone(node: &Node, drill: &str, seen: impl Future<Output = Vec<Row>>) {
    record::keep_logs();
    let mut rows = no_rows();
    run(&mut rows, node, drill, Box::pin(seen)).await;
    end(&rows);
}

/// On a node of its own, whose database never saw this version: `make test-node` and `make test-node-all` run it after the others.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn previous_release_is_upgraded_and_comes_back() {
    let mut rows = no_rows();
    let node = Node::here();
    let (previous, present) = (Release::previous(&node), Release::present(&node));
    let drill = format!("upgrade from {}", previous::version());
    let installing = Box::pin(Installation::of(node, previous));
    match AssertUnwindSafe(installing).catch_unwind().await {
        Ok(on) => {
            let back = previous::rollback_by_a_backup(&on, &present);
            add(&mut rows, &on, "rollback by a backup", back).await;
            let seen = previous::upgrade_and_rollback(&on, &present);
            add(&mut rows, &on, &drill, seen).await;
        }
        Err(panic) => rows.add([Row::broken_off(&drill, &*panic)]),
    }
    end(&rows);
}

/// The end of the drills of this tree.
fn conclude(rows: &mut Rows) {
    if !Image::previous_is_built() {
        rows.add([Row::not_run(
            "upgrade from the previous release",
            "its image is not built here",
        )]);
    }
    end(rows);
}

/// Prints the table, and fails where a goal was missed.
fn end(rows: &Rows) {
    println!("{}", table(rows.all()));
    all_met(rows.all());
}
