//! Processes that die or freeze, the leader's and another's.

use std::time::Duration;

use super::installation::{Installation, lasts};
use super::machine::Node;
use crate::node::drill::Row;

/// How many requests may fail, and for how long, while one of three replicas goes without a word.
const LOST: usize = 50;
const GAP: Duration = Duration::from_secs(12);
/// How long a new client waits at most while there is no leader.
const BLOCKED: Duration = Duration::from_secs(20);

/// A ready pod that leads, or one that does not.
async fn pod(on: &Installation, leads: bool) -> String {
    let leader = on.leader();
    let pods = on.ready_pods().await;
    let found = pods.into_iter().find(|pod| (*pod == leader) == leads);
    found.unwrap_or_else(|| panic!("no such pod; {leader} leads"))
}

const ROLES: [(&str, bool); 2] = [("a follower", false), ("the leader", true)];

/// `kill -9`, while a new client is created.
pub async fn kill(on: &Installation) -> Vec<Row> {
    let kill = async |victim: &str, client: &str| {
        assert!(Node::signal(victim, "-9"), "no process runs in {victim}");
        let blocked = on.client(client).await;
        on.pods_are_ready(3).await;
        blocked
    };
    of_each_role(on, ("kill -9", "killed"), kill).await
}

/// `SIGSTOP`, while a new client is created; the liveness probe ends it, or it is thawed.
pub async fn freeze(on: &Installation) -> Vec<Row> {
    let freeze = async |victim: &str, client: &str| {
        assert!(Node::signal(victim, "-STOP"), "no process runs in {victim}");
        let blocked = on.client(client).await;
        lasts(Duration::from_secs(25).saturating_sub(blocked)).await;
        // The liveness probe may have been faster.
        let _ = Node::signal(victim, "-CONT");
        on.pods_are_ready(3).await;
        blocked
    };
    of_each_role(on, ("SIGSTOP", "frozen"), freeze).await
}

/// A crash of a pod of each role, by its name in the table and the first word of the client that is created meanwhile.
/// `crash` returns how long the client was not Ready.
async fn of_each_role(
    on: &Installation,
    (what, word): (&str, &str),
    crash: impl AsyncFn(&str, &str) -> Duration,
) -> Vec<Row> {
    let mut rows = Vec::new();
    for (role, leads) in ROLES {
        let victim = pod(on, leads).await;
        let client = format!("{word}-{}", if leads { "leader" } else { "follower" });
        let (blocked, tally) = on.under_load(crash(&victim, &client)).await;
        let drill = format!("{what} of {role}");
        rows.push(Row::at_most(&drill, LOST, GAP, &tally));
        rows.push(Row::within(&drill, "a new client Ready", BLOCKED, blocked));
    }
    rows
}
