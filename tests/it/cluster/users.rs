//! OAuthUsers: who can sign in, and what says so.

mod conflicts;
mod ending;
mod passwords;
mod places;

use serde_json::json;

use crate::support::cluster::shared;
use crate::support::replica::Replica;
use crate::support::test_namespace::TestNamespace;
use crate::support::users::user_message;

#[tokio::test]
async fn a_person_can_sign_in_a_moment_after_the_manifest() {
    let space = TestNamespace::new("people").await;
    space.label_for_people().await;
    space.write_password("anna-password", "correct horse").await;
    space
        .create_user(
            "anna",
            json!({
                "username": format!("anna@{}", space.name), "name": "Anna Example", "email": "anna@example.com",
                "emailVerified": true, "groups": ["staff"], "claims": { "locale": "de", "address": { "country": "CH" } },
                "passwordSecretRef": { "name": "anna-password" },
            }),
        )
        .await;
    let user = space.enrolled("anna").await;
    let status = user.status.clone().unwrap();
    let subject = status.subject.unwrap();
    assert!(subject.starts_with("usr:"), "{subject}");
    assert_eq!(status.sessions_valid_from, None);
    assert_eq!(
        user_message(&user),
        format!(
            "anna@{} can sign in to clients of OAuthTenant default",
            space.name
        )
    );

    let replica = Replica::start().await;
    let typed = format!("Anna@{}", space.name.to_uppercase());
    let person = replica.person("default", &typed).unwrap();
    assert_eq!(*person.subject, *subject);
    assert_eq!(*person.uid, *user.metadata.uid.unwrap());
    assert_eq!(*person.groups, ["staff".into()]);
    assert_eq!(person.claims["address"]["country"], "CH");
    assert_eq!(person.claims["email_verified"], true);
    let hash = person.password.as_ref();
    assert!(clientele_oauth::user::password::verify(
        hash,
        "correct horse"
    ));
    assert!(!clientele_oauth::user::password::verify(
        hash,
        "battery staple"
    ));
    replica.stop().await;

    let table = shared()
        .cluster
        .kubectl(&["get", "oau", "--namespace", &space.name, "--output", "wide"])
        .unwrap();
    for part in [
        "USERNAME",
        "TENANT",
        "READY",
        "REASON",
        "SUBJECT",
        "anna@example.com",
        &subject,
    ] {
        assert!(table.contains(part), "{part}:\n{table}");
    }
}

#[tokio::test]
async fn a_user_without_a_password_is_known_and_cannot_use_one() {
    let space = TestNamespace::new("people").await;
    let tenant = space.tenant_with_people(json!({})).await;
    let spec = json!({ "tenant": tenant, "username": "anna" });
    space.create_user("anna", spec).await;
    let user = space.enrolled("anna").await;
    assert!(user_message(&user).contains("cannot sign in with a password"));
    let replica = Replica::start().await;
    assert_eq!(replica.person(&tenant, "anna").unwrap().password, None);
    replica.stop().await;
}

#[tokio::test]
async fn what_a_tenant_says_about_people_is_served() {
    let space = TestNamespace::new("people").await;
    let tenant = space
        .tenant_with_people(json!({
            "displayName": "Orders",
            "branding": { "logo": "data:image/svg+xml;base64,PHN2Zy8+", "color": "#1a73e8" },
            "session": { "idle": "1h", "absolute": "12h" },
            "scopes": [{ "name": "department", "description": "Your department", "claims": ["department"] }],
            "audiences": [{ "uri": "https://orders.example", "introspectors": [format!("{}.api", space.name)] }],
            "signing": { "algorithm": "EdDSA" },
        }))
        .await;
    let uid = space
        .tenants()
        .get(&tenant)
        .await
        .unwrap()
        .metadata
        .uid
        .unwrap();
    let replica = Replica::start().await;
    let served = replica.tenant(&tenant);
    assert_eq!(*served.uid, *uid);
    assert_eq!(served.display_name(), "Orders");
    assert_eq!(served.branding.color.as_deref(), Some("#1a73e8"));
    assert!(served.branding.logo.is_some());
    assert_eq!(served.session.idle.as_secs(), 3600);
    assert_eq!(served.session.absolute.as_secs(), 12 * 3600);
    assert_eq!(*served.scopes[0].claims, ["department".into()]);
    assert_eq!(
        served.scopes[0].description.as_deref(),
        Some("Your department")
    );
    assert_eq!(served.introspectors["https://orders.example"].len(), 1);
    assert_eq!(served.access_token_algorithm.as_str(), "EdDSA");
    replica.stop().await;
}
