use crate::cache::objects::Objects;
use std::collections::BTreeMap;

use clientele_api::OAuthClient;
use clientele_oauth::Client;
use clientele_oauth::client::external_secret;
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use serde_json::{Value, json};

use crate::cache::client_secrets::ClientSecretIndex;
use crate::cache::namespace_access::Access;
use crate::domain::client::identity::ClientObject;
use crate::domain::client::secret::DesiredSecret;
use crate::domain::client::secret_ref::Found;
use crate::domain::client::validate::{ClientInputs, validate_client};
use crate::domain::reason::{Reason, Refusal};
use crate::tests::{generous, keyring, namespace, object};

const VALUE: &str = "correct horse battery staple 0123456789";
const BEFORE: &str = "another horse battery staple 0123456789";

fn secret(entries: &[(&str, &str)]) -> Secret {
    let mut secret = Secret::default();
    secret.metadata.namespace = Some("team-a".into());
    secret.metadata.name = Some("mine".into());
    let entries = entries.iter();
    let data = entries.map(|(key, value)| ((*key).to_owned(), ByteString(value.as_bytes().into())));
    secret.data = Some(data.collect::<BTreeMap<_, _>>());
    secret
}

fn index(entries: &[(&str, &str)]) -> ClientSecretIndex {
    let index = ClientSecretIndex::new(&[5; 32]);
    index.put(&secret(entries));
    index.set_access(None, Access::Granted);
    index
}

fn bringing(more: &Value) -> OAuthClient {
    let mut spec = json!({ "secretRef": { "name": "mine" } });
    for (key, value) in more.as_object().unwrap() {
        spec[key] = value.clone();
    }
    object("web", spec)
}

fn registered(object: &OAuthClient, index: &ClientSecretIndex) -> Result<Client, Refusal> {
    let looked = index.look(object);
    let tenant = generous();
    let around = ClientInputs {
        tenant: Some(&tenant),
        namespace: &namespace("team-a"),
        id_holder: None,
        external_secret: looked.as_ref(),
    };
    validate_client(&ClientObject::parse(object), around)
}

fn accepts(client: &Client, presented: &str) -> bool {
    external_secret::verify(client.external_secret.as_deref(), &keyring(), presented)
}

#[test]
fn a_value_that_is_brought_is_accepted_and_copied_nowhere() {
    let object = bringing(&json!({}));
    let client = registered(&object, &index(&[("client-secret", VALUE)])).unwrap();
    assert!(accepts(&client, VALUE) && !accepts(&client, BEFORE));
    let desired = DesiredSecret::new(
        &ClientObject::parse(&object),
        &client,
        "https://id.example",
        &keyring(),
    );
    let names: Vec<&String> = desired.data.keys().collect();
    assert_eq!(
        names,
        [
            "AUTHORIZATION_ENDPOINT",
            "CLIENT_ID",
            "ISSUER",
            "JWKS_URI",
            "TOKEN_ENDPOINT"
        ]
    );
    let holds = |value: &ByteString| String::from_utf8_lossy(&value.0).contains(VALUE);
    assert!(!desired.data.values().any(holds));
}

