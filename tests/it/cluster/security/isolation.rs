//! Two teams with the same names never meet.

mod hostile;

use std::collections::BTreeSet;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use clientele_api::crd::definitions;
use k8s_openapi::api::core::v1::Namespace;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, JSONSchemaProps, JSONSchemaPropsOrArray,
};
use kube::Api;
use kube::api::{DeleteParams, PostParams};
use serde_json::{Value, json};

use crate::support::cluster::shared;
use crate::support::person::{bearer, sentence};
use crate::support::test_namespace::{TestNamespace, eventually};

/// The claims of a token, as anybody who holds it can read them.
fn claims(token: &Value) -> Value {
    let token = token["access_token"].as_str().unwrap();
    let payload = BASE64_URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap());
    serde_json::from_slice(&payload.unwrap()).unwrap()
}

async fn two_teams() -> (TestNamespace, TestNamespace) {
    let (a, b) = (
        TestNamespace::new("team").await,
        TestNamespace::new("team").await,
    );
    for space in [&a, &b] {
        space.ready("web", json!({})).await;
    }
    (a, b)
}

#[tokio::test]
async fn credentials_of_one_namespace_are_refused_for_the_other() {
    let (a, b) = two_teams().await;
    let (of_a, of_b) = (a.entries("web-oauth").await, b.entries("web-oauth").await);
    assert_eq!(of_a["CLIENT_ID"], format!("{}.web", a.name));
    assert_eq!(of_b["CLIENT_ID"], format!("{}.web", b.name));
    assert_ne!(of_a["CLIENT_SECRET"], of_b["CLIENT_SECRET"]);
    for (id, secret, expected) in [
        (&of_a, &of_a, 200),
        (&of_b, &of_b, 200),
        (&of_a, &of_b, 401),
        (&of_b, &of_a, 401),
    ] {
        let (id, secret) = (&id["CLIENT_ID"], &secret["CLIENT_SECRET"]);
        let (code, body) = a.token_from(&a.issuer, id, secret, &[]).await;
        assert_eq!(code, expected, "{id}: {body}");
    }
}

#[tokio::test]
async fn credentials_of_one_tenant_are_refused_by_the_other() {
    let space = TestNamespace::new("tenants").await;
    let tenant = space.tenant(json!({})).await;
    space.ready("here", json!({})).await;
    space.ready("there", json!({ "tenant": tenant })).await;
    let (here, there) = (
        space.entries("here-oauth").await,
        space.entries("there-oauth").await,
    );
    assert_ne!(here["ISSUER"], there["ISSUER"]);
    for (issuer, credentials) in [(&here["ISSUER"], &there), (&there["ISSUER"], &here)] {
        let (id, secret) = (&credentials["CLIENT_ID"], &credentials["CLIENT_SECRET"]);
        let (code, body) = space.token_from(issuer, id, secret, &[]).await;
        assert_eq!((code, &body["error"]), (401, &json!("invalid_client")));
    }
}

#[tokio::test]
async fn deleting_one_leaves_the_other() {
    let (a, b) = two_teams().await;
    let before = b.secrets().get("web-oauth").await.unwrap();
    a.delete("web").await;
    assert_eq!(b.token("web-oauth").await.0, 200);
    assert_eq!(b.secrets().get("web-oauth").await.unwrap(), before);
}

#[tokio::test]
async fn f37_a_secret_is_owned_by_the_client_of_its_own_namespace() {
    let (a, b) = two_teams().await;
    for space in [&a, &b] {
        let client = space.clients().get("web").await.unwrap();
        let secret = space.secrets().get("web-oauth").await.unwrap();
        let owners = secret.metadata.owner_references.unwrap();
        assert_eq!(owners.len(), 1);
        assert_eq!(Some(&owners[0].uid), client.metadata.uid.as_ref());
        assert_eq!(owners[0].block_owner_deletion, Some(false));
    }
}

#[tokio::test]
async fn f54_a_machine_subject_means_nothing_to_the_cluster() {
    let space = TestNamespace::new("subject").await;
    space.ready("web", json!({})).await;
    let (_, token) = space.token("web-oauth").await;
    let claims = claims(&token);
    let id = format!("{}.web", space.name);
    assert_eq!(claims["sub"], id);
    assert_eq!(claims["client_id"], id);
    assert_eq!(claims["aud"], space.issuer);

    // To a real API server the token is no user, not even an anonymous one.
    let token = token["access_token"].as_str().unwrap();
    let unknown = bearer(&shared().cluster, token).await;
    assert_eq!(
        sentence(unknown.apiserver_version().await).unwrap_err(),
        "Unauthorized"
    );
}

