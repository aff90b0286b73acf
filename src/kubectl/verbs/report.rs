//! `report`: a bundle for support, without secrets and without personal data. It says what is listed here and
//! nothing else, so that a field that is added later is left out.

use std::collections::BTreeMap;

use clap::CommandFactory;
use k8s_openapi::api::core::v1::{Event, Secret};
use kube::Api;
use kube::api::ListParams;
use serde_json::{Map, Value, json};

use crate::args::{CommandLine, Report};
use crate::connect::Session;
use crate::failure::{Answer, Outcome};
use crate::installation;
use crate::objects::{Kind, name, text};
use crate::output::{Format, Output};

/// The fields of `spec` that are kept as they are: none of them can hold a secret, and none is about a person.
const CLIENT_FIELDS: [&str; 18] = [
    "tenant",
    "clientId",
    "type",
    "firstParty",
    "redirectUris",
    "postLogoutRedirectUris",
    "allowedOrigins",
    "requirePkce",
    "idTokenSignedResponseAlg",
    "grantTypes",
    "scopes",
    "audiences",
    "tokenEndpointAuthMethod",
    "serviceAccounts",
    "lifetimes",
    "rotation",
    "deletionPolicy",
    "suspended",
];
const TENANT_FIELDS: [&str; 14] = [
    "namespaces",
    "firstParty",
    "customClientIds",
    "redirectHosts",
    "users",
    "session",
    "scopes",
    "audiences",
    "lifetimes",
    "serviceAccountTokens",
    "signing",
    "pkce",
    "accessTokens",
    "redirectSchemes",
];
const USER_FIELDS: [&str; 2] = ["tenant", "disabled"];

/// Prints the bundle.
pub async fn run(session: &Session, _: &Report, output: &mut Output<'_>) -> Answer {
    let version = session.client.apiserver_version().await.ok();
    let (clients, tenants) = (
        session.list(Kind::Client).await?,
        session.list(Kind::Tenant).await.unwrap_or_default(),
    );
    let users = session.list(Kind::User).await.unwrap_or_default();
    let bundle = json!({
        "kubernetes": version.map(|version| version.git_version),
        "plugin": CommandLine::command().get_version(),
        "installations": installation::json(&installation::look(session).await),
        "clients": clients.iter().map(|client| object(client, &CLIENT_FIELDS)).collect::<Vec<_>>(),
        "tenants": tenants.iter().map(|tenant| object(tenant, &TENANT_FIELDS)).collect::<Vec<_>>(),
        "users": users.iter().map(|user| object(user, &USER_FIELDS)).collect::<Vec<_>>(),
        "secrets": secrets(session, &clients).await,
        "events": events(session).await,
    });
    if output.format == Format::Text {
        // A bundle is for a program or an attachment.
        output.format = Format::Json;
    }
    output.value(&bundle, &[], "")?;
    Ok(Outcome::Yes)
}

/// An object with the listed fields and its status.
fn object(value: &Value, fields: &[&str]) -> Value {
    let is_user = fields == USER_FIELDS;
    let spec = fields.iter().filter_map(|field| {
        let kept = value.pointer("/spec")?.get(*field)?;
        Some(((*field).to_owned(), without_queries(kept)))
    });
    let metadata: Map<String, Value> = [
        "namespace",
        "generation",
        "creationTimestamp",
        "deletionTimestamp",
        "uid",
    ]
    .iter()
    .filter_map(|field| {
        Some((
            (*field).to_owned(),
            value.pointer("/metadata")?.get(*field)?.clone(),
        ))
    })
    .collect();
    let mut bundle = json!({ "metadata": metadata, "spec": spec.collect::<Map<String, Value>>() });
    if is_user {
        // Messages and subjects name the person.
        bundle["conditions"] = conditions(value, false);
    } else {
        bundle["metadata"]["name"] = name(value).into();
        bundle["conditions"] = conditions(value, true);
        for field in [
            "clientId",
            "issuer",
            "secretName",
            "secretGeneration",
            "rotation",
            "observedGeneration",
            "keyIds",
            "lastUsedAt",
            "unusedSince",
        ] {
            if let Some(kept) = value
                .pointer("/status")
                .and_then(|status| status.get(field))
            {
                bundle["status"][field] = kept.clone();
            }
        }
    }
    bundle
}

fn conditions(value: &Value, with_messages: bool) -> Value {
    let conditions = value
        .pointer("/status/conditions")
        .and_then(Value::as_array);
    let kept = conditions.into_iter().flatten().map(|condition| {
        let mut kept = json!({
            "type": condition["type"], "status": condition["status"], "reason": condition["reason"],
            "lastTransitionTime": condition["lastTransitionTime"], "observedGeneration": condition["observedGeneration"],
        });
        if with_messages {
            kept["message"] = condition["message"].clone();
        }
        kept
    });
    kept.collect()
}

