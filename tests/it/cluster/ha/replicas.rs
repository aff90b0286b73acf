//! Several replicas with one database: all serve, one writes.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use clientele_api::OAuthClient;
use futures::future::join_all;
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use kube::api::ListParams;
use kube::{Api, ResourceExt};
use serde_json::json;

use crate::support::cluster::Cluster;
use crate::support::load::{Entries, ask, ask_at};
use crate::support::operator::{OPERATOR_USER, Options, RunningOperator, free_address};
use crate::support::postgres::Server;
use crate::support::proxy::Proxy;
use crate::support::snapshot::{credentials, differences, everything};
use crate::support::test_namespace::{
    TestNamespace, condition, eventually, eventually_within, http, message, when,
};

/// The Lease lasts 15 s, and the machine may be busy.
const TAKEN: Duration = Duration::from_mins(1);

/// What replicas have in common.
struct Replicas {
    cluster: Cluster,
    database: String,
    issuer: String,
}

impl Replicas {
    async fn new() -> Self {
        let server = tokio::task::spawn_blocking(Server::shared).await.unwrap();
        Self {
            cluster: Cluster::with_chart(&[]),
            database: server.database().await,
            issuer: format!("http://{}", free_address()),
        }
    }

    fn options(&self) -> Options {
        Options {
            database_url: Some(self.database.clone()),
            issuer: Some(self.issuer.clone()),
            // Who reports nothing for two of these counts as dead; a busy machine is not.
            ..Options::flags(&["--usage-report-interval", "5s"])
        }
    }

    fn start(&self) -> RunningOperator {
        RunningOperator::start(&self.cluster, &self.options())
    }

    async fn space(&self, name: &str) -> TestNamespace {
        TestNamespace::within(&self.cluster, &self.issuer, name).await
    }
}

async fn wait_writes(replica: &RunningOperator, writes: bool) {
    let wanted = Some(f64::from(u8::from(writes)));
    eventually_within(TAKEN, "it begins or ends to write", || async {
        let leader = replica.metric("clientele_leader");
        when(leader == wanted, (), || format!("{leader:?}"))
    })
    .await;
}

/// The Lease as it is.
pub async fn lease(space: &TestNamespace) -> LeaseSpec {
    let leases: Api<Lease> = Api::namespaced(space.kube.clone(), "clientele-system");
    leases.get("clientele").await.unwrap().spec.unwrap()
}