#[test]
fn the_previous_value_overlaps_as_long_as_its_entry_is_there() {
    let reference = json!({ "name": "mine", "key": "now", "previousKey": "before" });
    let object = bringing(&json!({ "secretRef": reference }));
    let both = index(&[("now", VALUE), ("before", BEFORE)]);
    let client = registered(&object, &both).unwrap();
    assert!(accepts(&client, VALUE) && accepts(&client, BEFORE));
    both.put(&secret(&[("now", VALUE)]));
    let client = registered(&object, &both).unwrap();
    assert!(accepts(&client, VALUE) && !accepts(&client, BEFORE));
    both.put(&secret(&[("now", VALUE), ("before", "")]));
    assert!(registered(&object, &both).is_ok(), "an empty entry is none");
    both.put(&secret(&[("now", VALUE), ("before", "short")]));
    let refusal = registered(&object, &both).unwrap_err();
    assert_eq!(refusal.reason, Reason::SecretInvalid);
    assert!(
        refusal.message.contains(r#"entry "before""#),
        "{}",
        refusal.message
    );
}

#[test]
fn k09_d14_what_is_missing_empty_or_short_is_refused_and_nothing_takes_its_place() {
    let object = bringing(&json!({}));
    let long = VALUE.repeat(10);
    for value in [
        "",
        "\n",
        "brief-1",
        "abababababababababababababababababab",
        &long,
    ] {
        let refusal = registered(&object, &index(&[("client-secret", value)])).unwrap_err();
        assert_eq!(refusal.reason, Reason::SecretInvalid, "{value:?}");
        let quoted = value.len() > 4 && refusal.message.contains(value);
        assert!(!quoted, "{}", refusal.message);
    }
    let refusal = registered(&object, &index(&[("other", VALUE)])).unwrap_err();
    assert_eq!(refusal.reason, Reason::SecretInvalid);
    let index = index(&[("client-secret", VALUE)]);
    index.forget("team-a", "mine");
    let refusal = registered(&object, &index).unwrap_err();
    assert_eq!(refusal.reason, Reason::SecretNotFound);
    let command = "kubectl -n team-a create secret generic mine --type=clientele.dev/client-secret --from-file=client-secret=/dev/stdin";
    assert!(refusal.message.contains(command), "{}", refusal.message);
}

#[test]
fn what_was_not_looked_at_is_told_from_what_is_missing() {
    let object = bringing(&json!({}));
    let index = ClientSecretIndex::new(&[5; 32]);
    assert_eq!(
        registered(&object, &index).unwrap_err().reason,
        Reason::SecretPending
    );
    let bringing = Objects::of_a_test(object.clone());
    assert!(!index.is_settled(&bringing));
    index.set_access(Some("team-b"), Access::Granted);
    assert!(!index.is_settled(&bringing));
    index.set_access(Some("team-a"), Access::Denied("no, do this".into()));
    let refusal = registered(&object, &index).unwrap_err();
    assert_eq!(refusal.reason, Reason::NamespaceNotEnabled);
    assert_eq!(refusal.message, "no, do this");
    assert!(index.is_settled(&bringing));
    let fresh = ClientSecretIndex::new(&[5; 32]);
    let derived = crate::tests::object("derived", json!({}));
    assert!(fresh.is_settled(&Objects::of_a_test(derived)));
}

#[test]
fn a_secret_that_is_forgotten_is_gone() {
    let object = bringing(&json!({}));
    let index = index(&[("client-secret", VALUE)]);
    let mine = ("team-a".to_owned(), "mine".to_owned());
    assert_eq!(index.names(Some("team-b")), []);
    assert_eq!(index.names(None), index.names(Some("team-a")));
    assert_eq!(index.names(None), [mine]);
    assert!(registered(&object, &index).is_ok());
    index.forget("team-a", "mine");
    let looked = index.look(&object).unwrap();
    assert_eq!(looked.current, Found::NoSecret);
}

#[test]
fn f72_what_admission_would_have_refused_of_a_reference_is_refused_here_too() {
    let index = index(&[("client-secret", VALUE)]);
    for more in [
        json!({ "type": "Public", "redirectUris": ["https://a.example/cb"] }),
        json!({ "secretRef": { "name": "mine", "previousKey": "client-secret" } }),
        json!({ "secret": { "template": { "a": "{{ clientSecret }}" } } }),
        json!({ "rotation": {} }),
        json!({ "tokenEndpointAuthMethod": "service_account", "serviceAccounts": [{ "name": "web" }] }),
    ] {
        let refusal = registered(&bringing(&more), &index).unwrap_err();
        assert_eq!(refusal.reason, Reason::InvalidSpec, "{more}");
    }
}

#[test]
fn a_secret_of_another_namespace_is_not_found() {
    let index = index(&[("client-secret", VALUE)]);
    let mut object = bringing(&json!({}));
    object.metadata.namespace = Some("team-b".into());
    assert_eq!(index.look(&object).unwrap().current, Found::NoSecret);
    assert!(
        index
            .look(&crate::tests::object("web", json!({})))
            .is_none()
    );
}
