//! What the chart warns of when a definition is deleted.

use crate::cluster::documented::run_in;
use crate::support::cluster::shared;
use crate::support::test_namespace::{TestNamespace, eventually};

#[tokio::test]
async fn the_deletion_of_a_definition_is_warned_of_before() {
    let space = TestNamespace::new("definitions").await;
    for kind in ["oauthclients", "oauthtenants", "oauthusers"] {
        let name = format!("{kind}.clientele.dev");
        // A policy counts some seconds after it was installed.
        eventually("there is a warning", || async {
            let script = format!("kubectl delete customresourcedefinition {name} --dry-run=server");
            let namespace = space.name.clone();
            let run = move || run_in(&shared().cluster, &namespace, &script);
            let output = tokio::task::spawn_blocking(run).await.unwrap();
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(output.status.success(), "{said}");
            let warned = said.contains("Warning:") && said.contains("credentials Secrets");
            warned.then_some(()).ok_or(said)
        })
        .await;
    }
}
