//! `OAuthUser`.

use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};

use super::{blames, causes};
use crate::support::person::sentence;
use crate::support::test_namespace::TestNamespace;

/// A person with one more field.
fn with(field: &str, value: Value) -> Value {
    let mut spec = json!({ "username": "anna" });
    spec[field] = value;
    spec
}

#[tokio::test]
async fn a_person_with_everything_is_accepted() {
    let space = TestNamespace::new("admission").await;
    let everything = json!({
        "tenant": "other", "username": "anna.example+test@example.com", "email": "anna@bücher.example", "emailVerified": true,
        "name": "Änna Example-O'Brien", "groups": ["staff", "team-a:admins"],
        "claims": { "locale": "de", "address": { "country": "CH" }, "roles": ["a", "b"], "updated_at": 1_700_000_000, "vip": false },
        "subject": "auth0|5f7c8ec7c33c6c004bbafe82",
        "passwordSecretRef": { "name": "anna.password", "key": "pass_word-1.txt" },
        "disabled": true,
    });
    let stored = space.create_user("everything", everything).await;
    assert_eq!(stored.spec.claims["address"]["country"], "CH");
    let least = space
        .create_user("least", with("passwordSecretRef", json!({ "name": "p" })))
        .await;
    assert_eq!(least.spec.tenant, "default");
    assert_eq!(least.spec.password_secret_ref.unwrap().key, "password");
}

#[tokio::test]
async fn mistakes_about_a_person_are_answered_with_the_remedy() {
    const USERNAME: &str = "must consist of lower case letters, digits, '.', '_', '@', '+' and '-', and begin and end with a letter or digit";
    const SUBJECT: &str = "must not have the form <namespace>.<name>, which is the form of client IDs; no person may be taken for a client";
    const GROUP: &str =
        "is reserved, because Kubernetes gives groups that begin with system: a meaning of its own";
    const FIELD: &str = "must not contain claims that have a field of their own: email, emailVerified, groups, name and username of the spec";
    const EMAIL: &str = "must be an email address, such as alice@example.com";
    let username = |name: &str| json!({ "username": name });
    let subject = |subject: &str| with("subject", json!(subject));
    let claim = |name: &str, value: Value| with("claims", json!({ name: value }));
    let protocol = format!(
        "must not contain claims of the protocol, which are not attributes of a person: {}",
        clientele_api::schema::PROTOCOL_CLAIMS.join(", ")
    );
    let table = [
        ("upper", username("Anna"), "spec.username", USERNAME),
        ("space", username("anna b"), "spec.username", USERNAME),
        ("edge", username("anna."), "spec.username", USERNAME),
        ("foreign", username("änna"), "spec.username", USERNAME),
        ("without", json!({}), "spec.username", "Required value"),
        ("email", with("email", json!("anna")), "spec.email", EMAIL),
        (
            "email-space",
            with("email", json!("a b@c")),
            "spec.email",
            EMAIL,
        ),
        (
            "name",
            with("name", json!("a\u{202e}b")),
            "spec.name",
            "must not contain control, formatting or bidirectional characters",
        ),
        (
            "group",
            with("groups", json!(["system:masters"])),
            "spec.groups[0]",
            GROUP,
        ),
        (
            "subject-form",
            subject("team-a.web"),
            "spec.subject",
            SUBJECT,
        ),
        (
            "subject-cluster",
            subject("system:admin"),
            "spec.subject",
            "must not begin with usr:, system: or fam_, which are reserved",
        ),
        (
            "subject-space",
            subject("a b"),
            "spec.subject",
            "must consist of printable ASCII characters without spaces",
        ),
        (
            "claim-iss",
            claim("iss", json!("https://evil.example")),
            "spec.claims",
            &protocol,
        ),
        (
            "claim-exp",
            claim("exp", json!(9_999_999_999_i64)),
            "spec.claims",
            &protocol,
        ),
        (
            "claim-client",
            claim("client_id", json!("x")),
            "spec.claims",
            &protocol,
        ),
        (
            "claim-groups",
            claim("groups", json!("x")),
            "spec.claims",
            FIELD,
        ),
        (
            "claim-email",
            claim("email", json!("x")),
            "spec.claims",
            FIELD,
        ),
        (
            "claim-type",
            claim("given_name", json!(7)),
            "spec.claims.given_name",
            r#"spec.claims.given_name in body must be of type string: "integer""#,
        ),
        (
            "claim-date",
            claim("birthdate", json!("31.12.1990")),
            "spec.claims.birthdate",
            "must be a date as YYYY-MM-DD, with the year 0000 if it is unknown, or a year as YYYY",
        ),
        (
            "secret",
            with("passwordSecretRef", json!({ "name": "../x" })),
            "spec.passwordSecretRef.name",
            "must be the name of a Secret in the same namespace",
        ),
    ];
    let space = TestNamespace::new("admission").await;
    for (name, spec, field, sentence) in table {
        let answer = space.try_create_user(name, spec).await;
        let answer = answer.expect_err(&format!("{name} was accepted"));
        let causes = causes(&answer, "OAuthUser", name);
        // The sentence with the list of claims has commas of its own.
        let blamed = causes.iter().any(|cause| blames(cause, field, sentence));
        assert!(
            blamed || field == "spec.username" && answer.contains(sentence),
            "{name}: {answer}"
        );
    }
}

#[tokio::test]
async fn k09_a_claim_of_the_protocol_is_refused_whatever_its_value() {
    let space = TestNamespace::new("admission").await;
    for value in [json!(["a"]), json!({ "a": 1 }), json!(true), json!(1.5)] {
        let spec = with("claims", json!({ "aud": value }));
        let answer = space.try_create_user("anna", spec).await.unwrap_err();
        assert!(answer.contains("spec.claims"), "{answer}");
    }
    let spec = with(
        "passwordSecretRef",
        json!({ "name": "p", "namespace": "kube-system" }),
    );
    let answer = space.try_create_user("anna", spec).await.unwrap_err();
    assert!(
        answer.contains(r#"unknown field "spec.passwordSecretRef.namespace""#),
        "{answer}"
    );
}

#[tokio::test]
async fn k07_tenant_and_subject_cannot_be_changed() {
    const TENANT: &str =
        "tenant cannot be changed; delete the OAuthUser and create it again in the other tenant";
    const SUBJECT: &str = "subject cannot be changed, because applications know the person by it; delete the OAuthUser and create it again with the other subject";
    let space = TestNamespace::new("admission").await;
    let table = [
        (
            "tenant",
            json!({ "username": "a" }),
            json!({ "tenant": "other" }),
            TENANT,
        ),
        (
            "set",
            json!({ "username": "a" }),
            json!({ "subject": "b7e0" }),
            SUBJECT,
        ),
        (
            "change",
            json!({ "username": "a", "subject": "b7e0" }),
            json!({ "subject": "c3f1" }),
            SUBJECT,
        ),
        (
            "remove",
            json!({ "username": "a", "subject": "b7e0" }),
            json!({ "subject": null }),
            SUBJECT,
        ),
    ];
    for (name, spec, patch, expected) in table {
        space.create_user(name, spec).await;
        let patch = Patch::Merge(json!({ "spec": patch }));
        let params = PatchParams::default();
        let answer = sentence(space.users().patch(name, &params, &patch).await);
        let answer = answer.expect_err(name);
        assert!(answer.contains(expected), "{name}: {answer}");
    }
}
