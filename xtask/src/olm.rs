//! The bundle for the Operator Lifecycle Manager, made of what the chart renders for PostgreSQL. OLM installs neither volumes nor
//! admission policies, so it has no SQLite, and the policies are applied beside it.

use std::collections::BTreeMap;
use std::path::Path;
use std::{fs, io};

use serde_yaml::{Sequence, Value};

use crate::source::{files, read};

const CHART: &str = "charts/clientele/Chart.yaml";
const HEAD: &str = include_str!("olm/head.yaml");
const ANNOTATIONS: &str = include_str!("olm/annotations.yaml");
/// The ServiceAccount, the Deployment and the Roles of the operator.
const NAME: &str = "clientele";

/// The files of the bundle, by their paths.
///
/// # Errors
///
/// What the rendered chart lacks.
pub fn bundle(rendered: &str) -> Result<BTreeMap<String, String>, String> {
    let objects = documents(rendered)?;
    let mut bundle = BTreeMap::from([
        (
            "metadata/annotations.yaml".to_owned(),
            ANNOTATIONS.to_owned(),
        ),
        (
            "manifests/clientele.clusterserviceversion.yaml".to_owned(),
            yaml(&cluster_service_version(&parsed(&read(CHART))?, &objects)?)?,
        ),
    ]);
    for definition in files("crds", &["yaml"]) {
        let name = definition.path.trim_start_matches("crds/");
        bundle.insert(format!("manifests/{name}"), definition.text);
    }
    for object in objects.into_iter().filter(is_manifest) {
        let (kind, name) = (text(&object, "kind"), text(&object["metadata"], "name"));
        let path = format!("manifests/{name}.{}.yaml", kind.to_lowercase());
        bundle.insert(path, yaml(&without_namespace(object))?);
    }
    Ok(bundle)
}

/// Writes the bundle into a folder. Returns how many files it has.
///
/// # Errors
///
/// The rendered chart lacks something, or the folder cannot be written.
pub fn write(rendered: &str, folder: &Path) -> io::Result<usize> {
    let bundle = bundle(rendered).map_err(io::Error::other)?;
    for (path, text) in &bundle {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap_or(folder))?;
        fs::write(path, text)?;
    }
    Ok(bundle.len())
}

/// What OLM applies as it is: Services, and the roles for people. The rest is in the `ClusterServiceVersion`.
fn is_manifest(object: &Value) -> bool {
    match text(object, "kind") {
        "Service" => true,
        "ClusterRole" => text(&object["metadata"], "name") != NAME,
        _ => false,
    }
}

fn cluster_service_version(chart: &Value, objects: &[Value]) -> Result<Value, String> {
    let version = text(chart, "appVersion");
    let annotation = |name: &str| {
        let text = text(&chart["annotations"], &format!("artifacthub.io/{name}"));
        parsed(text)
    };
    let mut csv = parsed(HEAD)?;
    csv["metadata"]["name"] = format!("{NAME}.v{version}").into();
    let examples = serde_json::to_string_pretty(&annotation("crdsExamples")?);
    csv["metadata"]["annotations"]["alm-examples"] =
        examples.map_err(|error| error.to_string())?.into();
    let spec = &mut csv["spec"];
    spec["version"] = version.into();
    let kubernetes = text(chart, "kubeVersion").trim_start_matches(">=");
    spec["minKubeVersion"] = kubernetes.trim_end_matches("-0").into();
    spec["keywords"] = chart["keywords"].clone();
    spec["customresourcedefinitions"]["owned"] = owned(&annotation("crds")?);
    let deployment = find(objects, "Deployment")?;
    spec["relatedImages"] = images(deployment);
    spec["install"]["spec"] = install(deployment, objects)?;
    Ok(csv)
}

/// The Deployment, and the rights of its ServiceAccount.
fn install(deployment: &Value, objects: &[Value]) -> Result<Value, String> {
    let rights = |kind: &str| -> Result<Value, String> {
        let rules = find(objects, kind)?["rules"].clone();
        Ok(list([map([
            ("serviceAccountName", NAME.into()),
            ("rules", rules),
        ])]))
    };
    let mut spec = deployment["spec"].clone();
    read_modes(&mut spec);
    let deployments = list([map([("name", NAME.into()), ("spec", spec)])]);
    Ok(map([
        ("deployments", deployments),
        ("clusterPermissions", rights("ClusterRole")?),
        ("permissions", rights("Role")?),
    ]))
}

/// Kubernetes reads `0440` as an octal number, and YAML 1.2 as a text.
fn read_modes(value: &mut Value) {
    match value {
        Value::Sequence(items) => items.iter_mut().for_each(read_modes),
        Value::Mapping(pairs) => {
            for (key, value) in pairs {
                let mode = value.as_str().filter(|_| *key == "defaultMode");
                match mode.and_then(|mode| i64::from_str_radix(mode, 8).ok()) {
                    Some(mode) => *value = mode.into(),
                    None => read_modes(value),
                }
            }
        }
        _ => {}
    }
}

