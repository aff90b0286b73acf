//! Rotation by itself.

use clientele_api::OAuthClient;
use jiff::{SignedDuration, Timestamp};
use kube::Api;
use kube::api::{Patch, PatchParams};
use serde_json::json;

use super::{ledger, rotation, spec};
use crate::support::cluster::shared;
use crate::support::load::ask;
use crate::support::person::operator;
use crate::support::test_namespace::{TestNamespace, http};

/// The secret is made older by the hand of the only one who may write the status.
#[tokio::test]
async fn an_old_secret_rotates_without_a_change_of_the_manifest() {
    let space = TestNamespace::new("schedule").await;
    let every = json!({ "rotation": { "every": "1h", "maxOverlap": "30m", "quietPeriod": "5m" } });
    let before = space.ready("web", every).await;
    let next = rotation(&before).next_at.unwrap().0;
    let published = super::generation(&before).published_at.unwrap().0;
    let ahead = next.duration_since(published);
    assert!(
        ahead > SignedDuration::from_mins(53) && ahead <= SignedDuration::from_mins(60),
        "{ahead}"
    );
    let old = space.entries("web-oauth").await;

    let long_ago = Timestamp::now() - SignedDuration::from_hours(2);
    let patch =
        json!({ "status": { "secretGeneration": { "publishedAt": long_ago.to_string() } } });
    let api: Api<OAuthClient> = Api::namespaced(operator(&shared().cluster).await, &space.name);
    api.patch_status("web", &PatchParams::default(), &Patch::Merge(patch))
        .await
        .unwrap();

    let after = space
        .wait_client("web", "it rotates once", |object| {
            ledger(object) == (2, 2, 1)
        })
        .await;
    assert_eq!(rotation(&after).last_cause.as_deref(), Some("Scheduled"));
    assert!(rotation(&after).next_at.unwrap().0 > Timestamp::now());
    assert_eq!(spec(&after), spec(&before));
    assert_eq!(after.metadata.generation, before.metadata.generation);
    let new = space.entries("web-oauth").await;
    assert_ne!(old["CLIENT_SECRET"], new["CLIENT_SECRET"]);
    for entries in [&old, &new] {
        ask(&http(), entries).await.unwrap();
    }
}
