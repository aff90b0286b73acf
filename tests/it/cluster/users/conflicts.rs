//! Names that only one may have.

use serde_json::json;

use crate::support::replica::Replica;
use crate::support::test_namespace::{TestNamespace, eventually, when};

#[tokio::test]
async fn the_first_to_claim_a_username_has_it_a_loser_never() {
    let space = TestNamespace::new("names").await;
    let tenant = space.tenant_with_people(json!({})).await;
    let spec = json!({ "tenant": tenant, "username": "anna" });
    space.create_user("first", spec.clone()).await;
    let first = space.enrolled("first").await;
    space.create_user("second", spec.clone()).await;
    let said = space.not_enrolled("second", "UsernameConflict").await;
    assert!(
        said.contains(&format!("OAuthUser {}/first", space.name)),
        "{said}"
    );

    // A look by another replica, or after a restart, changes nothing.
    let replica = Replica::start().await;
    let person = replica.person(&tenant, "anna").unwrap();
    assert_eq!(*person.uid, *first.metadata.uid.unwrap());

    let delete = kube::api::DeleteParams::default();
    let _ = space.users().delete("first", &delete).await.unwrap();
    replica
        .wait_person(&tenant, "anna", "the name is free", |person| {
            person.is_none()
        })
        .await;
    space
        .wait_user("second", "it knows that the first was deleted", |user| {
            crate::support::users::user_message(user).contains("has since been deleted")
        })
        .await;
    space.patch_user("second", json!({ "name": "Anna" })).await;
    space.enrolled("second").await;
    replica.stop().await;
}

#[tokio::test]
async fn a_renamed_person_cannot_take_the_name_of_another() {
    let space = TestNamespace::new("names").await;
    let tenant = space.tenant_with_people(json!({})).await;
    let named = |name: &str| json!({ "tenant": tenant, "username": name });
    space.create_user("anna", named("anna")).await;
    let subject = space.enrolled("anna").await.status.unwrap().subject;
    space.create_user("bert", named("bert")).await;
    space.enrolled("bert").await;
    space
        .patch_user("anna", json!({ "username": "bert" }))
        .await;
    space.not_enrolled("anna", "UsernameConflict").await;
    space.enrolled("bert").await;
    space
        .patch_user("anna", json!({ "username": "annabelle" }))
        .await;
    let renamed = space.enrolled("anna").await.status.unwrap();
    assert_eq!(renamed.subject, subject, "the person is the same");
    assert_eq!(renamed.username.as_deref(), Some("annabelle"));
}

#[tokio::test]
async fn k11_g03_a_subject_is_nobody_elses_and_no_client_id() {
    let space = TestNamespace::new("names").await;
    let custom = json!({ "customClientIds": { "namespaces": space.selector() } });
    let tenant = space.tenant_with_people(custom).await;
    let person = |name: &str, subject: &str| json!({ "tenant": tenant, "username": name, "subject": subject });
    // The name space is the installation's, which other tests share.
    let (brought, legacy) = (
        format!("b7e0-{}", space.name),
        format!("legacy-{}", space.name),
    );
    space.create_user("anna", person("anna", &brought)).await;
    let status = space.enrolled("anna").await.status.unwrap();
    assert_eq!(status.subject.as_deref(), Some(&*brought));
    space.create_user("bert", person("bert", &brought)).await;
    let said = space.not_enrolled("bert", "SubjectConflict").await;
    assert!(
        said.contains(&format!("OAuthUser {}/anna", space.name)),
        "{said}"
    );

    let client = |id: &str| json!({ "tenant": tenant, "clientId": id });
    space.create("taken", client(&brought)).await;
    let said = space.wait_refused("taken", "ClientIdConflict").await;
    assert!(
        said.contains(&format!("OAuthUser {}/anna", space.name)),
        "{said}"
    );
    space.ready("legacy", client(&legacy)).await;
    space.create_user("carl", person("carl", &legacy)).await;
    let said = space.not_enrolled("carl", "SubjectConflict").await;
    assert!(
        said.contains(&format!("OAuthClient {}/legacy", space.name)),
        "{said}"
    );
}