/// What stands after `?` in a URL may be anything.
fn without_queries(value: &Value) -> Value {
    match value {
        Value::String(text) => match text.split_once('?') {
            Some((before, _)) => format!("{before}?…").into(),
            None => text.as_str().into(),
        },
        Value::Array(values) => values.iter().map(without_queries).collect(),
        Value::Object(map) => {
            let pairs = map
                .iter()
                .map(|(key, value)| (key.clone(), without_queries(value)));
            Value::Object(pairs.collect())
        }
        other => other.clone(),
    }
}

/// Names, types and the names of entries: never a value.
async fn secrets(session: &Session, clients: &[Value]) -> Value {
    let mut found = BTreeMap::new();
    for client in clients {
        let (namespace, secret) = (
            text(client, "/metadata/namespace"),
            text(client, "/status/secretName"),
        );
        let api: Api<Secret> = Api::namespaced(session.client.clone(), namespace);
        let said = match api.get_opt(secret).await {
            Ok(Some(secret)) => shape(&secret),
            Ok(None) => json!("missing"),
            Err(_) => json!("not readable"),
        };
        found.insert(format!("{namespace}/{secret}"), said);
    }
    json!(found)
}

fn shape(secret: &Secret) -> Value {
    let entries: Vec<&String> = secret.data.iter().flat_map(BTreeMap::keys).collect();
    json!({ "type": secret.type_, "entries": entries, "owned": secret.metadata.owner_references.is_some() })
}

/// What the operator reported about clients and tenants.
async fn events(session: &Session) -> Value {
    let api: Api<Event> = if session.all {
        Api::all(session.client.clone())
    } else {
        Api::namespaced(session.client.clone(), &session.namespace)
    };
    let Ok(list) = api.list(&ListParams::default()).await else {
        return json!("not readable");
    };
    let ours = list.items.into_iter().filter(|event| {
        matches!(
            event.involved_object.kind.as_deref(),
            Some("OAuthClient" | "OAuthTenant")
        )
    });
    let kept = ours.map(|event| {
        json!({
            "kind": event.involved_object.kind, "namespace": event.involved_object.namespace, "name": event.involved_object.name,
            "type": event.type_, "reason": event.reason, "note": event.message, "time": event.event_time,
        })
    });
    kept.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CANARY: &str = "canary-7f3a";

    /// A canary in every place that can hold a secret or identifies a person, and in fields that do not exist yet.
    fn poisoned() -> Value {
        json!({
            "metadata": {
                "name": "web", "namespace": "apps",
                "annotations": { "kubectl.kubernetes.io/last-applied-configuration": CANARY }, "labels": { "owner": CANARY },
                "managedFields": [CANARY],
            },
            "spec": {
                "type": "Confidential", "redirectUris": [format!("https://a.example/cb?key={CANARY}")],
                "displayName": CANARY, "secret": { "template": { "config": CANARY }, "annotations": { "a": CANARY } },
                "secretRef": { "name": CANARY }, "jwks": { "keys": [CANARY] }, "allowedGroups": [CANARY], "later": CANARY,
                "username": CANARY, "email": CANARY, "name": CANARY, "groups": [CANARY], "claims": { "a": CANARY },
                "subject": CANARY, "passwordSecretRef": { "name": CANARY }, "branding": { "logo": CANARY },
            },
            "status": { "clientId": "apps.web", "later": CANARY, "conditions": [
                { "type": "Ready", "status": "False", "reason": "Suspended", "message": "as it is", "later": CANARY },
            ] },
        })
    }

    #[test]
    fn no_canary_leaves_in_a_bundle() {
        for fields in [&CLIENT_FIELDS[..], &TENANT_FIELDS, &USER_FIELDS] {
            let mut value = poisoned();
            if fields == USER_FIELDS {
                value["status"]["conditions"][0]["message"] =
                    format!("{CANARY} can sign in").into();
                value["metadata"]["name"] = CANARY.into();
            } else if fields == TENANT_FIELDS {
                value["spec"] = json!({ "branding": CANARY, "displayName": CANARY, "signing": { "algorithm": "ES256" } });
            }
            let shown = object(&value, fields).to_string();
            assert!(!shown.contains(CANARY), "{shown}");
            assert!(shown.contains("Suspended"), "{shown}");
        }
        let secret: Secret = serde_json::from_value(json!({
            "metadata": { "name": "s", "annotations": { "a": CANARY } }, "type": "Opaque", "stringData": { "k": CANARY },
            "data": { "k": "Y2FuYXJ5LTdmM2E=" },
        }))
        .unwrap();
        let shown = shape(&secret).to_string();
        assert!(
            shown.contains("\"k\"") && !shown.contains(CANARY) && !shown.contains("Y2Fu"),
            "{shown}"
        );
    }
}
