//! The GitOps guard: which tool writes an OAuthClient from elsewhere, and what it does to a change that is made here.

use clientele_kubectl::shared::text;
use serde_json::Value;

/// A tool that writes the object from a repository or a release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// The tool.
    pub tool: &'static str,
    /// Its object, such as `Kustomization flux-system/apps`; empty if the marks do not name it.
    pub source: String,
    /// When it writes its version again.
    pub reverts: &'static str,
    /// The fields of the spec that it owns by `metadata.managedFields`; empty if that is not recorded.
    pub fields: Vec<String>,
}

impl Owner {
    /// The tool with its object.
    pub fn name(&self) -> String {
        if self.source.is_empty() {
            self.tool.to_owned()
        } else {
            format!("{} ({})", self.tool, self.source)
        }
    }

    /// Whether the tool owns this field of the spec; so is every field where nothing is recorded.
    pub fn owns(&self, field: &str) -> bool {
        self.fields.is_empty() || self.fields.iter().any(|owned| owned == field)
    }
}

const FLUX: &str = "Flux applies its version again at the next reconciliation, within minutes";
const ARGO: &str = "Argo CD reports the difference, and with automated sync and self-heal it reverts the change at once";
const HELM: &str = "the next helm upgrade of the release may revert it";
const OTHER: &str = "the tool reverts it when it runs again";

/// Managers of fields, by the beginning of their name.
const MANAGERS: [(&str, &str, &str); 8] = [
    ("kustomize-controller", "Flux", FLUX),
    ("helm-controller", "Flux", FLUX),
    ("argocd", "Argo CD", ARGO),
    ("fleet", "Fleet", OTHER),
    ("helm", "Helm", HELM),
    ("Terraform", "Terraform", OTHER),
    ("pulumi", "Pulumi", OTHER),
    ("kapp", "kapp", OTHER),
];

/// The owner of an object, by labels and annotations, and by managedFields where they name none.
pub fn owner(object: &Value) -> Option<Owner> {
    let (tool, source, reverts) = by_marks(object).or_else(|| by_managers(object))?;
    Some(Owner {
        tool,
        source,
        reverts,
        fields: fields(object, tool),
    })
}

fn by_marks(object: &Value) -> Option<(&'static str, String, &'static str)> {
    let mark = |map: &str, key: &str| {
        let map = object.pointer(&format!("/metadata/{map}"))?;
        map.get(key)?.as_str().map(str::to_owned)
    };
    let pair = |kind: &str, prefix: &str| {
        let name = mark("labels", &format!("{prefix}/name"))?;
        let namespace = mark("labels", &format!("{prefix}/namespace")).unwrap_or_default();
        Some(format!("{kind} {namespace}/{name}"))
    };
    if let Some(source) = pair("Kustomization", "kustomize.toolkit.fluxcd.io") {
        return Some(("Flux", source, FLUX));
    }
    if let Some(source) = pair("HelmRelease", "helm.toolkit.fluxcd.io") {
        return Some(("Flux", source, FLUX));
    }
    // The tracking ID is APPLICATION:GROUP/KIND:NAMESPACE/NAME.
    let tracked = mark("annotations", "argocd.argoproj.io/tracking-id");
    let tracked = tracked.map(|id| id.split(':').next().unwrap_or_default().to_owned());
    if let Some(name) = tracked.or_else(|| mark("labels", "argocd.argoproj.io/instance")) {
        return Some(("Argo CD", format!("Application {name}"), ARGO));
    }
    if let Some(name) = mark("annotations", "meta.helm.sh/release-name") {
        let namespace = mark("annotations", "meta.helm.sh/release-namespace").unwrap_or_default();
        return Some(("Helm", format!("release {namespace}/{name}"), HELM));
    }
    let managed = mark("labels", "app.kubernetes.io/managed-by");
    (managed.as_deref() == Some("Helm")).then(|| ("Helm", String::new(), HELM))
}

fn managers(object: &Value) -> impl Iterator<Item = &Value> {
    let managed = object.pointer("/metadata/managedFields");
    let managed = managed.and_then(Value::as_array).into_iter().flatten();
    managed.filter(|entry| text(entry, "/subresource").is_empty())
}

