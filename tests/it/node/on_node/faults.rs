//! What the installation depends on is away: the database, the API server.

use std::time::{Duration, Instant};

use super::installation::{Installation, ROLES, lasts};
use super::machine::Node;
use crate::node::drill::Row;
use crate::support::test_namespace::eventually_within;

const OUTAGE: Duration = Duration::from_mins(1);

/// The database is away for a minute, and one pod is killed meanwhile: what needs memory only is served all the time.
pub async fn database_down(on: &Installation) -> Vec<Row> {
    let outage = async {
        tokio::task::block_in_place(|| on.database.kill());
        lasts(OUTAGE).await;
        tokio::task::block_in_place(|| on.database.restart());
    };
    let ((), tally) = on.under_load_of_memory(outage).await;
    let back = on.pods_are_ready(3).await;
    let mut rows = vec![
        Row::at_most("database down 60 s", 0, Duration::ZERO, &tally),
        Row::within(
            "database back",
            "every replica Ready",
            Duration::from_secs(20),
            back,
        ),
    ];
    let victim = on.ready_pods().await.pop().unwrap();
    tokio::task::block_in_place(|| on.database.kill());
    assert!(Node::signal(&victim, "-9"), "no process runs in {victim}");
    lasts(Duration::from_secs(30)).await;
    let restarts = [
        "get",
        "pods",
        "-o",
        "jsonpath={range .items[*]}{.status.containerStatuses[0].restartCount} {end}",
    ];
    let restarts = on.kubectl(&restarts).unwrap();
    tokio::task::block_in_place(|| on.database.restart());
    let back = on.pods_are_ready(3).await;
    let seen = format!("restarts {}", restarts.trim());
    let once = restarts
        .split_whitespace()
        .all(|count| count == "0" || count == "1");
    rows.push(Row::holds(
        "killed while the database is down",
        "waits alive, is restarted once",
        &seen,
        once,
    ));
    rows.push(Row::within(
        "killed while the database is down",
        "Ready after it is back",
        Duration::from_secs(20),
        back,
    ));
    rows
}

/// The API server is away for 24 s: no client notices, and changes are served soon after.
pub async fn api_server_down(on: &Installation) -> Vec<Row> {
    let outage = async {
        on.node.control("stop kube-apiserver");
        lasts(Duration::from_secs(24)).await;
        on.node.control("start kube-apiserver");
        Instant::now()
    };
    let (ready, tally) = on.under_load(outage).await;
    on.client("after-the-outage").await;
    let took = ready.elapsed();
    let what = "the first client gets a token";
    eventually_within(Duration::from_mins(1), what, || on.token()).await;
    vec![
        Row::at_most("API server down 24 s", 0, Duration::ZERO, &tally),
        // The load goes on for 3 s after the outage, before the client is created.
        Row::within(
            "API server back",
            "a new client Ready",
            Duration::from_secs(5),
            took,
        ),
    ]
}

/// The database ends and is there again at once, as when another server takes over: who tries twice is served.
pub async fn failover(on: &Installation) -> Vec<Row> {
    tokio::task::block_in_place(|| on.database.kill());
    tokio::task::block_in_place(|| on.database.restart());
    let people = on.people();
    let mut tries = Vec::new();
    for family in 0..people.families() {
        tries.push(people.tries_to_refresh(family, 10).await);
    }
    let worst = tries.iter().max().copied().unwrap_or_default();
    let seen = format!("tries: {tries:?}");
    vec![Row::holds(
        "database restarted",
        "a refresh works at the second try",
        &seen,
        worst <= 2,
    )]
}

/// Another role takes the place of the one that the replicas use; then the old one may not log in any more.
pub async fn role_rotation(on: &Installation) -> Vec<Row> {
    let rotation = async {
        on.use_role(ROLES[1]);
        let changed = on.connections_of(ROLES[1]).await;
        on.database
            .execute(&format!("ALTER ROLE {} NOLOGIN", ROLES[0]))
            .await;
        let end = format!(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{}'",
            ROLES[0]
        );
        on.database.execute(&end).await;
        lasts(Duration::from_secs(10)).await;
        changed
    };
    let (changed, tally) = Box::pin(on.under_load(rotation)).await;
    // Whatever came of it, the next drill begins as this one did.
    on.database
        .execute(&format!("ALTER ROLE {} LOGIN", ROLES[0]))
        .await;
    vec![
        Row::within(
            "database role rotated",
            "the new role is used without a restart",
            Duration::from_mins(2),
            changed,
        ),
        Row::at_most("database role rotated", 0, Duration::ZERO, &tally),
    ]
}