/// How often each Secret of the namespace was created or replaced.
fn secret_writes(cluster: &Cluster, space: &TestNamespace) -> BTreeMap<String, usize> {
    let mut writes = BTreeMap::new();
    for (verb, resource, name) in cluster.writes_by(OPERATOR_USER) {
        if resource == "secrets" && name.starts_with(&format!("{}/", space.name)) {
            *writes.entry(format!("{verb} {name}")).or_default() += 1;
        }
    }
    writes
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f06_a_released_lease_is_taken_over_at_once() {
    let replicas = Replicas::new().await;
    let (first, second) = (replicas.start(), replicas.start());
    wait_writes(&first, true).await;
    assert_eq!(second.metric("clientele_leader"), Some(0.0));
    let space = replicas.space("handover").await;
    space.ready("web", json!({})).await;
    let entries = space.entries("web-oauth").await;
    let endpoint = format!("http://{}/token", second.listen);
    ask_at(&http(), &endpoint, &entries).await.unwrap();

    let before = lease(&space).await.holder_identity;
    first.stop();
    // A Lease that is not released lasts fifteen seconds more.
    assert_ne!(lease(&space).await.holder_identity, before);
    space.ready("after", json!({})).await;
    assert!(second.log().contains("became leader, writing"));
    let now = lease(&space).await.holder_identity;
    assert!(now.is_some() && now != before);
    assert_eq!(secret_writes(&replicas.cluster, &space).len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_killed_leader_another_writes_once_the_lease_expired() {
    let replicas = Replicas::new().await;
    let (first, second) = (replicas.start(), replicas.start());
    wait_writes(&first, true).await;
    let space = replicas.space("failover").await;
    space.ready("web", json!({})).await;
    let before = credentials(&space.kube).await;
    first.kill();
    let renewed = lease(&space).await.renew_time.unwrap().0;
    space.create("after", json!({})).await;
    wait_writes(&second, true).await;
    let taken = lease(&space).await.acquire_time.unwrap().0;
    // No replica takes what has not expired.
    let silent = taken.duration_since(renewed).as_secs();
    assert!(silent >= 14, "taken after {silent} s of silence");
    space.wait_ready("after").await;
    let mut after = credentials(&space.kube).await;
    after.retain(|name, _| before.contains_key(name));
    assert_eq!(before, after);
}

/// With the intervals of an installation: what is repeated once a minute repairs nothing in time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn o09_a_replica_that_is_killed_holds_ready_back_for_seconds() {
    let replicas = Replicas::new().await;
    let named = |name: &str| Options {
        flags: vec!["--replica-name".to_owned(), name.to_owned()],
        ..replicas.options()
    };
    let start = |name: &str| RunningOperator::start(&replicas.cluster, &named(name));
    let (leader, follower) = (start("a"), start("b"));
    let third = start("c");
    wait_writes(&leader, true).await;
    let space = replicas.space("killed").await;
    follower.kill();
    ready_within_20_s(&space, "stays-away").await;
    let follower = start("b");
    ready_within_20_s(&space, "is-back").await;
    follower.kill();
    let follower = start("b");
    ready_within_20_s(&space, "comes-back").await;
    drop((leader, follower, third));
}

async fn ready_within_20_s(space: &TestNamespace, name: &str) {
    let began = Instant::now();
    space.create(name, json!({})).await;
    space.wait_ready(name).await;
    let took = began.elapsed();
    assert!(
        took < Duration::from_secs(20),
        "{name}: Ready after {took:?}"
    );
}

/// Waits until a secret was rotated once, and one that was deleted is back.
async fn wait_done(space: &TestNamespace) {
    space.wait_ready("new").await;
    let rotated = |object: &OAuthClient| {
        let status = object.status.as_ref();
        let generation = status.and_then(|status| status.secret_generation.as_ref());
        generation.is_some_and(|generation| generation.published == 2)
    };
    let what = "its secret has rotated";
    space.wait_client("rotated", what, rotated).await;
    space
        .wait_secret("lost-oauth", "it is back", |_| true)
        .await;
    space.wait_ready("lost").await;
}

/// Waits until the writes that were held have arrived; both of Secrets were refused by their preconditions.
async fn arrive_too_late(proxy: &Proxy) {
    let held = proxy.held_writes() as usize;
    proxy.release_writes();
    eventually_within(TAKEN, "the late writes have arrived", || async {
        let late = proxy.late_writes();
        when(late.len() >= held, (), || format!("{late:?}"))
    })
    .await;
    let late = proxy.late_writes();
    let mut of_secrets = late.clone();
    of_secrets.retain(|(_, path, _)| path.contains("/secrets"));
    assert_eq!(of_secrets.len(), 2, "{late:?}");
    assert!(
        of_secrets.iter().all(|(_, _, code)| *code == 409),
        "{late:?}"
    );
}

/// It is stopped with writes on their way, longer than its Lease lasts; they arrive when another one has done the work.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f26_writes_of_a_replica_stopped_past_its_lease_are_void() {
    let replicas = Replicas::new().await;
    let proxy = Proxy::before(&replicas.cluster).await;
    let options = replicas.options().through(&proxy);
    let stopped = RunningOperator::start(&replicas.cluster, &options);
    wait_writes(&stopped, true).await;
    let second = replicas.start();
    let space = replicas.space("stopped").await;
    space.ready("rotated", json!({})).await;
    space.ready("lost", json!({})).await;
    space.is_settled().await;

    proxy.hold_writes();
    let rotation = json!({ "spec": { "rotation": { "requestId": "one" } } });
    space.patch("rotated", rotation).await;
    space.delete_secret("lost-oauth").await;
    space.create("new", json!({})).await;
    eventually_within(TAKEN, "three writes are on their way", || async {
        let held = proxy.held_writes();
        when(held >= 3, (), || format!("{held}"))
    })
    .await;
    stopped.signal("-STOP");
    wait_writes(&second, true).await;
    wait_done(&space).await;
    let before = everything(&space.kube).await;

    arrive_too_late(&proxy).await;
    stopped.signal("-CONT");
    wait_writes(&stopped, false).await;
    space.ready("after", json!({})).await;
    let mut after = everything(&space.kube).await;
    after.retain(|name, _| before.contains_key(name));
    assert_eq!(differences(&before, &after), Vec::<String>::new());
    for replica in [&stopped, &second] {
        let endpoint = format!("http://{}/token", replica.listen);
        for name in ["new-oauth", "rotated-oauth", "lost-oauth"] {
            let entries = space.entries(name).await;
            ask_at(&http(), &endpoint, &entries).await.unwrap();
        }
    }
}

/// Three replicas, of which one hears of everything late.
async fn with_a_late_one(replicas: &Replicas) -> (Proxy, [RunningOperator; 3]) {
    let proxy = Proxy::before(&replicas.cluster).await;
    let late = replicas.options().through(&proxy);
    let first = replicas.start();
    wait_writes(&first, true).await;
    let late = RunningOperator::start(&replicas.cluster, &late);
    (proxy, [first, replicas.start(), late])
}

/// The first answer of each replica; asked at once.
async fn answers(replicas: &[RunningOperator], entries: &Entries) -> Vec<Result<String, String>> {
    let http = http();
    let ask = |replica: &RunningOperator| {
        let (http, endpoint) = (http.clone(), format!("http://{}/token", replica.listen));
        async move { ask_at(&http, &endpoint, entries).await }
    };
    join_all(replicas.iter().map(ask)).await
}

fn is_ready(object: &OAuthClient) -> bool {
    condition(object, "Ready").is_some_and(|(status, _)| status == "True")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_ready_works_on_every_replica_at_that_moment() {
    const COUNT: usize = 50;
    let replicas = Replicas::new().await;
    let (proxy, all) = with_a_late_one(&replicas).await;
    let space = replicas.space("everywhere").await;
    proxy.tell_late(Duration::from_millis(50));
    for number in 0..COUNT {
        space.create(&format!("web-{number}"), json!({})).await;
    }
    let (began, mut seen) = (Instant::now(), BTreeSet::new());
    while seen.len() < COUNT {
        assert!(began.elapsed() < 2 * TAKEN, "{seen:?}");
        let clients = space.clients().list(&ListParams::default()).await.unwrap();
        for client in clients.iter().filter(|client| is_ready(client)) {
            if seen.insert(client.name_any()) {
                let entries = space.entries(&format!("{}-oauth", client.name_any())).await;
                let refused: Vec<String> = answers(&all, &entries)
                    .await
                    .into_iter()
                    .filter_map(Result::err)
                    .collect();
                assert_eq!(refused, Vec::<String>::new(), "{}", client.name_any());
            }
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    println!(
        "{COUNT} clients were ready on three replicas after {:?}",
        began.elapsed()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f21_a_deaf_replica_holds_back_ready_until_it_counts_as_dead() {
    let replicas = Replicas::new().await;
    let (proxy, [first, second, deaf]) = with_a_late_one(&replicas).await;
    let space = replicas.space("deaf").await;
    space.ready("known", json!({})).await;
    proxy.tell_late(Duration::from_hours(1));
    space.create("web", json!({})).await;
    let rotation = json!({ "spec": { "rotation": { "requestId": "one" } } });
    space.patch("known", rotation).await;
    space
        .wait_secret("web-oauth", "it is there", |_| true)
        .await;
    let entries = space.entries("web-oauth").await;
    eventually("the others serve it", || async {
        ask_at(&http(), &format!("http://{}/token", first.listen), &entries).await?;
        ask_at(
            &http(),
            &format!("http://{}/token", second.listen),
            &entries,
        )
        .await
    })
    .await;
    let published = |object: &OAuthClient| {
        let status = object.status.as_ref();
        let generation = status.and_then(|status| status.secret_generation.as_ref());
        generation.is_some_and(|generation| generation.published == 2)
    };
    eventually("a rotation goes on", || async {
        let known = space.clients().get("known").await.unwrap();
        when(published(&known), (), || format!("{:?}", known.status))
    })
    .await;
    // Never is it said to be ready, and after a while is said why not.
    eventually("both statuses say who is late", || async {
        let mut unsaid = Vec::new();
        for name in ["web", "known"] {
            let object = space.clients().get(name).await.unwrap();
            let observed = object.status.as_ref().unwrap().observed_generation;
            let this = observed == object.metadata.generation;
            assert!(!(this && is_ready(&object)), "{name}: {:?}", object.status);
            let late = condition(&object, "Ready").is_some_and(|(_, why)| why == "ReplicasPending");
            if !late || !message(&object).contains("does not serve this version yet") {
                unsaid.push(object.status);
            }
        }
        when(unsaid.is_empty(), (), || format!("{unsaid:?}"))
    })
    .await;
    let endpoint = format!("http://{}/token", deaf.listen);
    let newer = space.entries("known-oauth").await;
    ask_at(&http(), &endpoint, &newer).await.unwrap();
    let refused = ask_at(&http(), &endpoint, &entries).await.unwrap_err();
    assert!(refused.starts_with("401 "), "{refused}");
    deaf.kill();
    space.wait_ready("web").await;
    space.wait_ready("known").await;
}

/// Correctness does not depend on the Lease: these two have one name, so that each takes the Lease for its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f27_two_operators_without_a_lease_write_each_secret_once() {
    const COUNT: usize = 20;
    let cluster = Cluster::with_chart(&[]);
    let first = RunningOperator::start(&cluster, &Options::flags(&[]));
    let options = Options {
        issuer: Some(first.issuer.clone()),
        ..Options::flags(&[])
    };
    let second = RunningOperator::start(&cluster, &options);
    let space = TestNamespace::within(&cluster, &first.issuer, "both").await;
    for number in 0..COUNT {
        space.create(&format!("web-{number}"), json!({})).await;
    }
    for number in 0..COUNT {
        space.wait_ready(&format!("web-{number}")).await;
    }
    for replica in [&first, &second] {
        assert_eq!(replica.metric("clientele_leader"), Some(1.0));
        let endpoint = format!("http://{}/token", replica.listen);
        for number in 0..COUNT {
            let entries = space.entries(&format!("web-{number}-oauth")).await;
            ask_at(&http(), &endpoint, &entries).await.unwrap();
            ask(&http(), &entries).await.unwrap();
        }
    }
    come_to_rest(&space).await;
    let writes = secret_writes(&cluster, &space);
    let created = |write: &String| write.starts_with("create ");
    assert!(writes.keys().all(created), "written once: {writes:?}");
    assert_eq!(writes.len(), COUNT);
}

/// Waits until nothing is written any more.
pub async fn come_to_rest(space: &TestNamespace) {
    let settled = Duration::from_secs(3);
    let (mut seen, mut since) = (everything(&space.kube).await, Instant::now());
    let began = Instant::now();
    while since.elapsed() < settled {
        assert!(began.elapsed() < TAKEN, "they do not come to rest");
        tokio::time::sleep(Duration::from_millis(200)).await;
        let now = everything(&space.kube).await;
        if now != seen {
            (seen, since) = (now, Instant::now());
        }
    }
}
