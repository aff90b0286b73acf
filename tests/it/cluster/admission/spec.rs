//! The fields of an OAuthClient, beside its redirect URIs and its Secret.

use clientele_api::OAuthClient;
use kube::Api;
use kube::api::{ApiResource, DynamicObject, PostParams};
use serde_json::{Value, json};

use super::{accepts, causes, refuses};
use crate::support::test_namespace::TestNamespace;

const RESERVED_PREFIX: &str = "must not begin with usr:, system: or fam_, which are reserved for people, for the cluster and for grants; choose another ID";
const DEFAULT_FORM: &str = "must not have the form <namespace>.<name>, which is reserved for default IDs; leave clientId away to get that form";
const ID_CHARACTERS: &str = "must consist of letters, digits, '.', '_', '~' and '-', and of ':', '/' and '@' where the tenant sets spec.customClientIds.uriCharacters";
const BOUNDS: &str = "must be at least 1s and at most 24h";
const DURATION: &str =
    "must be a duration in h, m and s, such as 10m or 1h30m; use h, m, s; 30 days is 720h";

#[tokio::test]
async fn f81_an_annotation_of_a_megabyte_is_refused() {
    let space = TestNamespace::new("admission").await;
    space.create("big", json!({})).await;
    let patch = json!({ "metadata": { "annotations": { "big": "x".repeat(1 << 20) } } });
    let answer = space.try_patch("big", patch).await.unwrap_err();
    assert_eq!(
        causes(&answer, "OAuthClient", "big")[0],
        "metadata.annotations: Too long: may not be more than 262144 bytes"
    );
}

#[tokio::test]
async fn k05_lifetimes_out_of_bounds_are_refused() {
    let table = [
        ("zero", "0s", BOUNDS),
        ("too-long", "25h", BOUNDS),
        ("two-to-the-31", "2147483648s", DURATION),
        ("sixteen", "999999h999999m", BOUNDS),
        ("negative", "-1s", DURATION),
        ("days", "30d", DURATION),
        ("no-unit", "600", DURATION),
        ("fraction", "1.5h", DURATION),
        ("empty", "", DURATION),
        ("wrong-order", "5s10m", DURATION),
    ];
    let rows = table.map(|(name, text, sentence)| {
        let spec = json!({ "lifetimes": { "accessToken": text } });
        (name, spec, "spec.lifetimes.accessToken", sentence)
    });
    refuses(&rows).await;
    let good =
        ["1s", "10m", "1h30m", "24h"].map(|text| json!({ "lifetimes": { "accessToken": text } }));
    let good: Vec<(String, Value)> = (0..).map(|i| format!("good-{i}")).zip(good).collect();
    let good: Vec<(&str, Value)> = good
        .iter()
        .map(|(name, spec)| (&**name, spec.clone()))
        .collect();
    accepts(&good).await;
}

#[tokio::test]
async fn k06_a_public_client_has_nothing_that_needs_a_secret() {
    let uri = "https://app.example.com/cb";
    refuses(&[
        (
            "client-credentials",
            json!({ "type": "Public", "redirectUris": [uri], "grantTypes": ["authorization_code", "client_credentials"] }),
            "spec",
            "a Public client has no secret and cannot use client_credentials; make it Confidential or remove the grant type",
        ),
        (
            "method",
            json!({ "type": "Public", "redirectUris": [uri], "tokenEndpointAuthMethod": "client_secret_post" }),
            "spec",
            "a Public client has no secret; remove tokenEndpointAuthMethod or make the client Confidential",
        ),
        (
            "no-redirects",
            json!({ "type": "Public" }),
            "spec",
            "a Public client needs redirectUris; a machine without people is Confidential",
        ),
        (
            "refresh-alone",
            json!({ "redirectUris": [uri], "grantTypes": ["refresh_token"] }),
            "spec",
            "refresh_token needs authorization_code beside it in grantTypes",
        ),
    ])
    .await;
}

#[tokio::test]
async fn k11_f53_f62_reserved_and_look_alike_client_ids_are_refused() {
    let table = [
        ("person", "usr:AAAA", RESERVED_PREFIX),
        ("person-upper", "USR:AAAA", RESERVED_PREFIX),
        ("family", "Fam_AAAA", RESERVED_PREFIX),
        ("system-mixed", "System:admin", RESERVED_PREFIX),
        ("default-form", "team-b.web", DEFAULT_FORM),
        ("default-form-more", "team-b.web.x", DEFAULT_FORM),
        ("system-user", "system:admin", RESERVED_PREFIX),
        ("percent", "a%3Ab", ID_CHARACTERS),
        ("query", "https://a.example?b", ID_CHARACTERS),
        ("space-after", "legacy ", ID_CHARACTERS),
        ("composed", "caf\u{e9}", ID_CHARACTERS),
        ("decomposed", "cafe\u{301}", ID_CHARACTERS),
        ("full-width", "\u{ff41}pp", ID_CHARACTERS),
        ("zero-width", "app\u{200b}", ID_CHARACTERS),
        ("backslash", "a\\b", ID_CHARACTERS),
    ];
    refuses(
        &table.map(|(name, id, sentence)| {
            (name, json!({ "clientId": id }), "spec.clientId", sentence)
        }),
    )
    .await;
}

