//! What a manifest changes of the credentials Secret: its entries, labels, name, owner. The credentials stay.

use k8s_openapi::api::core::v1::Secret;
use kube::ResourceExt;
use kube::api::{DeleteParams, Patch, PatchParams, PostParams};
use serde_json::{Value, json};

use crate::support::cluster::shared;
use crate::support::load::{Load, ask};
use crate::support::operator::OPERATOR_USER;
use crate::support::test_namespace::{TestNamespace, entries, eventually, http, when};

/// Writes of the operator in the namespace whose resource begins so, as "verb resource name".
pub fn writes(space: &TestNamespace, resource: &str) -> Vec<String> {
    let within = format!("{}/", space.name);
    shared()
        .cluster
        .writes_by(OPERATOR_USER)
        .into_iter()
        .filter(|(_, what, place)| what.starts_with(resource) && place.starts_with(&within))
        .map(|(verb, what, place)| format!("{verb} {what} {}", &place[within.len()..]))
        .collect()
}

#[tokio::test]
async fn a_renamed_entry_moves_and_the_old_one_goes() {
    let space = TestNamespace::new("reshape").await;
    space.ready("web", json!({})).await;
    let before = space.entries("web-oauth").await;
    let load = Load::start(before.clone());
    let names = json!({ "clientSecret": "client-secret", "clientId": "client-id" });
    space
        .patch("web", json!({ "spec": { "secret": { "entries": names } } }))
        .await;
    space.wait_ready("web").await;
    let after = space.entries("web-oauth").await;
    assert_eq!(after["client-secret"], before["CLIENT_SECRET"]);
    assert_eq!(after["client-id"], before["CLIENT_ID"]);
    assert!(!after.contains_key("CLIENT_SECRET") && !after.contains_key("CLIENT_ID"));
    space
        .patch("web", json!({ "spec": { "secret": { "entries": null } } }))
        .await;
    space.wait_ready("web").await;
    assert_eq!(space.entries("web-oauth").await, before);
    load.stop().await.is_flawless();
}

#[tokio::test]
async fn labels_follow_the_manifest_and_those_of_others_stay() {
    let space = TestNamespace::new("reshape").await;
    let secret = json!({ "labels": { "reloader.stakater.com/tier": "one", "reloader.stakater.com/zone": "a" }, "annotations": { "reloader.stakater.com/match": "yes" } });
    space.ready("web", json!({ "secret": secret })).await;
    let foreign = json!({ "metadata": { "labels": { "team": "a" } } });
    space
        .secrets()
        .patch("web-oauth", &PatchParams::default(), &Patch::Merge(foreign))
        .await
        .unwrap();
    let change = json!({ "labels": { "reloader.stakater.com/tier": "two", "reloader.stakater.com/zone": null }, "annotations": null });
    space
        .patch("web", json!({ "spec": { "secret": change } }))
        .await;
    space.wait_ready("web").await;
    let after = space.secrets().get("web-oauth").await.unwrap();
    assert_eq!(after.labels()["reloader.stakater.com/tier"], "two");
    assert_eq!(after.labels()["team"], "a", "of another field manager");
    assert!(!after.labels().contains_key("reloader.stakater.com/zone"));
    assert!(
        !after
            .annotations()
            .contains_key("reloader.stakater.com/match")
    );
}

#[tokio::test]
async fn f41_a_rename_writes_the_new_secret_before_the_old_goes() {
    let space = TestNamespace::new("reshape").await;
    space.ready("web", json!({})).await;
    let before = space.entries("web-oauth").await;
    let load = Load::start(before.clone());
    space
        .patch("web", json!({ "spec": { "secret": { "name": "login" } } }))
        .await;
    space.wait_ready("web").await;
    assert_eq!(space.entries("login").await, before);
    let old = space.secrets().get_opt("web-oauth").await.unwrap();
    assert!(
        old.is_none(),
        "the old one was deleted when the status says Ready"
    );
    load.stop().await.is_flawless();
    let order = writes(&space, "secrets");
    assert_eq!(
        order,
        [
            "create secrets web-oauth",
            "create secrets login",
            "delete secrets web-oauth"
        ]
    );
}

/// While the client is refused its Secret is left alone, so that another object can take the name.
#[tokio::test]
async fn f41_a_rename_spares_a_foreign_secret_of_the_old_name() {
    let space = TestNamespace::new("reshape").await;
    space.ready("web", json!({})).await;
    space
        .patch("web", json!({ "spec": { "firstParty": true } }))
        .await;
    space.wait_refused("web", "FirstPartyNotAllowed").await;
    let secrets = space.secrets();
    secrets
        .delete("web-oauth", &DeleteParams::default())
        .await
        .unwrap();
    let labels =
        json!({ "clientele.dev/oauthclient": "web", "app.kubernetes.io/managed-by": "clientele" });
    let foreign: Secret = serde_json::from_value(json!({
        "metadata": { "name": "web-oauth", "labels": labels },
        "stringData": { "precious": "data" },
    }))
    .unwrap();
    let foreign = secrets
        .create(&PostParams::default(), &foreign)
        .await
        .unwrap();
    let spec = json!({ "firstParty": false, "secret": { "name": "login" } });
    space.patch("web", json!({ "spec": spec })).await;
    space.wait_ready("web").await;
    assert_eq!(space.token("login").await.0, 200);
    assert_eq!(secrets.get("web-oauth").await.unwrap(), foreign);
}

