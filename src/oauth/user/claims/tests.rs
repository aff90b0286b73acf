use serde_json::json;

use super::*;
use crate::tenant::Scope;
use crate::user::testing::user;

fn tenant() -> Tenant {
    let scope = |name: &str, claims: &[&str]| Scope {
        name: name.into(),
        description: None,
        claims: claims.iter().map(|&claim| claim.into()).collect(),
    };
    Tenant {
        scopes: [
            scope("staff", &["department", "sub", "iss", "exp"]),
            scope("orders.read", &[]),
        ]
        .into(),
        ..Tenant::new("t".into(), "uid".into(), "https://id.example".into())
    }
}

fn named(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

fn told(scopes: &str, individually: &[&str]) -> Value {
    about(&user(), &tenant(), scopes, &named(individually)).into()
}

#[test]
fn each_scope_tells_what_it_promises_and_nothing_else() {
    assert_eq!(told("openid orders.read unknown", &[]), json!({}));
    assert_eq!(told("openid profile", &[]), json!({"name": "Alice"}));
    assert_eq!(
        told("email", &[]),
        json!({"email": "alice@example.com", "email_verified": true})
    );
    assert_eq!(told("staff", &[]), json!({"department": "bees"}));
}

#[test]
fn a_claim_can_be_asked_for_by_name() {
    assert_eq!(told("openid", &["name"]), json!({"name": "Alice"}));
    assert_eq!(told("openid", &["unknown", ""]), json!({}));
}

#[test]
fn groups_of_a_cluster_never_leave() {
    let user = user();
    assert!(user.groups.iter().any(|group| group.starts_with("system:")));
    assert_eq!(told("groups", &[]), json!({"groups": ["staff"]}));
    assert_eq!(told("", &["groups"]), json!({"groups": ["staff"]}));
}

#[test]
fn b32_a_claim_of_the_protocol_is_never_told_whoever_asks() {
    let mut user = user();
    for name in OF_THE_PROTOCOL {
        user.claims.insert(name.to_owned(), json!("forged"));
    }
    let told = about(&user, &tenant(), "openid staff", &named(&OF_THE_PROTOCOL));
    assert_eq!(Value::from(told), json!({"department": "bees"}));
}

#[test]
fn a_client_gets_by_name_only_what_a_scope_of_its_own_promises() {
    let mut client = crate::client::testing::client();
    client.scopes = ["openid", "email"].map(Into::into).into();
    let allowed = allowed_to(&client, &tenant(), &named(&["email", "name", "department"]));
    assert_eq!(allowed, named(&["email"]));
}

#[test]
fn what_is_supported_names_each_claim_once() {
    let tenant = tenant();
    let claims = supported(&tenant);
    assert!(claims.contains(&"department") && claims.contains(&"groups"));
    assert!(!claims.contains(&"sub"));
    assert_eq!(claims.iter().collect::<BTreeSet<_>>().len(), claims.len());
}
