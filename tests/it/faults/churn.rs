//! One client that changes all the time, and a hundred that go: what is written meanwhile, and how soon it takes effect.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::{Duration, Instant};

use clientele_operator::settings::Settings;
use futures::future::join_all;
use k8s_openapi::api::events::v1::Event;
use kube::Api;
use kube::api::{DeleteParams, ListParams};
use serde_json::json;

use super::act::Action;
use super::fault_cluster::{FaultCluster, settings};
use super::fault_proxy::Stand;
use super::normalized_snapshot::Published;
use super::operator::Running;
use super::oracles::accepts;
use super::run::Run;
use super::workloads::Then;
use crate::support::test_namespace::{BREATH, eventually, when};

/// How long the client changes as fast as it can.
const CHURN: Duration = Duration::from_secs(6);
/// So often at the least.
const TOGGLES: usize = 200;
/// How many writes about one object may follow each other without a pause.
const WRITE_BURST: u32 = 20;
/// How soon a deletion takes effect everywhere.
const SOON: Duration = Duration::from_secs(2);

/// Waits until a credential is refused. How long that took by looks: each is a turn of this thread, in which the operator
/// runs as well, so that a time in which neither got one does not count.
async fn is_refused(operator: &Running, credential: &Published) -> Duration {
    let looks = AtomicU32::new(0);
    eventually("the credential is refused", || async {
        looks.fetch_add(1, Relaxed);
        let accepted = accepts(&operator.proxy.registry.load(), credential);
        when(!accepted, (), || format!("{:?} works", credential.whose))
    })
    .await;
    looks.into_inner() * BREATH
}

/// How often each event was told, by reason; each has one object.
async fn events(run: &Run) -> BTreeMap<String, i32> {
    let events: Api<Event> = Api::namespaced(run.kube.clone(), &run.namespace);
    let mut told = BTreeMap::new();
    for event in events.list(&ListParams::default()).await.unwrap() {
        let times = event.series.map_or(1, |series| series.count);
        let reason = event.reason.unwrap_or_default();
        assert_eq!(told.insert(reason.clone(), times), None, "two of {reason}");
    }
    told
}

#[tokio::test]
async fn f80_f82_a_toggled_client_is_written_at_most_once_a_second() {
    let run = Run::new(FaultCluster::shared().await).await;
    let settings = Settings {
        write_burst: WRITE_BURST,
        ..settings(false, &run.root_key)
    };
    let operator = Running::with(settings, &run, Stand::Free, None);
    operator.wait_ready().await;
    Action::Create("web", json!({})).perform(&run).await;
    eventually("it is Ready", || async { Then::Ready("web").met(&run) }).await;
    let credential = run.published().remove(0);

    operator.proxy.arm(None, None);
    let (begun, mut toggles) = (Instant::now(), 0);
    while begun.elapsed() < CHURN || toggles < TOGGLES || toggles % 2 == 0 {
        toggles += 1;
        let name = format!("ID_{toggles}");
        let spec = json!({
            "suspended": toggles % 2 == 1,
            "secret": { "entries": { "clientId": name } },
        });
        let edit = Action::Edit("web", json!({ "spec": spec }));
        edit.perform(&run).await;
    }
    let refused = is_refused(&operator, &credential).await;
    eventually("the last word is told", || async {
        Then::Refused("web", "Suspended").met(&run)
    })
    .await;
    let writes = operator.proxy.writes().len();
    let told = events(&run).await;
    println!("{toggles} toggles, {writes} writes, {told:?}; refused after {refused:?}");
    let seconds = usize::try_from(begun.elapsed().as_secs()).unwrap();
    // A reconcile that has begun may write a Secret and a status.
    let most = usize::try_from(WRITE_BURST).unwrap() + seconds + 2;
    assert!(writes <= most, "{writes} writes in {seconds} s");
    let times = told.values().sum::<i32>();
    assert!(usize::try_from(times).unwrap() <= most, "{told:?}");
    operator.kill();
    assert_eq!(run.judge_history(), Vec::<String>::new());
}

#[tokio::test]
async fn f22_a_second_operator_refuses_deleted_clients_in_two_seconds() {
    let run = Run::new(FaultCluster::shared().await).await;
    let [first, second] = [(); 2].map(|()| Running::start(&run, Stand::Free, None));
    first.wait_ready().await;
    second.wait_ready().await;
    for number in 0..100 {
        let name = format!("web-{number}").leak();
        Action::Create(name, json!({})).perform(&run).await;
    }
    let published = eventually("the second one serves them", || async {
        let (published, registry) = (run.published(), second.proxy.registry.load());
        let served = published.iter().filter(|known| accepts(&registry, known));
        let served = served.count();
        when(served == 100, published.clone(), || format!("{served}"))
    })
    .await;
    let (clients, now) = (run.clients(), DeleteParams::default());
    let delete = async |credential: &Published| {
        let (_, name) = credential.whose.client_id.split_once('.').unwrap();
        clients.delete(name, &now).await.unwrap();
        is_refused(&second, credential).await
    };
    let mut took = Vec::new();
    for ten in published.chunks(10) {
        took.extend(join_all(ten.iter().map(&delete)).await);
    }
    took.sort();
    println!(
        "refused by the second operator: half after {:?}, 99 of 100 after {:?}, the last after {:?}",
        took[49], took[98], took[99]
    );
    assert!(took[98] < SOON, "{took:?}");
    first.kill();
    second.kill();
}