#[tokio::test]
async fn k11_no_value_is_a_client_and_an_audience_in_any_two_tenants() {
    let (one, other) = (
        TestNamespace::new("names").await,
        TestNamespace::new("names").await,
    );
    let uri = |name: &str| format!("https://{}.example/{name}", one.name);
    let custom = json!({ "customClientIds": { "namespaces": {}, "uriCharacters": true } });
    let declares = |uris: &[&str]| {
        let audiences: Vec<_> = uris
            .iter()
            .map(|name| json!({ "uri": uri(name) }))
            .collect();
        json!({ "audiences": audiences })
    };
    let tenant = one.tenant_with_people(custom).await;
    let apis = other.tenant(declares(&["a"])).await;
    let reason = async |reason: &'static str| {
        eventually("the tenant says why it is ready or not", || async {
            let tenant = other
                .tenants()
                .get(&apis)
                .await
                .map_err(|e| e.to_string())?;
            let mut conditions = tenant.status.iter().flat_map(|status| &status.conditions);
            let ready = conditions
                .find(|condition| condition.type_ == "Ready")
                .cloned();
            let ready = ready.ok_or("no condition")?;
            let message = ready.message.to_string();
            when(ready.reason == reason, message.clone(), || message)
        })
        .await
    };
    reason("Available").await;
    // A later object is refused, in whatever spelling.
    let spelled = uri("%61")
        .replace("https", "HTTPS")
        .replace(".example", ".example:443");
    let person = json!({ "tenant": tenant, "username": "anna", "subject": spelled });
    one.create_user("anna", person).await;
    let said = one.not_enrolled("anna", "SubjectConflict").await;
    assert!(said.contains(&format!("OAuthTenant {apis}")), "{said}");
    one.create("a", json!({ "tenant": tenant, "clientId": uri("a") }))
        .await;
    let said = one.wait_refused("a", "ClientIdConflict").await;
    assert!(said.contains(&format!("OAuthTenant {apis}")), "{said}");
    // And an audience that comes later is refused by itself: the others are served.
    one.ready("b", json!({ "tenant": tenant, "clientId": uri("b") }))
        .await;
    other.patch_tenant(&declares(&["a", "b"])).await;
    let said = reason("AudienceConflict").await;
    assert!(
        said.contains(&format!("OAuthClient {}/b", one.name)),
        "{said}"
    );
    let asks = |name: &str| json!({ "tenant": apis, "audiences": [uri(name)] });
    other.ready("asks-a", asks("a")).await;
    other.create("asks-b", asks("b")).await;
    other.wait_refused("asks-b", "AudienceNotAllowed").await;
    one.delete("b").await;
    reason("Available").await;
    other.wait_ready("asks-b").await;
}

#[tokio::test]
async fn who_may_not_have_a_name_does_not_keep_others_from_it() {
    let (outside, inside) = (
        TestNamespace::new("names").await,
        TestNamespace::new("names").await,
    );
    let custom = json!({ "customClientIds": { "namespaces": inside.selector() } });
    let tenant = inside.tenant_with_people(custom).await;
    let spec = json!({ "tenant": tenant, "username": "anna", "subject": "b7e0" });
    outside.create_user("squatter", spec.clone()).await;
    outside
        .not_enrolled("squatter", "NamespaceNotAllowed")
        .await;
    inside.create_user("anna", spec).await;
    inside.enrolled("anna").await;
    let client = json!({ "tenant": tenant, "clientId": "legacy" });
    outside.create("squatter", client.clone()).await;
    outside
        .wait_refused("squatter", "CustomClientIdNotAllowed")
        .await;
    inside.ready("legacy", client).await;
}
