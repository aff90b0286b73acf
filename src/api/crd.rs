//! The `CustomResourceDefinitions`, as they are committed in `crds/` and in the chart.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, JSON, JSONSchemaProps, JSONSchemaPropsOrArray,
};
use kube::CustomResourceExt;

use super::condition::pending_status;
use super::{OAuthClient, OAuthTenant};

/// Both definitions, complete.
pub fn definitions() -> [CustomResourceDefinition; 2] {
    [OAuthClient::crd(), OAuthTenant::crd()].map(with_pending_status)
}

/// A definition as a YAML document.
pub fn to_yaml(definition: &CustomResourceDefinition) -> String {
    serde_yaml::to_string(definition).expect("a definition is representable in YAML")
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
            .expect("both kinds have a status");
        status.default = Some(JSON(pending_status()));
    }
    definition
}

/// Without `nullable` the API server prunes a null, so that it means "not set" to rules and to us alike.
fn refuse_null(schema: &mut JSONSchemaProps) {
    schema.nullable = None;
    for property in schema.properties.iter_mut().flat_map(|map| map.values_mut()) {
        refuse_null(property);
    }
    if let Some(JSONSchemaPropsOrArray::Schema(items)) = schema.items.as_mut() {
        refuse_null(items);
    }
}
