//! Which client IDs a tenant gives to the OAuthClients of a namespace.

use clientele_api::client::IDS_OF_CLUSTERS;
use clientele_api::secret_marks::is_dns_label;
use clientele_oauth::uri::name_key;
use clientele_oauth::user::subject::has_reserved_prefix;

use super::identity::ClientObject;
use crate::domain::reason::{Reason, Refusal};
use crate::domain::tenant::namespaces::Unselected;
use crate::domain::tenant::policy::{Labels, TenantPolicy};
use crate::domain::unique_names::lost;

/// Characters that only some tenants allow.
const OF_URIS: [char; 3] = [':', '/', '@'];

/// Whether the client may have its ID, as long as no other has it. Who may not have an ID does not keep others from it.
pub fn may_have(
    object: &ClientObject<'_>,
    tenant: &TenantPolicy,
    labels: &Labels,
) -> Result<(), Refusal> {
    let Some(id) = &object.spec.client_id else {
        return check_default(&object.client_id);
    };
    check_form(id, tenant)?;
    if id.contains(OF_URIS) && !tenant.uri_characters {
        return not_allowed(format!(
            "OAuthTenant {:?} does not allow the characters ':', '/' and '@' in client IDs; recreate the OAuthClient with another clientId or without one, or ask the tenant's administrator to set spec.customClientIds.uriCharacters",
            &*tenant.name
        ));
    }
    let pairs = tenant.reserved_client_ids.iter();
    let pairs: Vec<_> = pairs.filter(|(reserved, _)| **reserved == **id).collect();
    if pairs
        .iter()
        .any(|(_, namespace)| **namespace == *object.namespace)
    {
        return Ok(());
    }
    let namespace = object.namespace;
    if !pairs.is_empty() {
        return not_allowed(format!(
            "OAuthTenant {:?} reserves client ID {id:?} for another namespace; recreate the OAuthClient with another clientId or without one, or ask the tenant's administrator to add namespace {namespace:?} with it to spec.customClientIds.reserved",
            &*tenant.name
        ));
    }
    if is_of_clusters(id) {
        return reserved(format!(
            "client ID {id:?} is a name that Kubernetes uses itself; recreate the OAuthClient with another clientId or without one, or ask the tenant's administrator to add it with namespace {namespace:?} to spec.customClientIds.reserved"
        ));
    }
    if !tenant.custom_client_ids.contains(labels) {
        let (selected, field) = (&tenant.custom_client_ids, "spec.customClientIds.namespaces");
        let Unselected { cause, remedy } = selected.unselected(field, namespace, labels);
        return not_allowed(format!(
            "OAuthTenant {:?} does not allow namespace {namespace:?} to choose client IDs, because {cause}; recreate the OAuthClient without clientId, or ask the tenant's administrator to {remedy}",
            &*tenant.name
        ));
    }
    Ok(())
}

/// Refuses an ID that another has.
pub fn check_holder(object: &ClientObject<'_>, holder: Option<&str>) -> Result<(), Refusal> {
    let (Some(id), Some(holder)) = (&object.spec.client_id, holder) else {
        return Ok(());
    };
    Err(Refusal::new(
        Reason::ClientIdConflict,
        lost(
            &format!("client ID {id:?}"),
            holder,
            "recreate this OAuthClient with another clientId or without one",
        ),
    ))
}

fn not_allowed(message: String) -> Result<(), Refusal> {
    Err(Refusal::new(Reason::CustomClientIdNotAllowed, message))
}

fn reserved(message: String) -> Result<(), Refusal> {
    Err(Refusal::new(Reason::ClientIdReserved, message))
}

/// A default ID can be that of a cluster only in a namespace that is called like one.
fn check_default(id: &str) -> Result<(), Refusal> {
    if is_of_clusters(id) {
        return reserved(format!(
            "the default client ID {id:?} is a name that Kubernetes uses itself; recreate the OAuthClient under another name"
        ));
    }
    Ok(())
}

/// The characters, and what stands for something else than a client.
fn check_form(id: &str, tenant: &TenantPolicy) -> Result<(), Refusal> {
    let inside = |b: u8| b.is_ascii_alphanumeric() || b"._~-:/@".contains(&b);
    let key = name_key(id);
    let problem = if !(1..=128).contains(&id.len()) || !id.bytes().all(inside) {
        "must have 1 to 128 characters: letters, digits, '.', '_', '~', '-', ':', '/' and '@'"
    } else if has_reserved_prefix(&key) {
        "begins with usr:, system: or fam_, which are reserved"
    } else if tenant.installation.is_issuer(&key) {
        "is an issuer of this installation"
    } else if has_form_of_default(id) && !is_of_clusters(id) {
        "has the form <namespace>.<name> of default IDs"
    } else {
        return Ok(());
    };
    reserved(format!(
        "clientId {id:?} {problem}; recreate the OAuthClient with another clientId or without one"
    ))
}

