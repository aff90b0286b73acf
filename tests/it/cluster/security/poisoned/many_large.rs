//! More OAuthClients at the limits of every field than the operator has room for, all of one namespace.

use std::time::Duration;

use futures::{StreamExt, stream};
use kube::ResourceExt;
use kube::api::ListParams;
use serde_json::{Value, json};

use super::large::{MEBIBYTE, peak};
use crate::support::cluster::Cluster;
use crate::support::operator::{Options, RunningOperator};
use crate::support::test_namespace::{TestNamespace, eventually_within, when};

/// As many as have room, and some more.
const COUNT: usize = 290;
/// What docs/concepts/limits.md says.
const ROOM: usize = 32 << 20;
const SMALL: usize = 4 << 10;
/// Hundreds of clients and their Secrets are written meanwhile.
const PATIENCE: Duration = Duration::from_mins(3);

/// A client at the limits of its fields: more than 120 KiB.
fn at_the_limits() -> Value {
    let uris = |path: &str| -> Vec<String> {
        let begin = |number| format!("https://hog.example/{path}/{number:02}/");
        let uri = |number| format!("{:x<512}", begin(number));
        (0..64).map(uri).collect()
    };
    let entry = |number| (format!("entry-{number}"), json!("x".repeat(4096)));
    let template: serde_json::Map<String, Value> = (0..16).map(entry).collect();
    json!({
        "grantTypes": ["authorization_code", "client_credentials"], "secret": { "template": template },
        "redirectUris": uris("cb"), "postLogoutRedirectUris": uris("bye"),
    })
}

/// The large clients of the namespace, the oldest first: name, whether it is served, and since when that is so.
async fn by_age(hog: &TestNamespace) -> Result<Vec<(String, bool, String)>, String> {
    let list = hog.clients().list(&ListParams::default()).await;
    let mut clients = list.map_err(|error| error.to_string())?.items;
    clients.retain(|client| client.name_any().starts_with("client-"));
    clients.sort_by_key(|client| (client.creation_timestamp().map(|time| time.0), client.uid()));
    let each = clients.iter().map(|client| {
        let mut ready = client.status.iter().flat_map(|status| &status.conditions);
        let ready = ready.rfind(|condition| condition.type_ == "Ready");
        let ready = ready.ok_or("one has no status")?;
        let since = format!("{:?}", ready.last_transition_time);
        match (&*ready.status, &*ready.reason) {
            ("True", _) => Ok((client.name_any(), true, since)),
            (_, "QuotaExceeded") => Ok((client.name_any(), false, since)),
            (_, reason) => Err(format!("one is {reason}")),
        }
    });
    each.collect()
}

/// Waits until this many are served, the oldest, and the others refused.
async fn oldest_are_served(hog: &TestNamespace, count: usize) -> Vec<(String, bool, String)> {
    eventually_within(PATIENCE, "the oldest are served", || async {
        let clients = by_age(hog).await?;
        let served = clients.iter().filter(|(_, served, _)| *served).count();
        let are_oldest = clients.iter().take(count).all(|(_, served, _)| *served);
        when(served == count && are_oldest, clients, || {
            format!("{served} of {count}, the oldest: {are_oldest}")
        })
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn q12_what_one_namespace_makes_large_has_a_bound() {
    let cluster = Cluster::with_chart(&[]);
    let operator = RunningOperator::start(&cluster, &Options::flags(&[]));
    let listen = operator.listen.clone();
    let hog = TestNamespace::within(&cluster, &operator.issuer, "hog").await;
    let spec = at_the_limits();
    stream::iter(0..COUNT)
        .for_each_concurrent(8, async |number| {
            hog.create(&format!("client-{number}"), spec.clone()).await;
        })
        .await;
    let one = serde_json::to_string(&hog.clients().get("client-0").await.unwrap().spec);
    let one = one.unwrap().len() - SMALL;
    let clients = oldest_are_served(&hog, ROOM / one).await;
    let (last, ..) = clients.last().unwrap();
    let said = hog.wait_refused(last, "QuotaExceeded").await;
    assert!(said.contains("shorter than 4 KiB"), "{said}");

    // Another namespace has its part, and so has what is small.
    let team = TestNamespace::within(&cluster, &operator.issuer, "team").await;
    team.ready("large", spec.clone()).await;
    hog.ready("small", json!({})).await;
    let served = ROOM / one - 1;
    let before = oldest_are_served(&hog, served).await;
    let while_made = peak(&operator) / MEBIBYTE;

    // The same are served after a restart, all the time.
    operator.stop();
    let operator = RunningOperator::start(&cluster, &Options::flags(&[]).at(&listen));
    hog.ready("newcomer", json!({})).await;
    team.wait_ready("large").await;
    assert_eq!(oldest_are_served(&hog, served).await, before);
    let after_restart = peak(&operator) / MEBIBYTE;
    println!(
        "{served} of {COUNT} served; at most {while_made} MiB while made, {after_restart} MiB when listed"
    );
    assert!(
        while_made.max(after_restart) < 400,
        "{while_made} {after_restart}"
    );

    // What goes makes room.
    hog.delete(&before[0].0).await;
    hog.wait_ready(&before[served].0).await;
}
