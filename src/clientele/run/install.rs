//! Installs what the operator needs in the cluster where there is no chart: for a first try with a kubeconfig.

use anyhow::Context;
use k8s_openapi::api::core::v1::Namespace;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{Patch, PatchParams};
use kube::{Api, ResourceExt};

use clientele_api::crd;
use clientele_operator::domain::definitions::missing;
use clientele_operator::settings::FIELD_MANAGER;

/// Installs the CustomResourceDefinitions and the namespace if they are missing, as the chart does, and updates definitions
/// that are older. Newer ones stay.
pub async fn install(kube: &kube::Client, namespace: &str) -> anyhow::Result<()> {
    let definitions: Api<CustomResourceDefinition> = Api::all(kube.clone());
    let params = PatchParams::apply(FIELD_MANAGER).force();
    for definition in crd::definitions() {
        let name = definition.name_any();
        let installed = definitions
            .get_opt(&name)
            .await
            .context("cannot read CustomResourceDefinitions: does `kubectl get customresourcedefinitions` answer, with the same kubeconfig?")?;
        let is_there = installed.is_some();
        if installed.is_some_and(|installed| !is_older(&installed, &definition)) {
            continue;
        }
        definitions
            .patch(&name, &params, &Patch::Apply(&definition))
            .await
            .with_context(|| format!("cannot install CustomResourceDefinition {name}; install the chart, or `clientele crds | kubectl apply --server-side -f -`"))?;
        if is_there {
            tracing::info!(
                name,
                "updated the CustomResourceDefinition, which was older"
            );
        } else {
            tracing::info!(name, "installed the missing CustomResourceDefinition");
        }
    }
    create_namespace(kube, namespace).await
}

/// Whether an installed definition lacks fields of ours and has none that ours lacks.
fn is_older(installed: &CustomResourceDefinition, ours: &CustomResourceDefinition) -> bool {
    let schema = |definition: &CustomResourceDefinition| {
        let version = definition.spec.versions.first();
        let schema = version.and_then(|version| version.schema.as_ref());
        serde_json::to_value(schema).unwrap_or_default()["openAPIV3Schema"].clone()
    };
    let (installed, ours) = (schema(installed), schema(ours));
    !missing(&ours, &installed).is_empty() && missing(&installed, &ours).is_empty()
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
