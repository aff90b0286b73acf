//! Writes to the API server: field manager and server-side apply of a status.

use std::fmt::Debug;

use kube::api::{DeleteParams, Patch, PatchParams, PostParams, Preconditions};
use kube::{Api, Resource, ResourceExt};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::cache::definitions::Definitions;
use crate::domain::definitions::{prune, undeclared};
use crate::error::Error;
use crate::settings::FIELD_MANAGER;

/// Server-side apply by one field manager; the UID keeps it from an object that was recreated. `None` when the
/// object was deleted in the meantime: the watch will tell. Fields that the definition in the cluster does not declare,
/// because it is that of the release before, are left out.
pub async fn apply_status<K>(
    api: &Api<K>,
    object: &K,
    status: &impl Serialize,
    definitions: &Definitions,
) -> Result<Option<K>, Error>
where
    K: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned,
{
    let kind = K::kind(&());
    let mut status = serde_json::to_value(status).unwrap_or_default();
    for field in definitions.left_out(&kind) {
        prune(&mut status, &field);
    }
    loop {
        let fields = match patch(api, object, &status).await {
            Ok(newer) => return Ok(Some(newer)),
            Err(kube::Error::Api(said)) if said.is_not_found() => return Ok(None),
            Err(kube::Error::Api(said)) => match undeclared(&said.message) {
                fields if fields.is_empty() => {
                    return Err(Error::api("write the status")(kube::Error::Api(said)));
                }
                fields => fields,
            },
            Err(error) => return Err(Error::api("write the status")(error)),
        };
        for field in &fields {
            prune(&mut status, field);
        }
        if !definitions.leave_out(&kind, fields) {
            return Err(Error::Conflict("write the status"));
        }
    }
}

async fn patch<K>(api: &Api<K>, object: &K, status: &Value) -> kube::Result<K>
where
    K: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned,
{
    let name = object.name_any();
    let patch = json!({
        "apiVersion": K::api_version(&()),
        "kind": K::kind(&()),
        "metadata": { "name": name, "uid": object.uid() },
        "status": status,
    });
    let params = PatchParams::apply(FIELD_MANAGER).force();
    api.patch_status(&name, &params, &Patch::Apply(patch)).await
}

/// Deletes the object that has this UID.
pub async fn delete<K>(api: &Api<K>, name: &str, uid: &str) -> kube::Result<()>
where
    K: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned,
{
    let only_this = DeleteParams::default().preconditions(Preconditions {
        uid: Some(uid.to_owned()),
        resource_version: None,
    });
    api.delete(name, &only_this).await.map(drop)
}

/// Parameters of a create or replace.
pub fn params() -> PostParams {
    PostParams {
        field_manager: Some(FIELD_MANAGER.to_owned()),
        ..PostParams::default()
    }
}