#[tokio::test]
async fn f55_an_audience_of_another_namespace_is_refused() {
    let (a, b) = (
        TestNamespace::new("audience").await,
        TestNamespace::new("audience").await,
    );
    let orders = "https://orders.example.com";
    let tenant = a
        .tenant(json!({ "audiences": [{ "uri": orders, "namespaces": a.selector() }] }))
        .await;
    let spec = json!({ "tenant": tenant, "audiences": [orders] });
    a.ready("web", spec.clone()).await;
    let (_, token) = a.token("web-oauth").await;
    assert_eq!(claims(&token)["aud"], orders);

    b.create("web", spec).await;
    let said = b.refused("web", "AudienceNotAllowed", orders).await;
    // Who may not have it need not know that it exists.
    let unknown = "https://unknown.example.com";
    b.create("guess", json!({ "tenant": tenant, "audiences": [unknown] }))
        .await;
    let guess = b.refused("guess", "AudienceNotAllowed", unknown).await;
    assert_eq!(guess.replace(unknown, orders), said);

    b.ready("plain", json!({ "tenant": tenant })).await;
    let entries = b.entries("plain-oauth").await;
    let (id, secret) = (&entries["CLIENT_ID"], &entries["CLIENT_SECRET"]);
    let asked = [("resource", orders)];
    let (code, body) = b.token_from(&entries["ISSUER"], id, secret, &asked).await;
    assert_eq!((code, &body["error"]), (400, &json!("invalid_target")));
}

/// The paths of all fields below a schema.
fn fields(schema: &JSONSchemaProps, path: &str, found: &mut BTreeSet<String>) {
    for (name, property) in schema.properties.iter().flatten() {
        let path = format!("{path}.{name}");
        fields(property, &path, found);
        found.insert(path);
    }
    if let Some(JSONSchemaPropsOrArray::Schema(items)) = &schema.items {
        fields(items, path, found);
    }
}

#[test]
fn f61_no_field_names_a_namespace_or_an_address_to_fetch() {
    let [client, _, user] = definitions();
    // URIs are only compared; one is the name of an entry of the Secret; "refreshToken" holds "ref".
    assert_eq!(
        suspicious(&client, "spec.secret.entries.clientSecret"),
        [
            "spec.lifetimes.refreshToken",
            "spec.lifetimes.refreshTokenIdle",
            "spec.postLogoutRedirectUris",
            "spec.redirectUris",
            "spec.secret.entries.jwksUri",
            // A name and two keys, and nothing else.
            "spec.secretRef",
        ]
    );
    // A reference has a name and a key, and nothing else; "preferred" holds "ref", and the claim cannot be written.
    assert_eq!(
        suspicious(&user, "spec.passwordSecretRef.key"),
        ["spec.claims.preferred_username", "spec.passwordSecretRef"]
    );
}

/// The fields of a spec whose names sound as if they led elsewhere. `known` is one that must be among all fields.
fn suspicious(definition: &CustomResourceDefinition, known: &str) -> Vec<String> {
    let schema = definition.spec.versions[0].schema.as_ref().unwrap();
    let schema = schema.open_api_v3_schema.as_ref().unwrap();
    let mut found = BTreeSet::new();
    let spec = &schema.properties.as_ref().unwrap()["spec"];
    fields(spec, "spec", &mut found);
    assert!(found.contains(known), "{found:?}");
    found.retain(|path| {
        let last = path.rsplit('.').next().unwrap().to_ascii_lowercase();
        let names_elsewhere = ["namespace", "ref", "selector", "url"]
            .iter()
            .any(|word| last.contains(word));
        names_elsewhere || last.ends_with("uri") || last.ends_with("uris")
    });
    found.into_iter().collect()
}

/// The documented default, until the tenant limits it (`redirectHosts`): codes go only to whom the client registered, and
/// the consent page names the host, so a foreign host in one's own list harms only its own client.
#[tokio::test]
async fn f56_a_redirect_host_is_free_unless_the_tenant_assigns_it() {
    let (a, b) = (
        TestNamespace::new("host").await,
        TestNamespace::new("host").await,
    );
    let spec = json!({ "redirectUris": ["https://shop.example/callback"] });
    a.ready("web", spec.clone()).await;
    b.ready("web", spec).await;
}

#[tokio::test]
async fn f59_a_namespace_made_anew_by_another_team_inherits_nothing() {
    let first = TestNamespace::new("reborn").await;
    first.ready("web", json!({})).await;
    let old = first.entries("web-oauth").await;
    let namespaces: Api<Namespace> = Api::all(first.kube.clone());
    let only = DeleteParams::default();
    namespaces.delete(&first.name, &only).await.unwrap();
    eventually("the namespace was deleted", || async {
        match namespaces.get_opt(&first.name).await {
            Ok(None) => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;

    let again = serde_json::from_value(json!({ "metadata": { "name": first.name } })).unwrap();
    let params = PostParams::default();
    namespaces.create(&params, &again).await.unwrap();
    first.ready("web", json!({})).await;
    let new = first.entries("web-oauth").await;
    assert_eq!(old["CLIENT_ID"], new["CLIENT_ID"]);
    assert_ne!(old["CLIENT_SECRET"], new["CLIENT_SECRET"]);
    let (id, secret) = (&old["CLIENT_ID"], &old["CLIENT_SECRET"]);
    let (code, body) = first.token_from(&first.issuer, id, secret, &[]).await;
    assert_eq!((code, &body["error"]), (401, &json!("invalid_client")));
    assert_eq!(first.token("web-oauth").await.0, 200);
}
