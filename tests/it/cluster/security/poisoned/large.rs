//! Objects as large as etcd takes them. The pod has 512 MiB, and everybody's objects have to fit.

use futures::{StreamExt, stream};
use k8s_openapi::api::core::v1::Secret;
use kube::api::PostParams;
use serde_json::json;

use super::newcomers_work;
use crate::support::cluster::Cluster;
use crate::support::operator::{Options, RunningOperator};
use crate::support::test_namespace::TestNamespace;

const COUNT: usize = 100;
pub const MEBIBYTE: u64 = 1 << 20;

/// The most memory that it has ever had.
pub fn peak(operator: &RunningOperator) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", operator.pid)).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kibibytes = line.unwrap().trim().trim_end_matches(" kB");
    kibibytes.parse::<u64>().unwrap() * 1024
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f81_k13_a_hundred_users_of_a_megabyte_stop_no_other() {
    let cluster = Cluster::with_chart(&[]);
    let operator = RunningOperator::start(&cluster, &Options::flags(&[]));
    let listen = operator.listen.clone();
    let space = TestNamespace::within(&cluster, &operator.issuer, "large").await;
    space.label_for_people().await;
    space.person("default", "alice", super::ALICE).await;
    let filled = k8s_openapi::ByteString(vec![0; 1_000_000]);
    let large = "x".repeat(1_400_000);
    let odd = "y".repeat(250_000);
    stream::iter(0..COUNT)
        .for_each_concurrent(4, async |number| {
            let name = format!("user-{number}");
            let claims = json!({ "essay": large });
            let spec = json!({ "username": name, "claims": claims });
            space.create_user(&name, spec).await;
            let name = format!("client-{number}");
            space.create(&name, json!({})).await;
            let odd = json!({ "metadata": { "annotations": { "example.com/odd": odd } } });
            space.patch(&name, odd).await;
            if number % 2 == 0 {
                let metadata =
                    json!({ "name": name, "labels": { "clientele.dev/oauthclient": "unknown" } });
                let secret = json!({ "metadata": metadata, "data": { "filled": filled } });
                let secret: Secret = serde_json::from_value(secret).unwrap();
                let params = PostParams::default();
                space.secrets().create(&params, &secret).await.unwrap();
            }
        })
        .await;
    for number in 0..COUNT {
        let said = space
            .not_enrolled(&format!("user-{number}"), "InvalidSpec")
            .await;
        assert!(said.contains("5120"), "{said}");
        space.wait_ready(&format!("client-{number}")).await;
    }
    newcomers_work(&space, "while").await;
    let watched = peak(&operator) / MEBIBYTE;
    operator.stop();
    let operator = RunningOperator::start(&cluster, &Options::flags(&[]).at(&listen));
    newcomers_work(&space, "afterwards").await;
    let afterwards = peak(&operator) / MEBIBYTE;
    println!("at most {watched} MiB while they were made, {afterwards} MiB when they were listed");
    assert!(watched.max(afterwards) < 256, "{watched} {afterwards}");
}