fn tool(manager: &str) -> Option<(&'static str, &'static str)> {
    let mut known = MANAGERS.iter();
    let found = known.find(|(prefix, ..)| manager.starts_with(prefix))?;
    Some((found.1, found.2))
}

fn by_managers(object: &Value) -> Option<(&'static str, String, &'static str)> {
    let (tool, reverts) = managers(object).find_map(|entry| tool(text(entry, "/manager")))?;
    Some((tool, String::new(), reverts))
}

/// The fields of the spec that the managers of this tool own.
fn fields(object: &Value, of: &str) -> Vec<String> {
    let own = managers(object)
        .filter(|entry| tool(text(entry, "/manager")).is_some_and(|(tool, _)| tool == of));
    let specs = own.filter_map(|entry| entry.pointer("/fieldsV1/f:spec")?.as_object());
    let names = specs.flat_map(|spec| spec.keys());
    let mut names: Vec<String> = names
        .filter_map(|name| name.strip_prefix("f:"))
        .map(str::to_owned)
        .collect();
    names.sort();
    names.dedup();
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(metadata: &Value) -> Option<Owner> {
        owner(&json!({ "metadata": metadata }))
    }

    #[test]
    fn each_tool_is_told_by_its_marks() {
        for (metadata, expected) in [
            (
                json!({ "labels": { "kustomize.toolkit.fluxcd.io/name": "apps", "kustomize.toolkit.fluxcd.io/namespace": "flux-system" } }),
                "Flux (Kustomization flux-system/apps)",
            ),
            (
                json!({ "labels": { "helm.toolkit.fluxcd.io/name": "web", "helm.toolkit.fluxcd.io/namespace": "apps" },
                        "annotations": { "meta.helm.sh/release-name": "web" } }),
                "Flux (HelmRelease apps/web)",
            ),
            (
                json!({ "annotations": { "argocd.argoproj.io/tracking-id": "shop:clientele.dev/OAuthClient:apps/web" } }),
                "Argo CD (Application shop)",
            ),
            (
                json!({ "labels": { "argocd.argoproj.io/instance": "shop" } }),
                "Argo CD (Application shop)",
            ),
            (
                json!({ "annotations": { "meta.helm.sh/release-name": "web", "meta.helm.sh/release-namespace": "apps" } }),
                "Helm (release apps/web)",
            ),
            (
                json!({ "labels": { "app.kubernetes.io/managed-by": "Helm" } }),
                "Helm",
            ),
            (
                json!({ "managedFields": [{ "manager": "Terraform" }] }),
                "Terraform",
            ),
            (
                json!({ "managedFields": [{ "manager": "argocd-controller" }] }),
                "Argo CD",
            ),
        ] {
            assert_eq!(of(&metadata).unwrap().name(), expected, "{metadata}");
        }
    }

    #[test]
    fn people_and_the_operator_are_no_tools() {
        for metadata in [
            json!({}),
            json!({ "labels": { "app.kubernetes.io/managed-by": "me", "app.kubernetes.io/instance": "web" } }),
            json!({ "managedFields": [{ "manager": "kubectl-client-side-apply" }, { "manager": "clientele-dashboard" }] }),
            json!({ "managedFields": [{ "manager": "helm", "subresource": "status" }] }),
        ] {
            assert_eq!(of(&metadata), None, "{metadata}");
        }
    }

    #[test]
    fn the_fields_of_the_tool_are_known_one_by_one() {
        let found = of(&json!({
            "labels": { "kustomize.toolkit.fluxcd.io/name": "apps" },
            "managedFields": [
                { "manager": "kustomize-controller", "fieldsV1": { "f:spec": { "f:type": {}, "f:redirectUris": {} } } },
                { "manager": "kubectl", "fieldsV1": { "f:spec": { "f:firstParty": {} } } },
            ],
        }))
        .unwrap();
        assert_eq!(found.fields, ["redirectUris", "type"]);
        assert!(found.owns("type") && !found.owns("firstParty"));
        let unknown = of(&json!({ "labels": { "argocd.argoproj.io/instance": "a" } })).unwrap();
        assert!(unknown.owns("firstParty"));
    }
}
