//! What the installation depends on is away: the database, the API server.

use std::time::{Duration, Instant};

use tokio::net::TcpStream;

use super::installation::{Installation, lasts};
use super::machine::{Node, run};
use crate::node::drill::Row;
use crate::support::test_namespace::eventually_within;

const OUTAGE: Duration = Duration::from_mins(1);
const CUT: Duration = Duration::from_secs(75);
/// The addresses of pods.
const PODS: &str = "10.244.0.0/24";

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
    let mut once = on.restarts().await;
    *once.get_mut(&victim).unwrap() += 1;
    tokio::task::block_in_place(|| on.database.kill());
    let killed = Node::signal(&victim, "-9");
    lasts(Duration::from_secs(30)).await;
    let restarts = on.restarts().await;
    tokio::task::block_in_place(|| on.database.restart());
    assert!(killed, "no process runs in {victim}");
    let back = on.pods_are_ready(3).await;
    rows.push(Row::holds(
        "killed while the database is down",
        "waits alive, is restarted once",
        &format!("restarts {:?}", restarts.values().collect::<Vec<_>>()),
        restarts == once,
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
        reached_by_pods(on).await;
        Instant::now()
    };
    let (ready, tally) = on.under_load(outage).await;
    on.client("after-the-outage").await;
    let took = ready.elapsed();
    // Otherwise it takes up to 40 s until it sees the node again, and it would call the node NotReady meanwhile.
    on.node.control("restart kube-controller-manager");
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

/// Waits until the Service of the API server leads there again: a server that ends takes its address out of it, and kube-proxy puts
/// it back only some seconds after the server is ready.
async fn reached_by_pods(on: &Installation) {
    let get = ["get", "service", "kubernetes", "-n", "default"];
    let get = [&get[..], &["-o", "jsonpath={.spec.clusterIP}"]].concat();
    let address = format!("{}:443", on.node.kubectl(&get).unwrap());
    let what = "the Service of the API server leads there";
    eventually_within(Duration::from_mins(1), what, || async {
        let connected = TcpStream::connect(&address).await;
        connected.map(drop).map_err(|error| error.to_string())
    })
    .await;
}

/// The network between the pods and the API server takes packets and delivers none, for longer than a watch may be silent.
pub async fn api_server_unreachable(on: &Installation) -> Vec<Row> {
    let rule = |action| {
        let port = on.node.api_server_port();
        let packets = ["-s", PODS, "-p", "tcp", "--dport", &port, "-j", "DROP"];
        run("iptables", &[&[action, "INPUT"][..], &packets[..]].concat());
    };
    let unreachable = async {
        rule("-I");
        lasts(CUT).await;
        rule("-D");
        Instant::now()
    };
    let (ready, tally) = on.under_load(unreachable).await;
    on.client("after-the-cut").await;
    let took = ready.elapsed();
    vec![
        Row::at_most("API server cut off for 75 s", 0, Duration::ZERO, &tally),
        Row::within(
            "API server reached again",
            "a new client Ready",
            Duration::from_secs(20),
            took,
        ),
    ]
}