#[tokio::test]
async fn the_owner_appears_and_disappears_with_the_deletion_policy() {
    let space = TestNamespace::new("reshape").await;
    let object = space.ready("web", json!({})).await;
    let before = space.entries("web-oauth").await;
    for (policy, owners) in [("Retain", 0), ("Delete", 1), ("Retain", 0)] {
        let patch = json!({ "spec": { "deletionPolicy": policy } });
        space.patch("web", patch).await;
        space.wait_ready("web").await;
        let secret = space.secrets().get("web-oauth").await.unwrap();
        assert_eq!(secret.owner_references().len(), owners, "{policy}");
        let owner = secret.owner_references().first();
        assert!(owner.is_none_or(|owner| Some(&owner.uid) == object.uid().as_ref()));
        assert_eq!(entries(&secret), before);
    }
}

#[tokio::test]
async fn to_public_the_secret_stops_and_back_it_is_there_again() {
    let space = TestNamespace::new("reshape").await;
    let uris = json!(["https://app.example/callback"]);
    let confidential = json!({ "type": "Confidential", "redirectUris": uris, "grantTypes": ["client_credentials"] });
    let public =
        json!({ "type": "Public", "redirectUris": uris, "grantTypes": ["authorization_code"] });
    space.ready("web", confidential.clone()).await;
    let before = space.entries("web-oauth").await;
    ask(&http(), &before).await.unwrap();

    space.patch("web", json!({ "spec": public })).await;
    space.wait_ready("web").await;
    let refused = ask(&http(), &before).await.unwrap_err();
    assert!(refused.starts_with("401 "), "{refused}");
    let mut without = before.clone();
    without.remove("CLIENT_SECRET");
    assert_eq!(space.entries("web-oauth").await, without);

    space.patch("web", json!({ "spec": confidential })).await;
    space.wait_ready("web").await;
    assert_eq!(space.entries("web-oauth").await, before);
    ask(&http(), &before).await.unwrap();
}

/// A second object written after the storm is Ready only when everything before it was looked at.
async fn is_at_rest(space: &TestNamespace) {
    space.ready("after", json!({})).await;
}

#[tokio::test]
async fn f66_applying_the_same_manifest_repeatedly_writes_nothing() {
    let space = TestNamespace::new("reshape").await;
    space.ready("web", json!({})).await;
    let manifest = json!({
        "apiVersion": "clientele.dev/v1alpha1", "kind": "OAuthClient",
        "metadata": { "name": "web" }, "spec": {},
    });
    let (secrets, statuses) = (writes(&space, "secrets"), writes(&space, "oauthclients"));
    let gitops = PatchParams::apply("gitops").force();
    for _ in 0..40 {
        space
            .clients()
            .patch("web", &gitops, &Patch::Apply(&manifest))
            .await
            .unwrap();
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    is_at_rest(&space).await;
    let of_web = |list: Vec<String>| -> Vec<String> {
        let other = |write: &String| !write.contains("after");
        list.into_iter().filter(other).collect()
    };
    assert_eq!(of_web(writes(&space, "secrets")), secrets);
    assert_eq!(of_web(writes(&space, "oauthclients")), statuses);
}

#[tokio::test]
async fn f66_labels_that_change_constantly_write_no_secret() {
    let space = TestNamespace::new("reshape").await;
    let before = space.ready("web", json!({})).await;
    let secret = space.secrets().get("web-oauth").await.unwrap();
    for turn in 0..40 {
        let labels: Value = json!({ "revision": turn.to_string() });
        space
            .patch("web", json!({ "metadata": { "labels": labels } }))
            .await;
    }
    is_at_rest(&space).await;
    let after = space.clients().get("web").await.unwrap();
    assert_eq!(after.status, before.status);
    eventually("the Secret was never written", || async {
        let now = space.secrets().get("web-oauth").await.unwrap();
        when(now == secret, (), || format!("{:?}", now.metadata))
    })
    .await;
}

#[tokio::test]
async fn a_template_becomes_a_whole_file_and_goes_again() {
    let space = TestNamespace::new("reshape").await;
    space.ready("web", json!({})).await;
    let before = space.entries("web-oauth").await;
    let file = r#"{"id": {{ clientId | json }}, "secret": {{ clientSecret | json }}}"#;
    let secret = json!({ "format": "Bare", "template": { "config.json": file } });
    space
        .patch("web", json!({ "spec": { "secret": secret } }))
        .await;
    space.wait_ready("web").await;
    let entries = space.entries("web-oauth").await;
    assert_eq!(entries.len(), 1, "nothing else is left");
    let config: Value = serde_json::from_str(&entries["config.json"]).unwrap();
    assert_eq!(config["id"], before["CLIENT_ID"]);
    assert_eq!(config["secret"], before["CLIENT_SECRET"]);
    space
        .patch("web", json!({ "spec": { "secret": null } }))
        .await;
    space.wait_ready("web").await;
    assert_eq!(space.entries("web-oauth").await, before);
}

#[tokio::test]
async fn only_a_provisioned_service_names_its_secret() {
    let space = TestNamespace::new("reshape").await;
    let binding = json!({ "name": "orders", "format": "ServiceBinding" });
    let object = space.ready("web", json!({ "secret": binding })).await;
    let status = object.status.unwrap();
    assert_eq!(status.binding.unwrap().name, "orders");
    let secret = space.secrets().get("orders").await.unwrap();
    assert_eq!(secret.type_.as_deref(), Some("servicebinding.io/oauth2"));
    assert_eq!(entries(&secret)["type"], "oauth2");
    let plain = space.ready("plain", json!({})).await;
    assert_eq!(plain.status.unwrap().binding, None);
    let moved =
        json!({ "spec": { "secret": { "format": "Bare", "type": "servicebinding.io/oauth2" } } });
    space.patch("web", moved).await;
    let object = space.wait_ready("web").await;
    assert_eq!(object.status.unwrap().binding, None, "without its entries");
}
