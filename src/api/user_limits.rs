//! `spec.users.limits` of an OAuthTenant: what the OAuthUsers of a namespace may claim to be.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use kube::KubeSchema;
use schemars::{Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// What the OAuthUsers of some namespaces may claim to be.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("has(self.emailDomains) || has(self.groups)").message("limits nothing; set emailDomains, groups or both"))]
pub struct UserLimits {
    /// Which namespaces' OAuthUsers, by their labels. Default: all from which the tenant takes its people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::schema::namespaces")]
    pub namespaces: Option<LabelSelector>,
    /// The domains of their email addresses, and of usernames that contain an `@`: exact, such as `example.com`, or
    /// `*.example.com` for every domain below it and not `example.com` itself. Default: no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "domains_schema")]
    pub email_domains: Option<Vec<String>>,
    /// Their groups: exact, or with `*` at the end every group that begins with the rest, such as `team-a-*`. Default: no
    /// limit. An empty list allows no group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "groups_schema")]
    pub groups: Option<Vec<String>>,
}

fn domains_schema(_: &mut SchemaGenerator) -> Schema {
    const LABEL: &str = "[a-z0-9]([a-z0-9-]*[a-z0-9])?";
    json_schema!({
        "type": "array",
        "minItems": 1,
        "maxItems": 64,
        "x-kubernetes-list-type": "set",
        "items": {
            "type": "string",
            "minLength": 1,
            "maxLength": 253,
            "x-kubernetes-validations": [{
                "rule": format!("self.matches('^([*][.])?({LABEL}[.])*{LABEL}$')"),
                "message": "must be a domain in lower case such as example.com, or *.example.com for every domain below it",
            }],
        },
    })
}

fn groups_schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "array",
        "maxItems": 64,
        "x-kubernetes-list-type": "set",
        "items": {
            "type": "string",
            "minLength": 1,
            "maxLength": 128,
            "x-kubernetes-validations": [{
                "rule": r"!self.matches('[\\p{C}\\p{Z}]') && !self.matches('[*].')",
                "message": "must be a group such as staff, or with * at its end every group that begins with the rest, such as team-a-*",
            }],
        },
    })
}