#[tokio::test]
async fn f60_display_names_that_deceive_the_eye_are_refused() {
    const SENTENCE: &str = "must not contain control, formatting or bidirectional characters";
    let table = [
        ("newline", "a\nb"),
        ("bidi", "safe\u{202e}live"),
        ("zero-width", "Graf\u{200b}ana"),
        ("line-separator", "a\u{2028}b"),
        ("bell", "a\u{7}"),
    ];
    refuses(&table.map(|(name, text)| {
        (
            name,
            json!({ "displayName": text }),
            "spec.displayName",
            SENTENCE,
        )
    }))
    .await;
}

#[tokio::test]
async fn other_mistakes_are_answered_with_the_remedy() {
    const SCOPE: &str = "must be one scope of printable ASCII characters without space, quote and backslash; write a list with one entry for each scope";
    const URI: &str = "must be an absolute URI without a fragment, such as https://orders.example.com or urn:example:orders";
    refuses(&[
        ("scope-list", json!({ "scopes": ["openid profile"] }), "spec.scopes[0]", SCOPE),
        ("scope-quote", json!({ "scopes": ["a\"b"] }), "spec.scopes[0]", SCOPE),
        ("audience", json!({ "audiences": ["orders"] }), "spec.audiences[0]", URI),
        (
            "audience-fragment",
            json!({ "audiences": ["https://a.example/#x"] }),
            "spec.audiences[0]",
            URI,
        ),
        (
            "audience-of-the-cluster",
            json!({ "audiences": ["https://kubernetes.default.svc.cluster.local"] }),
            "spec.audiences[0]",
            "is an audience of the Kubernetes API server; a token of this server must never be one for the cluster",
        ),
        (
            "type",
            json!({ "type": "Private" }),
            "spec.type",
            r#"supported values: "Confidential", "Public""#,
        ),
        (
            "grant",
            json!({ "grantTypes": ["password"] }),
            "spec.grantTypes[0]",
            r#"supported values: "authorization_code", "refresh_token", "client_credentials""#,
        ),
        (
            &"n".repeat(64),
            json!({}),
            "<nil>",
            "the name of an OAuthClient must not be longer than 63 characters, because it is part of the client ID",
        ),
    ])
    .await;
}

#[tokio::test]
async fn k08_k09_k18_what_must_not_be_asked_for_cannot_be_expressed() {
    let table = [
        (
            "secret-ref",
            json!({ "secretRef": { "name": "x", "namespace": "kube-system" } }),
            "secretRef.namespace",
        ),
        (
            "tenant-namespace",
            json!({ "tenantNamespace": "other" }),
            "tenantNamespace",
        ),
        (
            "secret-namespace",
            json!({ "secret": { "namespace": "other" } }),
            "secret.namespace",
        ),
        (
            "jwks-uri",
            json!({ "jwksUri": "http://169.254.169.254/" }),
            "jwksUri",
        ),
        ("pkce", json!({ "pkce": "Optional" }), "pkce"),
        ("misspelled", json!({ "redirectURIs": [] }), "redirectURIs"),
    ];
    refuses(&table.map(|(name, spec, field)| {
        let sentence = format!("OAuthClient in version \"v1alpha1\" cannot be handled as a OAuthClient: strict decoding error: unknown field \"spec.{field}\"");
        (name, spec, "", &*sentence.leak())
    }))
    .await;
}

#[tokio::test]
async fn k21_f71_unknown_fields_are_pruned_and_open_nothing() {
    let space = TestNamespace::new("admission").await;
    let kind = ApiResource::erase::<OAuthClient>(&());
    let api: Api<DynamicObject> = Api::namespaced_with(space.kube.clone(), &space.name, &kind);
    // Without strict validation, as a client of an older or newer version would send it.
    let object = DynamicObject::new("old", &kind).data(json!({
        "spec": { "firstparty": true, "secretReference": { "name": "x" }, "firstParty": null },
    }));
    api.create(&PostParams::default(), &object).await.unwrap();
    assert!(!space.wait_ready("old").await.spec.first_party);
    assert_eq!(
        api.get("old").await.unwrap().data["spec"],
        json!({ "tenant": "default", "type": "Confidential", "deletionPolicy": "Delete" })
    );
}
