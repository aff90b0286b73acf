//! What the operator says about an object, in the sense of kstatus.

use clientele_api::OAuthClient;
use k8s_openapi::api::events::v1::Event;
use kube::Api;
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};

use super::person::sentence;
use super::test_namespace::{TestNamespace, condition, eventually, message};

/// A person must act.
pub const STALLED: [&str; 3] = ["False", "False", "True"];
/// It works.
pub const READY: [&str; 3] = ["True", "False", "False"];

/// Ready, Reconciling and Stalled; each has the reason and the generation of the others. Beside them a client that works
/// may have an advisory.
pub fn triple(object: &OAuthClient) -> [String; 3] {
    let conditions = &object.status.as_ref().unwrap().conditions;
    let conditions = conditions.iter().filter(|c| c.type_ != "Advisory");
    let conditions: Vec<_> = conditions.collect();
    assert_eq!(conditions.len(), 3, "{conditions:?}");
    for other in &conditions {
        assert_eq!(other.reason, conditions[0].reason, "{conditions:?}");
        assert_eq!(
            other.observed_generation, object.metadata.generation,
            "{conditions:?}"
        );
    }
    ["Ready", "Reconciling", "Stalled"].map(|kind| condition(object, kind).unwrap().0)
}

impl TestNamespace {
    /// Waits until an OAuthClient is refused for good, with everything that goes with it; returns the message.
    ///
    /// Events repeat no reason, so for a second sentence under the same reason this is the wrong question.
    pub async fn refused(&self, name: &str, reason: &str, remedy: &str) -> String {
        let object = self
            .wait_client(name, reason, |object| {
                condition(object, "Ready") == Some(("False".into(), reason.into()))
            })
            .await;
        assert_eq!(triple(&object), STALLED, "{name}: {:?}", object.status);
        let said = message(&object);
        assert!(said.contains(remedy), "{name}: {said}");
        self.wait_event(name, reason, &said).await;
        said
    }

    /// Waits until an OAuthClient works, with everything that goes with it.
    pub async fn accepted(&self, name: &str) -> OAuthClient {
        let object = self.wait_ready(name).await;
        assert_eq!(triple(&object), READY, "{name}: {:?}", object.status);
        object
    }

    /// Waits for an Event about an OAuthClient.
    pub async fn wait_event(&self, name: &str, reason: &str, note: &str) {
        let events: Api<Event> = Api::namespaced(self.kube.clone(), &self.name);
        eventually(&format!("an Event says {note:?}"), || async {
            let seen = events.list(&kube::api::ListParams::default()).await;
            let seen = seen.map_err(|error| error.to_string())?.items;
            let about = |event: &Event| {
                event.regarding.as_ref().is_some_and(|object| {
                    object.kind.as_deref() == Some("OAuthClient")
                        && object.name.as_deref() == Some(name)
                }) && event.reason.as_deref() == Some(reason)
                    && event.note.as_deref() == Some(note)
            };
            if seen.iter().any(about) {
                return Ok(());
            }
            Err(format!(
                "{:?}",
                seen.iter().map(|event| &event.note).collect::<Vec<_>>()
            ))
        })
        .await;
    }

    /// Changes an OAuthClient by a merge patch, or says why the API server refused it.
    pub async fn try_patch(&self, name: &str, patch: Value) -> Result<OAuthClient, String> {
        let params = PatchParams::default();
        sentence(
            self.clients()
                .patch(name, &params, &Patch::Merge(patch))
                .await,
        )
    }

    /// Gives the namespace a label.
    pub async fn label(&self, key: &str, value: &str) {
        let namespaces: Api<k8s_openapi::api::core::v1::Namespace> = Api::all(self.kube.clone());
        let patch = json!({ "metadata": { "labels": { key: value } } });
        namespaces
            .patch(&self.name, &PatchParams::default(), &Patch::Merge(patch))
            .await
            .unwrap();
    }

    /// A tenant for this test alone, named as the namespace.
    pub async fn tenant(&self, spec: Value) -> String {
        self.try_create_tenant(&self.name, spec).await.unwrap();
        self.name.clone()
    }

    /// Changes the tenant of this test.
    pub async fn patch_tenant(&self, spec: &Value) {
        let patch = Patch::Merge(json!({ "spec": spec }));
        self.tenants()
            .patch(&self.name, &PatchParams::default(), &patch)
            .await
            .unwrap();
    }

    /// A selector of this namespace alone.
    pub fn selector(&self) -> Value {
        json!({ "matchLabels": { "kubernetes.io/metadata.name": self.name } })
    }
}
