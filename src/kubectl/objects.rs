//! The custom resources as JSON, so that fields of other versions do no harm.

use std::fmt::Write;

use clientele_api::GROUP;
use kube::Api;
use kube::api::{ListParams, Patch, PatchParams, PostParams};
use kube::core::{ApiResource, DynamicObject, GroupVersionKind};
use serde_json::Value;

use crate::connect::Session;
use crate::failure::Failure;

/// The manager of fields that this program writes.
pub const MANAGER: &str = "kubectl-clientele";

/// One of our kinds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `OAuthClient`
    Client,
    /// `OAuthTenant`
    Tenant,
    /// `OAuthUser`
    User,
}

impl Kind {
    /// The kind as manifests write it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Client => "OAuthClient",
            Self::Tenant => "OAuthTenant",
            Self::User => "OAuthUser",
        }
    }

    /// The kind as paths write it.
    pub const fn plural(self) -> &'static str {
        match self {
            Self::Client => "oauthclients",
            Self::Tenant => "oauthtenants",
            Self::User => "oauthusers",
        }
    }

    /// The kind that a user means by `oac`, `oauthclient`, `client` and the like.
    pub fn parse(text: &str) -> Option<Self> {
        match text.to_ascii_lowercase().as_str() {
            "oac" | "client" | "clients" | "oauthclient" | "oauthclients" => Some(Self::Client),
            "oat" | "tenant" | "tenants" | "oauthtenant" | "oauthtenants" => Some(Self::Tenant),
            "oau" | "user" | "users" | "oauthuser" | "oauthusers" => Some(Self::User),
            _ => None,
        }
    }
}

/// The resource of a kind of some group.
pub fn resource(group: &str, version: &str, kind: &str, plural: &str) -> ApiResource {
    ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk(group, version, kind), plural)
}

impl Session {
    /// The objects of one of our kinds in the namespace, or everywhere.
    pub fn api(&self, kind: Kind) -> Api<DynamicObject> {
        let resource = resource(GROUP, "v1alpha1", kind.name(), kind.plural());
        if kind == Kind::Tenant || self.all {
            Api::all_with(self.client.clone(), &resource)
        } else {
            Api::namespaced_with(self.client.clone(), &self.namespace, &resource)
        }
    }

    /// The same in the namespace, whatever the flags say.
    fn api_here(&self, kind: Kind) -> Api<DynamicObject> {
        let resource = resource(GROUP, "v1alpha1", kind.name(), kind.plural());
        match kind {
            Kind::Tenant => Api::all_with(self.client.clone(), &resource),
            _ => Api::namespaced_with(self.client.clone(), &self.namespace, &resource),
        }
    }

    /// Every object of a kind, in the order of namespaces and names.
    pub async fn list(&self, kind: Kind) -> Result<Vec<Value>, Failure> {
        let place = match (kind, self.all) {
            (Kind::Tenant, _) => String::new(),
            (_, true) => " in all namespaces".to_owned(),
            (_, false) => format!(" in namespace {}", self.namespace),
        };
        let what = format!("list {}{place}", kind.plural());
        let list = self.api(kind).list(&ListParams::default()).await;
        let list = list.map_err(|error| self.explain(&error, &what))?;
        let values = list.items.into_iter().map(serde_json::to_value);
        let mut values: Vec<Value> = values.filter_map(Result::ok).collect();
        values.sort_by_key(|value| (namespace(value).to_owned(), name(value).to_owned()));
        Ok(values)
    }

    /// One object of the namespace.
    pub async fn get(&self, kind: Kind, name: &str) -> Result<Value, Failure> {
        let what = format!(
            "get {} {name} in namespace {}",
            kind.plural(),
            self.namespace
        );
        match self.api_here(kind).get_opt(name).await {
            Ok(Some(object)) => to_value(&object),
            Ok(None) => Err(self.missing(kind, name)),
            Err(error) => Err(self.explain(&error, &what)),
        }
    }

    fn missing(&self, kind: Kind, name: &str) -> Failure {
        let (place, flag) = match kind {
            Kind::Tenant => (String::new(), String::new()),
            _ => (
                format!(" in namespace {}", self.namespace),
                " --all-namespaces".to_owned(),
            ),
        };
        Failure::new(format!(
            "there is no {} {name:?}{place}; `kubectl get {}{flag}` lists what there is",
            kind.name(),
            kind.plural()
        ))
    }

    /// Changes an object by a merge patch.
    pub async fn patch(&self, kind: Kind, name: &str, patch: &Value) -> Result<Value, Failure> {
        let what = format!(
            "patch {} {name} in namespace {}",
            kind.plural(),
            self.namespace
        );
        let params = PatchParams {
            field_manager: Some(MANAGER.to_owned()),
            ..PatchParams::default()
        };
        let patched = self
            .api_here(kind)
            .patch(name, &params, &Patch::Merge(patch))
            .await;
        match patched {
            Ok(object) => to_value(&object),
            Err(kube::Error::Api(status)) if status.code == 404 => Err(self.missing(kind, name)),
            Err(error) => Err(self.explain(&error, &what)),
        }
    }

