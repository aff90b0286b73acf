//! The API server is slow, refuses everything or resets connections: no client storms back, and afterwards all is well.

use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::json;

use super::act::Action;
use super::fault_cluster::FaultCluster;
use super::fault_proxy::{Stand, Weather};
use super::operator::Running;
use super::run::Run;
use super::workloads::Then;
use crate::support::test_namespace::eventually_within;

/// How long a storm lasts.
const STORM: Duration = Duration::from_secs(4);
/// Watches and passes come back after at most a minute of backoff, much sooner after a short storm.
const AFTERWARDS: Duration = Duration::from_mins(1);
/// At most this many requests are made within a storm: some ten watches and two objects, each of them tried again with
/// growing pauses. A loop without a pause makes thousands.
const FEW: usize = 150;

async fn ready(run: &Run, name: &'static str) {
    eventually_within(AFTERWARDS, "a client is Ready", || async {
        Then::Ready(name).met(run)
    })
    .await;
}

async fn weathered(weather: Weather) {
    let cluster = FaultCluster::shared().await;
    let run = Run::new(cluster).await;
    let operator = Running::start(&run, Stand::Free, None);
    operator.wait_ready().await;
    Action::Create("web", json!({})).perform(&run).await;
    ready(&run, "web").await;
    let before = run.published();

    operator.proxy.set_weather(weather);
    let since = operator.proxy.requests.load(Ordering::Relaxed);
    Action::Create("late", json!({})).perform(&run).await;
    let tampered = json!({ "stringData": { "CLIENT_SECRET": "mine" } });
    Action::EditSecret("web-oauth", tampered)
        .perform(&run)
        .await;
    tokio::time::sleep(STORM).await;
    let made = operator.proxy.requests.load(Ordering::Relaxed) - since;
    println!("{weather:?}: {made} requests in {STORM:?}");
    assert!(made <= FEW, "{weather:?}: {made} requests in {STORM:?}");
    let registry = operator.proxy.registry.load();
    let serves = |credential| super::oracles::accepts(&registry, credential);
    assert!(
        before.iter().all(serves),
        "{weather:?}: it stopped to serve"
    );

    operator.proxy.set_weather(Weather::Fair);
    ready(&run, "late").await;
    ready(&run, "web").await;
    assert!(before.iter().all(|known| run.published().contains(known)));
    operator.kill();
    assert_eq!(run.judge_history(), Vec::<String>::new(), "{weather:?}");
}

#[tokio::test]
async fn f25_an_api_server_that_answers_409_is_not_stormed() {
    weathered(Weather::Answers(409)).await;
}

#[tokio::test]
async fn f25_an_api_server_that_answers_410_is_not_stormed() {
    weathered(Weather::Answers(410)).await;
}

#[tokio::test]
async fn f25_an_api_server_that_answers_429_is_not_stormed() {
    weathered(Weather::Answers(429)).await;
}

#[tokio::test]
async fn f25_an_api_server_that_answers_500_is_not_stormed() {
    weathered(Weather::Answers(500)).await;
}

#[tokio::test]
async fn f25_an_api_server_that_answers_403_is_not_stormed() {
    weathered(Weather::Answers(403)).await;
}

#[tokio::test]
async fn f25_connections_that_are_reset_are_not_stormed() {
    weathered(Weather::Resets).await;
}

#[tokio::test]
async fn f25_a_slow_api_server_is_waited_for() {
    weathered(Weather::Slow(Duration::from_secs(2))).await;
}

/// F19: what is said twice is written once.
#[tokio::test]
async fn f19_events_that_come_twice_write_nothing_twice() {
    let cluster = FaultCluster::shared().await;
    let run = Run::new(cluster).await;
    let operator = Running::start(&run, Stand::Free, None);
    operator.wait_ready().await;
    operator.proxy.set_weather(Weather::Echoes);
    operator.proxy.arm(None, None);
    Action::Create("web", json!({})).perform(&run).await;
    ready(&run, "web").await;
    Action::DeleteSecret("web-oauth").perform(&run).await;
    ready(&run, "web").await;
    let renamed = json!({ "spec": { "secret": { "name": "web-login" } } });
    Action::Edit("web", renamed).perform(&run).await;
    ready(&run, "web").await;
    while operator.proxy.quiet() < Duration::from_millis(500) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let writes: Vec<String> = operator
        .proxy
        .writes()
        .iter()
        .map(ToString::to_string)
        .collect();
    let expected = [
        "create secrets/web-oauth",
        "patch oauthclients/web/status",
        "create secrets/web-oauth",
        "patch oauthclients/web/status",
        "create secrets/web-login",
        "delete secrets/web-oauth",
        "patch oauthclients/web/status",
    ];
    assert_eq!(writes, expected);
    operator.kill();
}

/// F10: the pass of one object panics, again and again; the others go on, and it works as soon as it can.
#[tokio::test]
async fn f10_a_pass_that_panics_stops_no_other() {
    let cluster = FaultCluster::shared().await;
    let run = Run::new(cluster).await;
    let operator = Running::start(&run, Stand::Free, None);
    operator.wait_ready().await;
    operator.proxy.doom(Some("doomed-oauth"));
    Action::Create("doomed", json!({})).perform(&run).await;
    Action::Create("web", json!({})).perform(&run).await;
    ready(&run, "web").await;
    Action::DeleteSecret("web-oauth").perform(&run).await;
    ready(&run, "web").await;
    operator.proxy.doom(None);
    ready(&run, "doomed").await;
    operator.kill();
}
