//! Installs what the operator needs in the cluster where there is no chart: for a first try with a kubeconfig.

use anyhow::Context;
use k8s_openapi::api::core::v1::Namespace;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{Patch, PatchParams};
use kube::{Api, ResourceExt};

use clientele_api::crd;
use clientele_operator::settings::FIELD_MANAGER;

/// Installs the CustomResourceDefinitions and the namespace if they are missing, as the chart does.
pub async fn install(kube: &kube::Client, namespace: &str) -> anyhow::Result<()> {
    let definitions: Api<CustomResourceDefinition> = Api::all(kube.clone());
    let params = PatchParams::apply(FIELD_MANAGER).force();
    for definition in crd::definitions() {
        let name = definition.name_any();
        if definitions
            .get_opt(&name)
            .await
            .context("cannot read CustomResourceDefinitions: does `kubectl get customresourcedefinitions` answer, with the same kubeconfig?")?
            .is_some()
        {
            continue;
        }
        definitions
            .patch(&name, &params, &Patch::Apply(&definition))
            .await
            .with_context(|| format!("cannot install CustomResourceDefinition {name}; install the chart, or `clientele crds | kubectl apply --server-side -f -`"))?;
        tracing::info!(name, "installed the missing CustomResourceDefinition");
    }
    create_namespace(kube, namespace).await
}

async fn create_namespace(kube: &kube::Client, namespace: &str) -> anyhow::Result<()> {
    let params = PatchParams::apply(FIELD_MANAGER).force();
    let namespaces: Api<Namespace> = Api::all(kube.clone());
    if namespaces
        .get_opt(namespace)
        .await
        .context("cannot read namespaces")?
        .is_none()
    {
        let object = serde_json::json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": namespace } });
        namespaces
            .patch(namespace, &params, &Patch::Apply(object))
            .await
            .context("cannot create the operator's namespace")?;
    }
    Ok(())
}
