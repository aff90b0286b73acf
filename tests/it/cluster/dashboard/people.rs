//! The dashboard in the cluster at a real API server: what a person whose ID token it does not accept is told.

use crate::support::cluster::shared;
use crate::support::people_dashboard::{ApiServer, CLIENT, PeopleDashboard};

#[tokio::test]
async fn a_cluster_that_trusts_no_such_issuer_is_explained() {
    let files = tempfile::tempdir().unwrap();
    let api_server = ApiServer::of(&shared().cluster, files.path());
    let stage = PeopleDashboard::new(api_server).await;
    let mut alice = stage.visitor();
    stage.enter(&mut alice, "alice", "/clients").await;
    let page = stage.get(&mut alice, "/clients").await;
    assert_eq!(page.status, 401, "{}", page.text);
    for named in [
        "The cluster does not trust this issuer",
        &stage.issuer,
        CLIENT,
        "kubectl clientele dashboard",
        "Sign out",
    ] {
        assert!(page.text.contains(named), "{named}: {}", page.text);
    }
}
