//! People, and a tenant that they sign in to.

use clientele::api::OAuthTenant;
use kube::api::DynamicObject;
use kube::{Api, ResourceExt};
use serde_json::{Value, json};

use super::node::Node;
use crate::support::space::{Space, eventually, when};

/// Somebody who can sign in.
pub struct Someone {
    /// What they type first.
    pub username: String,
    /// What they type then.
    pub password: String,
}

impl Someone {
    /// A person of this tenant in the namespace of the test, with these fields beside those that everybody has.
    pub async fn new(space: &Space, tenant: &str, username: &str, more: Value) -> Self {
        let someone = Self {
            username: username.to_owned(),
            password: format!("correct horse {username} staple"),
        };
        let name = format!("{username}-password");
        let secret = json!({
            "apiVersion": "v1", "kind": "Secret", "type": "clientele.dev/password",
            "metadata": { "name": name }, "stringData": { "password": someone.password },
        });
        apply(space, &secret).await;
        let mut spec = json!({
            "tenant": tenant,
            "username": username,
            "email": format!("{username}@example.com"),
            "emailVerified": true,
            "name": "Ada Example",
            "passwordSecretRef": { "name": name, "key": "password" },
        });
        let fields = more.as_object().cloned().unwrap_or_default();
        spec.as_object_mut().unwrap().extend(fields);
        let user = json!({
            "apiVersion": "clientele.dev/v1alpha1", "kind": "OAuthUser",
            "metadata": { "name": username }, "spec": spec,
        });
        apply(space, &user).await;
        wait_ready(space, username).await;
        someone
    }

    /// Hands the person to a program.
    pub fn at(&self, program: Node) -> Node {
        program
            .with("USERNAME", &self.username)
            .with("PASSWORD", &self.password)
    }
}

/// A tenant named like the namespace of the test, whose people are in that namespace.
pub async fn tenant(space: &Space) -> OAuthTenant {
    let spec = json!({ "users": { "namespaces": {
        "matchLabels": { "kubernetes.io/metadata.name": space.name },
    } } });
    space.try_create_tenant(&space.name, spec).await.unwrap()
}

async fn apply(space: &Space, object: &Value) {
    let object: DynamicObject = serde_json::from_value(object.clone()).unwrap();
    let api = api(space, &object);
    api.create(&Default::default(), &object).await.unwrap();
}

fn api(space: &Space, object: &DynamicObject) -> Api<DynamicObject> {
    let types = object.types.clone().unwrap();
    let kind = kube::core::GroupVersionKind::try_from(types).unwrap();
    let resource = kube::core::ApiResource::from_gvk(&kind);
    Api::namespaced_with(space.kube.clone(), &space.name, &resource)
}

async fn wait_ready(space: &Space, name: &str) {
    let kind = json!({
        "apiVersion": "clientele.dev/v1alpha1", "kind": "OAuthUser", "metadata": { "name": name },
    });
    let object: DynamicObject = serde_json::from_value(kind).unwrap();
    let users = api(space, &object);
    eventually("the OAuthUser is Ready", || async {
        let user = users.get(&object.name_any()).await.unwrap();
        let conditions = user.data["status"]["conditions"].as_array();
        let ready = conditions.into_iter().flatten().any(|condition| {
            condition["type"] == "Ready"
                && condition["status"] == "True"
                && condition["observedGeneration"] == json!(user.metadata.generation)
        });
        when(ready, (), || user.data["status"].to_string())
    })
    .await;
}
