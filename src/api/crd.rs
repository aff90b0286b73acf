//! The `CustomResourceDefinitions`, as they are committed in `crds/` and in the chart.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, JSON, JSONSchemaProps, JSONSchemaPropsOrArray,
};
use kube::{CustomResourceExt, ResourceExt};

use super::condition::pending_status;
use super::{OAuthClient, OAuthTenant, OAuthUser};

/// All definitions, complete.
pub fn definitions() -> [CustomResourceDefinition; 3] {
    [OAuthClient::crd(), OAuthTenant::crd(), OAuthUser::crd()].map(with_pending_status)
}

/// A definition as a YAML document.
pub fn to_yaml(definition: &CustomResourceDefinition) -> String {
    // Unquoted, some YAML parsers read a timestamp instead of a string.
    const TIME: &str = "1970-01-01T00:00:00Z";
    let yaml = serde_yaml::to_string(definition)
        .expect("a definition is representable in YAML")
        .replace(
            &format!("lastTransitionTime: {TIME}"),
            &format!("lastTransitionTime: \"{TIME}\""),
        );
    yaml.lines().map(quoted).collect()
}

/// To YAML 1.1, which Helm and kubectl read, `n` and `y` are no names but booleans.
fn quoted(line: &str) -> String {
    let name = line.trim_start();
    let indent = &line[..line.len() - name.len()];
    match name {
        "n:" | "y:" => format!("{indent}\"{}\":\n", name.trim_end_matches(':')),
        _ => format!("{line}\n"),
    }
}

/// All definitions as they are committed: for `kubectl apply`, or as the template of the Helm chart.
pub fn render(helm: bool) -> String {
    let documents = definitions().map(|definition| {
        let yaml = to_yaml(&definition);
        if helm {
            helm_document(&definition, &yaml)
        } else {
            yaml
        }
    });
    let body = documents
        .map(|document| format!("---\n{document}"))
        .concat();
    if helm {
        format!(
            "{{{{- /* Generated from the Rust types by `clientele crds --helm`. Do not edit. */}}}}\n{{{{- include \"clientele.fill\" . }}}}\n{{{{- if .Values.crds.enabled }}}}\n{body}{{{{- end }}}}\n"
        )
    } else {
        body
    }
}

/// Escapes what Helm would take for a template, and lets the values add metadata.
fn helm_document(definition: &CustomResourceDefinition, yaml: &str) -> String {
    let name = format!("  name: {}\n", definition.name_any());
    let include = format!("{name}  {{{{- include \"clientele.crdMetadata\" . | nindent 2 }}}}\n");
    yaml.replace("{{", "{{ \"{{\" }}")
        .replacen(&name, &include, 1)
}

/// Gives `status` its schema default, which no attribute of the derive can express.
fn with_pending_status(mut definition: CustomResourceDefinition) -> CustomResourceDefinition {
    for version in &mut definition.spec.versions {
        let schema = version
            .schema
            .as_mut()
            .and_then(|schema| schema.open_api_v3_schema.as_mut())
            .expect("a derived definition has a schema");
        refuse_null(schema);
        let status = schema
            .properties
            .as_mut()
            .and_then(|properties| properties.get_mut("status"))
            .expect("every kind has a status");
        status.default = Some(JSON(pending_status()));
    }
    definition
}

/// Without `nullable` the API server prunes a null, so that it means "not set" to rules and to us alike.
fn refuse_null(schema: &mut JSONSchemaProps) {
    schema.nullable = None;
    for property in schema
        .properties
        .iter_mut()
        .flat_map(|map| map.values_mut())
    {
        refuse_null(property);
    }
    if let Some(JSONSchemaPropsOrArray::Schema(items)) = schema.items.as_mut() {
        refuse_null(items);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_optional_choice_is_explained_by_its_field_and_not_by_its_type() {
        let client = serde_json::to_value(&definitions()[0]).unwrap();
        let spec =
            &client["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"];
        for (field, words) in [
            ("/properties/idTokenSignedResponseAlg", "of its ID tokens"),
            ("/properties/tokenEndpointAuthMethod", "The only way"),
            (
                "/properties/secret/properties/format",
                "entries, type and labels",
            ),
        ] {
            let said = spec.pointer(field).unwrap()["description"].as_str();
            assert!(
                said.is_some_and(|said| said.contains(words)),
                "{field}: {said:?}"
            );
        }
    }
}