/// The definitions as the chart describes them to Artifact Hub.
fn owned(crds: &Value) -> Value {
    let crds = crds.as_sequence().into_iter().flatten();
    let fields = ["name", "kind", "version", "displayName", "description"];
    list(crds.map(|crd| map(fields.map(|field| (field, crd[field].clone())))))
}

fn images(deployment: &Value) -> Value {
    let containers = &deployment["spec"]["template"]["spec"]["containers"];
    let containers = containers.as_sequence().into_iter().flatten();
    list(containers.map(|container| {
        map([
            ("name", container["name"].clone()),
            ("image", container["image"].clone()),
        ])
    }))
}

/// The object of a kind that is the operator's.
fn find<'o>(objects: &'o [Value], kind: &str) -> Result<&'o Value, String> {
    let mut objects = objects.iter();
    let found = objects
        .find(|object| text(object, "kind") == kind && text(&object["metadata"], "name") == NAME);
    found.ok_or_else(|| format!("the chart renders no {kind} {NAME}"))
}

/// OLM decides about the namespace.
fn without_namespace(mut object: Value) -> Value {
    if let Some(metadata) = object["metadata"].as_mapping_mut() {
        metadata.remove("namespace");
    }
    object
}

fn documents(rendered: &str) -> Result<Vec<Value>, String> {
    let documents = rendered.split("\n---\n").map(parsed);
    let documents: Result<Vec<Value>, String> = documents.collect();
    Ok(documents?.into_iter().filter(Value::is_mapping).collect())
}

fn parsed(text: &str) -> Result<Value, String> {
    serde_yaml::from_str(text).map_err(|error| error.to_string())
}

fn yaml(value: &Value) -> Result<String, String> {
    serde_yaml::to_string(value).map_err(|error| error.to_string())
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_default()
}

fn list(items: impl IntoIterator<Item = Value>) -> Value {
    Value::Sequence(items.into_iter().collect::<Sequence>())
}

fn map<const N: usize>(pairs: [(&str, Value); N]) -> Value {
    let pairs = pairs.into_iter().map(|(key, value)| (key.into(), value));
    Value::Mapping(pairs.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const RENDERED: &str = "---\nkind: ServiceAccount\nmetadata: { name: clientele, namespace: here }\n---\n\
        kind: ClusterRole\nmetadata: { name: clientele }\nrules: [{ verbs: [get] }]\n---\n\
        kind: ClusterRole\nmetadata: { name: clientele-view }\nrules: []\n---\n\
        kind: Role\nmetadata: { name: clientele, namespace: here }\nrules: [{ verbs: [list] }]\n---\n\
        kind: Service\nmetadata: { name: clientele, namespace: here }\n---\n\
        kind: Deployment\nmetadata: { name: clientele }\nspec: { template: { spec: { containers: [{ name: clientele, image: i }], volumes: [{ secret: { defaultMode: 0440 } }] } } }\n";

    #[test]
    fn a_bundle_has_definitions_and_what_the_operator_may() {
        let bundle = bundle(RENDERED).unwrap();
        let paths: Vec<&str> = bundle.keys().map(String::as_str).collect();
        assert_eq!(
            paths,
            [
                "manifests/clientele-view.clusterrole.yaml",
                "manifests/clientele.clusterserviceversion.yaml",
                "manifests/clientele.service.yaml",
                "manifests/oauthclients.clientele.dev.yaml",
                "manifests/oauthtenants.clientele.dev.yaml",
                "manifests/oauthusers.clientele.dev.yaml",
                "metadata/annotations.yaml",
            ]
        );
        assert!(!bundle["manifests/clientele.service.yaml"].contains("here"));
        let csv = &bundle["manifests/clientele.clusterserviceversion.yaml"];
        let csv = parsed(csv).unwrap();
        let install = &csv["spec"]["install"]["spec"];
        let verb = |rights: &str| install[rights][0]["rules"][0]["verbs"][0].as_str();
        assert_eq!(verb("clusterPermissions"), Some("get"));
        assert_eq!(verb("permissions"), Some("list"));
        assert_eq!(text(&csv["spec"]["relatedImages"][0], "image"), "i");
        assert_eq!(text(&csv["spec"], "minKubeVersion"), "1.33.0");
        let pod = &install["deployments"][0]["spec"]["template"]["spec"];
        let mode = &pod["volumes"][0]["secret"]["defaultMode"];
        assert_eq!(mode.as_i64(), Some(0o440));
        let owned = &csv["spec"]["customresourcedefinitions"]["owned"];
        assert_eq!(owned.as_sequence().map(Vec::len), Some(3));
    }

    #[test]
    fn a_chart_without_a_role_of_the_operator_is_refused() {
        let rendered = RENDERED.replace("kind: Role", "kind: RoleBinding");
        assert!(bundle(&rendered).unwrap_err().contains("no Role clientele"));
    }
}