    /// Creates an object of one of our kinds in the namespace.
    pub async fn create(&self, kind: Kind, object: &Value) -> Result<Value, Failure> {
        let what = format!("create {} in namespace {}", kind.plural(), self.namespace);
        let object: DynamicObject = serde_json::from_value(object.clone())
            .map_err(|error| Failure::new(format!("the manifest is none: {error}")))?;
        let params = PostParams {
            field_manager: Some(MANAGER.to_owned()),
            ..PostParams::default()
        };
        let created = self.api_here(kind).create(&params, &object).await;
        match created {
            Ok(object) => to_value(&object),
            Err(kube::Error::Api(status)) if status.reason == "AlreadyExists" => {
                Err(Failure::new(format!(
                    "{}; choose another name, or change what is there with `kubectl edit`",
                    status.message
                )))
            }
            Err(error) => Err(self.explain(&error, &what)),
        }
    }
}

fn to_value(object: &DynamicObject) -> Result<Value, Failure> {
    serde_json::to_value(object).map_err(|error| Failure::new(error.to_string()))
}

/// A text within, by a path such as `/status/clientId`; empty if there is none.
pub fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

/// The name of an object.
pub fn name(value: &Value) -> &str {
    text(value, "/metadata/name")
}

/// The namespace of an object.
pub fn namespace(value: &Value) -> &str {
    text(value, "/metadata/namespace")
}

fn condition<'a>(value: &'a Value, kind: &str) -> Option<&'a Value> {
    let conditions = value.pointer("/status/conditions")?.as_array()?;
    conditions
        .iter()
        .find(|condition| text(condition, "/type") == kind)
}

/// Whether the object works, in the version that it has now.
pub fn is_ready(value: &Value) -> bool {
    ready(value).is_some_and(|ready| text(ready, "/status") == "True")
}

/// The condition Ready, if it is about the version that the object has now.
fn ready(value: &Value) -> Option<&Value> {
    let observed = value.pointer("/status/observedGeneration");
    condition(value, "Ready").filter(|_| observed == value.pointer("/metadata/generation"))
}

/// The sentence of Ready; empty if the operator has not reconciled this version yet.
pub fn message(value: &Value) -> &str {
    ready(value).map_or("", |ready| text(ready, "/message"))
}

/// The reason of Ready, or that the operator has not reconciled this version yet.
pub fn reason(value: &Value) -> &str {
    let reason = ready(value).map(|ready| text(ready, "/reason"));
    reason
        .filter(|reason| !reason.is_empty())
        .unwrap_or("Pending")
}

/// How long ago something was, as kubectl writes it.
pub fn age(timestamp: &str, now: jiff::Timestamp) -> String {
    let Ok(then) = timestamp.parse::<jiff::Timestamp>() else {
        return "<unknown>".to_owned();
    };
    let seconds = now.as_second().saturating_sub(then.as_second()).max(0);
    let mut text = String::new();
    let _ = match seconds {
        0..120 => write!(text, "{seconds}s"),
        120..7_200 => write!(text, "{}m", seconds / 60),
        7_200..172_800 => write!(text, "{}h", seconds / 3_600),
        _ => write!(text, "{}d", seconds / 86_400),
    };
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn ready_is_about_the_present_version() {
        let object = |generation: i64| {
            json!({
                "metadata": { "generation": generation },
                "status": { "observedGeneration": 1, "conditions": [{ "type": "Ready", "status": "True", "reason": "Registered" }] },
            })
        };
        assert!(is_ready(&object(1)));
        assert!(!is_ready(&object(2)));
        assert_eq!(reason(&object(1)), "Registered");
        assert_eq!(
            reason(&object(2)),
            "Pending",
            "what was said of the former version"
        );
        assert_eq!(reason(&json!({})), "Pending");
    }

    #[test]
    fn ages_are_as_kubectl_writes_them() {
        let now: jiff::Timestamp = "2026-11-29T12:00:00Z".parse().unwrap();
        for (then, expected) in [
            ("2026-11-29T11:59:00Z", "60s"),
            ("2026-11-29T11:00:00Z", "60m"),
            ("2026-11-28T12:00:00Z", "24h"),
            ("2026-11-01T12:00:00Z", "28d"),
            ("2027-01-01T00:00:00Z", "0s"),
            ("yesterday", "<unknown>"),
        ] {
            assert_eq!(age(then, now), expected, "{then}");
        }
    }
}
