//! Processes that die or freeze, the leader's and another's.

use std::time::Duration;

use super::installation::{BLOCKED, Installation, lasts, measured};
use super::machine::Node;
use crate::node::drill::Row;

/// How many requests may fail, and for how long, while one of three replicas goes without a word.
const LOST: usize = 50;
const GAP: Duration = Duration::from_secs(12);
/// How long no replica leads at most: the Lease, and a moment.
const REPLACED: Duration = Duration::from_secs(18);
/// How long a process is frozen. The liveness probe would end it after about 30 s.
const FROZEN: Duration = Duration::from_secs(25);

/// A ready pod that leads, or one that does not.
async fn pod(on: &Installation, leads: bool) -> String {
    let leader = on.leader().await;
    let pods = on.ready_pods().await;
    let found = pods.into_iter().find(|pod| (*pod == leader) == leads);
    found.unwrap_or_else(|| panic!("no such pod; {leader} leads"))
}

const ROLES: [(&str, bool); 2] = [("a follower", false), ("the leader", true)];

/// How long it took until there was what a crash took away.
struct Took {
    client: Duration,
    leader: Duration,
}

/// What an installation is asked for at the moment of a crash: a new client, and another leader if it was the leader's.
async fn took(on: &Installation, client: &str, before: &str) -> Took {
    let replaced = measured(|| async {
        let now = on.holder().await;
        now.is_some_and(|now| now != before)
    });
    let leads = client.ends_with("leader");
    let replaced = async {
        if leads {
            replaced.await
        } else {
            Duration::ZERO
        }
    };
    let (client, leader) = tokio::join!(Box::pin(on.client(client)), replaced);
    Took { client, leader }
}

/// `kill -9`, while a new client is created.
pub async fn kill(on: &Installation) -> Vec<Row> {
    let kill = async |victim: &str, client: &str| {
        let before = on.holder().await.unwrap();
        assert!(Node::signal(victim, "-9"), "no process runs in {victim}");
        let took = took(on, client, &before).await;
        on.pods_are_ready(3).await;
        took
    };
    of_each_role(on, ("kill -9", "killed"), kill).await
}

/// `SIGSTOP`, while a new client is created; then the process is thawed.
pub async fn freeze(on: &Installation) -> Vec<Row> {
    let freeze = async |victim: &str, client: &str| {
        let before = on.holder().await.unwrap();
        assert!(Node::signal(victim, "-STOP"), "no process runs in {victim}");
        let thaw = async {
            lasts(FROZEN).await;
            // The liveness probe may have been faster.
            let _ = Node::signal(victim, "-CONT");
        };
        let (took, ()) = tokio::join!(took(on, client, &before), thaw);
        on.pods_are_ready(3).await;
        took
    };
    of_each_role(on, ("SIGSTOP", "frozen"), freeze).await
}

/// A crash of a pod of each role, by its name in the table and the first word of the client that is created meanwhile.
async fn of_each_role(
    on: &Installation,
    (what, word): (&str, &str),
    crash: impl AsyncFn(&str, &str) -> Took,
) -> Vec<Row> {
    let mut rows = Vec::new();
    for (role, leads) in ROLES {
        let victim = pod(on, leads).await;
        let client = format!("{word}-{}", if leads { "leader" } else { "follower" });
        let (took, tally) = on.under_load(Box::pin(crash(&victim, &client))).await;
        let drill = format!("{what} of {role}");
        rows.push(Row::at_most(&drill, LOST, GAP, &tally));
        rows.push(Row::within(
            &drill,
            "a new client Ready",
            BLOCKED,
            took.client,
        ));
        if leads {
            rows.push(Row::within(
                &drill,
                "another one leads",
                REPLACED,
                took.leader,
            ));
        }
    }
    rows
}
