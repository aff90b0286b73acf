//! The API server does not answer, or does not publish the key with which a token is signed.

use std::time::Instant;

use serde_json::json;

use super::{Accounts, only};
use crate::support::cluster::Cluster;
use crate::support::load::ask;
use crate::support::operator::{Options, RunningOperator};
use crate::support::proxy::Proxy;
use crate::support::test_namespace::{TestNamespace, http};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn h12_f78_without_an_api_server_accounts_wait_and_others_go_on() {
    let cluster = Cluster::with_chart(&[]);
    let operator = RunningOperator::start(&cluster, &Options::flags(&[]));
    let space = TestNamespace::within(&cluster, &operator.issuer, "outage").await;
    let team = Accounts {
        space,
        cluster: &cluster,
    };
    team.account("web").await;
    team.space.ready("app", only("web")).await;
    team.space.ready("other", json!({})).await;
    team.space
        .ready("both", json!({ "serviceAccounts": [{ "name": "web" }] }))
        .await;
    let (other, both) = (
        team.space.entries("other-oauth").await,
        team.space.entries("both-oauth").await,
    );
    let token = team.token("web");
    cluster.control("kill kube-apiserver");
    let (status, body) = team.ask("app", &token).await;
    assert_eq!(
        (status, &body["error"]),
        (503, &json!("temporarily_unavailable")),
        "{body}"
    );
    ask(&http(), &other).await.unwrap();
    ask(&http(), &both).await.unwrap();
    cluster.control("start kube-apiserver");
    team.wait("app", "it is accepted again", &token, 200).await;
    drop(operator);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn h11_an_unknown_key_is_fetched_once_and_then_judged() {
    let cluster = Cluster::with_chart(&[]);
    let proxy = Proxy::before(&cluster).await;
    // The cluster's key is about to be replaced: the API server publishes the former one.
    proxy.publish_another_key();
    let operator = RunningOperator::start(&cluster, &Options::default().through(&proxy));
    let space = TestNamespace::within(&cluster, &operator.issuer, "keys").await;
    let team = Accounts {
        space,
        cluster: &cluster,
    };
    team.account("web").await;
    team.space.ready("app", only("web")).await;
    let token = team.token("web");
    team.refused("app", "an unknown key", &token).await;
    proxy.be_honest();
    team.wait("app", "the key is found", &token, 200).await;
    let (reads, since) = (proxy.key_reads(), Instant::now());
    // Unknown keys do not cause a read for each of them.
    let unknown = crate::support::assertions::stranger();
    let claims = token.split('.').nth(1).unwrap();
    for n in 0..20 {
        let header = json!({ "alg": "ES256", "kid": format!("unknown-{n}") }).to_string();
        let forged = unknown.token(&header, &decoded(claims));
        team.refused("app", "an unknown key", &forged).await;
    }
    // At most every five seconds, however long this took.
    let most = u64::from(reads) + 2 + since.elapsed().as_secs() / 5;
    let reads = proxy.key_reads();
    assert!(u64::from(reads) <= most, "{reads}, and not {most}");
    assert_eq!(team.ask("app", &team.token("web")).await.0, 200);
}

fn decoded(part: &str) -> String {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    String::from_utf8(URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}
