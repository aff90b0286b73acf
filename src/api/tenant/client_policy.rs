//! Which namespaces' clients may have which names, and return to which addresses.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use crate::schema;

/// Hosts to which the clients of some namespaces may send people back.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
pub struct RedirectHosts {
    /// Hosts without scheme and port: exact, such as `app.example.com`, or `*.example.com` for every host below
    /// `example.com`, at any depth, and not `example.com` itself.
    #[schemars(schema_with = "schema::redirect_hosts")]
    pub hosts: Vec<String>,
    /// Which namespaces' clients, by their labels. Default: all of the tenant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::namespaces")]
    pub namespaces: Option<LabelSelector>,
}

/// Client IDs that teams choose.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename_all = "camelCase")]
pub struct CustomClientIds {
    /// The labels of the namespaces that may bring client IDs. An empty selector selects all. Default: none, except for
    /// the IDs in reserved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::namespaces")]
    pub namespaces: Option<LabelSelector>,
    /// Client IDs that are kept for one namespace each, by name and never by labels. An ID that means something to a
    /// cluster (`kubernetes`, `k8s`, `api`, `default`, `system`, `sts.amazonaws.com`, `vault`) is given in no other way,
    /// because a client with it can be issued tokens that a cluster or a cloud takes for its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["id", "namespace"]))]
    pub reserved: Vec<ReservedClientId>,
    /// Whether these IDs may contain the characters `:`, `/` and `@`, as those of clients that come from other servers
    /// do. Default: false. A library that does not form-encode an ID with `:` in the Authorization header (RFC 6749
    /// section 2.3.1) needs `client_secret_post`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub uri_characters: bool,
}

/// A client ID that is kept for a namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
pub struct ReservedClientId {
    /// The client ID, exactly.
    #[schemars(length(min = 1, max = 128))]
    #[x_kube(validation = Rule::new("self.matches('^[A-Za-z0-9._~:/@-]+$')").message("must be a client ID: letters, digits, '.', '_', '~', '-', ':', '/' and '@'"))]
    pub id: String,
    /// The name of the namespace.
    #[schemars(length(min = 1, max = 63))]
    #[x_kube(validation = Rule::new("self.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$')").message("must be the name of a namespace"))]
    pub namespace: String,
}

/// Private-use schemes without a dot to which the clients of some namespaces may send people back.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
pub struct RedirectSchemes {
    /// The schemes, without a colon: 3 to 31 lower case letters, digits, `+` and `-`.
    #[schemars(schema_with = "schema::redirect_schemes")]
    pub schemes: Vec<String>,
    /// Which namespaces' clients, by their labels. An empty selector selects all of the tenant.
    #[schemars(schema_with = "schema::namespaces")]
    pub namespaces: LabelSelector,
}

/// Namespaces that have a privilege.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
pub struct NamespacePolicy {
    /// The labels of these namespaces. An empty selector selects all.
    #[schemars(schema_with = "schema::namespaces")]
    pub namespaces: LabelSelector,
}
