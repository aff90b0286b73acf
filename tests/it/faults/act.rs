//! What people do in a workload.

use std::sync::Arc;

use kube::Api;
use kube::api::{DeleteParams, DynamicObject, Patch, PatchParams, PostParams};
use serde_json::{Value, json};

use super::command;
use super::run::Run;

/// The version of our kinds.
const API_VERSION: &str = "clientele.dev/v1alpha1";

/// One act of a person, on one object.
#[derive(Clone, Debug)]
pub enum Action {
    /// Creates an OAuthClient with this spec.
    Create(&'static str, Value),
    /// Changes an OAuthClient by a merge patch.
    Edit(&'static str, Value),
    /// Deletes an OAuthClient.
    Delete(&'static str),
    /// Creates a Secret.
    CreateSecret(&'static str, Value),
    /// Changes a Secret by a merge patch.
    EditSecret(&'static str, Value),
    /// Deletes a Secret.
    DeleteSecret(&'static str),
    /// Creates an OAuthUser with this spec.
    CreateUser(&'static str, Value),
    /// Changes an OAuthUser by a merge patch.
    EditUser(&'static str, Value),
    /// Deletes an OAuthUser.
    DeleteUser(&'static str),
    /// Changes the tenant by a merge patch.
    EditTenant(Value),
    /// Deletes the namespace.
    DeleteNamespace,
    /// Rotates the root key, in an emergency or not.
    RotateRootKey { emergency: bool },
}

impl Action {
    /// Does it. What is not there cannot be changed, and that is no mistake: while the operator is cut off, people go on.
    pub async fn perform(&self, run: &Arc<Run>) {
        let params = PatchParams::default();
        let now = DeleteParams::default();
        let done = match self {
            Self::Create(name, spec) => {
                let object = json!({ "metadata": { "name": name }, "spec": run.placed(spec) });
                create(&run.clients(), object, "OAuthClient", API_VERSION).await
            }
            Self::CreateUser(name, spec) => {
                let object = json!({ "metadata": { "name": name }, "spec": spec });
                create(&run.users(), object, "OAuthUser", API_VERSION).await
            }
            Self::EditUser(name, patch) => {
                let patch = Patch::Merge(patch);
                run.users().patch(name, &params, &patch).await
            }
            Self::CreateSecret(name, more) => {
                let mut object = more.clone();
                object["metadata"]["name"] = json!(name);
                create(&run.secrets(), object, "Secret", "v1").await
            }
            Self::Edit(name, patch) => {
                let patch = Patch::Merge(run.placed(patch));
                run.clients().patch(name, &params, &patch).await
            }
            Self::EditSecret(name, patch) => {
                run.secrets()
                    .patch(name, &params, &Patch::Merge(patch))
                    .await
            }
            Self::EditTenant(patch) => {
                let patch = Patch::Merge(run.placed(patch));
                run.tenants().patch(&run.tenant, &params, &patch).await
            }
            Self::Delete(name) => {
                let known = run.clients().get_opt(name).await.unwrap();
                tolerate(run.clients().delete(name, &now).await.map(drop));
                return run.until_deletion_is_seen(known.as_ref()).await;
            }
            Self::DeleteUser(name) => {
                let known = run.users().get_opt(name).await.unwrap();
                tolerate(run.users().delete(name, &now).await.map(drop));
                return run.until_deletion_is_seen(known.as_ref()).await;
            }
            Self::DeleteSecret(name) => {
                let known = run.secrets().get_opt(name).await.unwrap();
                known.iter().for_each(|secret| run.note_deleted(secret));
                tolerate(run.secrets().delete(name, &now).await.map(drop));
                return run.until_deletion_is_seen(known.as_ref()).await;
            }
            Self::RotateRootKey { emergency } => {
                if *emergency {
                    run.note_emergency();
                }
                return command::rotate_root_key(run, *emergency).await;
            }
            Self::DeleteNamespace => {
                run.note_terminating();
                return tolerate(
                    run.namespaces()
                        .delete(&run.namespace, &now)
                        .await
                        .map(drop),
                );
            }
        };
        if let Ok(written) = &done {
            run.note_own(written);
            run.until_seen(written).await;
        }
        tolerate(done.map(drop));
    }
}

async fn create(
    api: &Api<DynamicObject>,
    mut object: Value,
    kind: &str,
    version: &str,
) -> kube::Result<DynamicObject> {
    object["kind"] = json!(kind);
    object["apiVersion"] = json!(version);
    let object: DynamicObject = serde_json::from_value(object).unwrap();
    api.create(&PostParams::default(), &object).await
}

fn tolerate(done: kube::Result<()>) {
    match done {
        Err(kube::Error::Api(status)) if status.is_not_found() || status.is_already_exists() => {}
        done => done.unwrap(),
    }
}