/// The form of another namespace's default ID.
fn has_form_of_default(id: &str) -> bool {
    let parts = id.split_once('.');
    parts.is_some_and(|(namespace, _)| is_dns_label(namespace))
}

/// A name with a meaning to a cluster.
fn is_of_clusters(id: &str) -> bool {
    IDS_OF_CLUSTERS.contains(&id.to_ascii_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::tests::{judged, object, tenant};

    fn outcome(custom: &Value, namespace: &str, id: &str) -> &'static str {
        let tenant = tenant(json!({ "customClientIds": custom }));
        let mut client = object("web", json!({ "clientId": id }));
        client.metadata.namespace = Some(namespace.to_owned());
        match judged(&client, &tenant) {
            Ok(client) => {
                assert_eq!(&*client.id, id);
                "registered"
            }
            Err(refusal) => refusal.reason.as_str(),
        }
    }

    #[test]
    fn k11_an_id_of_a_cluster_is_given_by_an_exact_pair_alone() {
        let everybody = json!({ "namespaces": {} });
        let pair = json!({
            "namespaces": {},
            "reserved": [
                { "id": "kubernetes", "namespace": "team-a" },
                { "id": "sts.amazonaws.com", "namespace": "team-a" },
                { "id": "legacy", "namespace": "team-a" },
            ],
        });
        let only_pair = json!({ "reserved": [{ "id": "kubernetes", "namespace": "team-a" }] });
        for (custom, namespace, id, expected) in [
            (&everybody, "team-a", "kubernetes", "ClientIdReserved"),
            (&everybody, "team-a", "Kubernetes", "ClientIdReserved"),
            (
                &everybody,
                "team-a",
                "sts.amazonaws.com",
                "ClientIdReserved",
            ),
            (&pair, "team-a", "kubernetes", "registered"),
            (&pair, "team-a", "sts.amazonaws.com", "registered"),
            (&pair, "team-a", "Kubernetes", "ClientIdReserved"),
            (&pair, "team-a", "vault", "ClientIdReserved"),
            (&pair, "team-b", "kubernetes", "CustomClientIdNotAllowed"),
            (&pair, "team-b", "legacy", "CustomClientIdNotAllowed"),
            (&pair, "team-a", "legacy", "registered"),
            (&pair, "team-b", "other", "registered"),
            (&only_pair, "team-a", "kubernetes", "registered"),
            (&only_pair, "team-a", "other", "CustomClientIdNotAllowed"),
        ] {
            assert_eq!(outcome(custom, namespace, id), expected, "{namespace} {id}");
        }
    }

    #[test]
    fn k11_a_default_id_is_never_that_of_a_cluster() {
        let mut client = object("amazonaws.com", json!({}));
        client.metadata.namespace = Some("sts".into());
        let refusal = judged(&client, &tenant(json!({}))).unwrap_err();
        assert_eq!(refusal.reason.as_str(), "ClientIdReserved");
    }

    #[test]
    fn k11_characters_of_uris_are_for_tenants_that_allow_them() {
        let plain = json!({ "namespaces": {} });
        let uris = json!({ "namespaces": {}, "uriCharacters": true });
        for (id, with, without) in [
            (
                "https://app.example/",
                "registered",
                "CustomClientIdNotAllowed",
            ),
            ("api://4f2a", "registered", "CustomClientIdNotAllowed"),
            ("app@example", "registered", "CustomClientIdNotAllowed"),
            ("a:b", "registered", "CustomClientIdNotAllowed"),
            ("plain", "registered", "registered"),
            ("usr:abc", "ClientIdReserved", "ClientIdReserved"),
            ("USR:abc", "ClientIdReserved", "ClientIdReserved"),
            ("System:admin", "ClientIdReserved", "ClientIdReserved"),
            ("fam_abc", "ClientIdReserved", "ClientIdReserved"),
            ("Fam_abc", "ClientIdReserved", "ClientIdReserved"),
            ("https://id.example", "ClientIdReserved", "ClientIdReserved"),
            (
                "HTTPS://ID.example:443/t/x",
                "ClientIdReserved",
                "ClientIdReserved",
            ),
            ("a b", "ClientIdReserved", "ClientIdReserved"),
            ("a?b", "ClientIdReserved", "ClientIdReserved"),
            ("a%3Ab", "ClientIdReserved", "ClientIdReserved"),
        ] {
            assert_eq!(outcome(&uris, "team-a", id), with, "{id}");
            assert_eq!(outcome(&plain, "team-a", id), without, "{id}");
        }
    }
}
