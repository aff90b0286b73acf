//! The tenant and the namespaces as the API server has them.

use k8s_openapi::api::core::v1::Namespace;
use kube::api::ListParams;
use kube::{Api, ResourceExt};
use serde_json::Value;

use super::tenant_patch::Present;
use crate::connect::Session;
use crate::failure::Failure;
use crate::objects::Kind;

/// Reads what decides which namespaces the tenant admits.
pub async fn read(session: &Session, tenant: &str) -> Result<Present, Failure> {
    let object = session.get(Kind::Tenant, tenant).await?;
    let namespaces: Api<Namespace> = Api::all(session.client.clone());
    let listed = namespaces.list_metadata(&ListParams::default()).await;
    let listed = listed.map_err(|error| session.explain(&error, "list namespaces"))?;
    let labelled = listed
        .items
        .iter()
        .map(|namespace| (namespace.name_any(), namespace.labels().clone()));
    Ok(Present {
        spec: object.get("spec").cloned().unwrap_or(Value::Null),
        namespaces: labelled.collect(),
    })
}
