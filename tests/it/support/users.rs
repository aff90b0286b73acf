//! OAuthUsers and their passwords, as tests make them.

use clientele_api::OAuthUser;
use k8s_openapi::api::core::v1::{Namespace, Secret};
use kube::Api;
use kube::api::{DeleteParams, Patch, PatchParams};
use serde_json::{Value, json};

use super::test_namespace::{TestNamespace, create_raw, eventually};

/// The type by which a Secret says that it holds a password.
pub const PASSWORD: &str = "clientele.dev/password";

impl TestNamespace {
    /// The OAuthUsers of the namespace.
    pub fn users(&self) -> Api<OAuthUser> {
        Api::namespaced(self.kube.clone(), &self.name)
    }

    /// A tenant of this test's own whose people are described in this namespace.
    pub async fn tenant_with_people(&self, more: Value) -> String {
        let mut spec = json!({ "users": { "namespaces": self.selector() } });
        for (field, value) in more.as_object().unwrap() {
            spec[field] = value.clone();
        }
        self.tenant(spec).await
    }

    /// Labels the namespace so that the tenant `default` takes its people from here.
    pub async fn label_for_people(&self) {
        let namespaces: Api<Namespace> = Api::all(self.kube.clone());
        let label = json!({ "metadata": { "labels": { "clientele.dev/users": "default" } } });
        let params = PatchParams::default();
        namespaces
            .patch(&self.name, &params, &Patch::Merge(label))
            .await
            .unwrap();
    }

    /// Creates an OAuthUser, or says why the API server refused it.
    pub async fn try_create_user(&self, name: &str, spec: Value) -> Result<OAuthUser, String> {
        let object = json!({
            "apiVersion": "clientele.dev/v1alpha1",
            "kind": "OAuthUser",
            "metadata": { "name": name, "namespace": self.name },
            "spec": spec,
        });
        let path = format!(
            "/apis/clientele.dev/v1alpha1/namespaces/{}/oauthusers",
            self.name
        );
        create_raw::<OAuthUser>(&self.kube, &path, &object).await
    }

    /// Creates an OAuthUser.
    pub async fn create_user(&self, name: &str, spec: Value) -> OAuthUser {
        self.try_create_user(name, spec).await.unwrap()
    }

    /// Changes the spec of an OAuthUser by a merge patch.
    pub async fn patch_user(&self, name: &str, spec: Value) -> OAuthUser {
        let patch = Patch::Merge(json!({ "spec": spec }));
        let params = PatchParams::default();
        self.users().patch(name, &params, &patch).await.unwrap()
    }

    /// Waits until an OAuthUser, in its present generation, is as wanted.
    pub async fn wait_user(
        &self,
        name: &str,
        what: &str,
        wanted: impl Fn(&OAuthUser) -> bool,
    ) -> OAuthUser {
        eventually(what, || async {
            let object = self.users().get(name).await.map_err(|e| e.to_string())?;
            let status = object.status.clone().unwrap_or_default();
            if status.observed_generation == object.metadata.generation && wanted(&object) {
                return Ok(object);
            }
            Err(format!("{status:?}"))
        })
        .await
    }

    /// Waits until the person can sign in.
    pub async fn enrolled(&self, name: &str) -> OAuthUser {
        self.wait_user(name, "Ready=True", |user| {
            ready(user) == Some(("True".into(), "Registered".into()))
        })
        .await
    }

    /// Waits until the person is refused for this reason; returns the message.
    pub async fn not_enrolled(&self, name: &str, reason: &str) -> String {
        let user = self
            .wait_user(name, reason, |user| {
                ready(user) == Some(("False".into(), reason.into()))
            })
            .await;
        user_message(&user)
    }

    /// Writes a Secret with a password, in place of an earlier one.
    pub async fn write_password(&self, name: &str, password: &str) -> Secret {
        self.write_secret(name, PASSWORD, &[("password", password)])
            .await
    }

    /// Writes a Secret with these entries, in place of an earlier one.
    pub async fn write_secret(&self, name: &str, type_: &str, entries: &[(&str, &str)]) -> Secret {
        let entries: serde_json::Map<String, Value> = entries
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).into()))
            .collect();
        let secret = json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": { "name": name },
            "type": type_, "stringData": entries,
        });
        let params = PatchParams::apply("tests").force();
        self.secrets()
            .patch(name, &params, &Patch::Apply(secret))
            .await
            .unwrap()
    }

    /// Deletes a Secret.
    pub async fn delete_secret(&self, name: &str) {
        let _ = self
            .secrets()
            .delete(name, &DeleteParams::default())
            .await
            .unwrap();
    }

    /// Makes a person with this password who can sign in.
    pub async fn person(&self, tenant: &str, username: &str, password: &str) -> OAuthUser {
        self.write_password(username, password).await;
        let spec = json!({
            "tenant": tenant, "username": username, "passwordSecretRef": { "name": username },
        });
        self.create_user(username, spec).await;
        self.enrolled(username).await
    }
}

/// Status and reason of Ready.
pub fn ready(user: &OAuthUser) -> Option<(String, String)> {
    let conditions = &user.status.as_ref()?.conditions;
    let ready = conditions.iter().find(|c| c.type_ == "Ready")?;
    Some((ready.status.to_string(), ready.reason.to_string()))
}

/// The message of Ready.
pub fn user_message(user: &OAuthUser) -> String {
    let conditions = user.status.iter().flat_map(|status| &status.conditions);
    let ready = conditions.into_iter().find(|c| c.type_ == "Ready");
    ready.map(|c| c.message.to_string()).unwrap_or_default()
}
