//! `spec.secret`: the credentials Secret.

use std::collections::BTreeMap;

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use super::entry_name::{MAX_LEN as MAX_ENTRY, rules as entry_rules};
use super::secret_marks::{annotations_schema, free_name_rule, labels_schema, type_rule};
use super::secret_template::template_schema;

/// The credentials Secret, always in the namespace of the OAuthClient. The operator writes it and puts
/// back whatever is changed or removed; entries that others add are left alone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename_all = "camelCase")]
pub struct SecretSpec {
    /// The name of the Secret. Default: the name of the OAuthClient followed by `-oauth`.
    /// A Secret of that name that belongs to another owner is never touched. After a rename the new
    /// Secret is written before the old one is removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    #[x_kube(
        validation = Rule::new("self.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*$')").message("must be a name of lower case letters, digits, '-' and '.', such as web-oauth"),
        validation = Rule::new(free_name_rule()).message("is reserved for another purpose in Kubernetes; choose another name, or omit it to get <name>-oauth")
    )]
    pub name: Option<String>,

    /// What the Secret is for: entries, type and labels as an application expects them (docs/how-to/secret-formats.md).
    /// `entries`, `template`, `type`, `labels` and `annotations` come on top and win. Default: entries that fit
    /// `envFrom`, such as `CLIENT_ID`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<SecretFormat>,

    /// The type of the Secret: `Opaque`, `servicebinding.io/oauth2` or `nginx.org/oidc`. Default: that of the
    /// format, else `Opaque`. Cannot be changed, as in Kubernetes. Types with a meaning to the cluster cannot be had.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    #[schemars(rename = "type", length(max = 64))]
    #[x_kube(validation = Rule::new(type_rule()).message("must be Opaque, servicebinding.io/oauth2 or nginx.org/oidc"))]
    pub type_: Option<String>,

    /// Labels put on the Secret, such as `app.kubernetes.io/part-of: argocd`. The keys are those that the installation allows
    /// (`secrets.allowedKeys` of the chart) and the tenant does not exclude (`spec.secrets.allowedKeys`).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "labels_schema")]
    pub labels: BTreeMap<String, String>,

    /// Annotations put on the Secret, such as `reloader.stakater.com/match: "true"`. The keys are allowed as those of labels.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "annotations_schema")]
    pub annotations: BTreeMap<String, String>,

    /// Other names for the entries of the Secret, for applications that expect them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entries: Option<EntryNames>,

    /// Further entries, such as a whole configuration file: by the name of the entry a text with placeholders,
    /// `{{ clientId }}` or with an escape `{{ clientSecret | json }}`. It takes the place of another entry of the same name.
    /// The escapes are `json` and `yaml` (a string with its quotes, lists as a list), `url` (a component of a URL),
    /// `csv` (a list with commas) and `raw` (default; lists with spaces). The placeholders stand in docs/how-to/secret-formats.md.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "template_schema")]
    pub template: BTreeMap<String, String>,
}

/// What a credentials Secret is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[schemars(transform = super::schema::undescribed)]
pub enum SecretFormat {
    /// Argo CD: entries for `oidc.config`, and the label by which it finds them.
    ArgoCD,
    /// Only what `entries` and `template` name.
    Bare,
    /// The OIDC filter of an Envoy Gateway `SecurityPolicy`.
    EnvoyGateway,
    /// The environment of Grafana's generic OAuth.
    Grafana,
    /// The chart of oauth2-proxy, as `config.existingSecret`.
    OAuth2Proxy,
    /// The Service Binding specification; the OAuthClient is a Provisioned Service.
    ServiceBinding,
    /// The environment of Spring Boot, with the registration `oidc`.
    SpringBoot,
}

/// The name of each entry of the credentials Secret. An entry that is not named here keeps its default,
/// which fits `envFrom`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename_all = "camelCase")]
#[x_kube(validation = Rule::new(DISTINCT).message("two entries have the same name; give each entry its own"))]
pub struct EntryNames {
    /// The entry that holds the client ID. Default: `CLIENT_ID`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "entry_schema")]
    pub client_id: Option<String>,

    /// The entry that holds the client secret. Default: `CLIENT_SECRET`. A Public client has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "entry_schema")]
    pub client_secret: Option<String>,

    /// The entry that holds the issuer identifier. Default: `ISSUER`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "entry_schema")]
    pub issuer: Option<String>,

    /// The entry that holds the URL of the token endpoint. Default: `TOKEN_ENDPOINT`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "entry_schema")]
    pub token_endpoint: Option<String>,

    /// The entry that holds the URL of the authorization endpoint. Default: `AUTHORIZATION_ENDPOINT`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "entry_schema")]
    pub authorization_endpoint: Option<String>,

    /// The entry that holds the URL of the JWK Set. Default: `JWKS_URI`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "entry_schema")]
    pub jwks_uri: Option<String>,
}

const DISTINCT: &str = "[has(self.clientId) ? self.clientId : 'CLIENT_ID', \
has(self.clientSecret) ? self.clientSecret : 'CLIENT_SECRET', \
has(self.issuer) ? self.issuer : 'ISSUER', \
has(self.tokenEndpoint) ? self.tokenEndpoint : 'TOKEN_ENDPOINT', \
has(self.authorizationEndpoint) ? self.authorizationEndpoint : 'AUTHORIZATION_ENDPOINT', \
has(self.jwksUri) ? self.jwksUri : 'JWKS_URI'].all(a, \
[has(self.clientId) ? self.clientId : 'CLIENT_ID', \
has(self.clientSecret) ? self.clientSecret : 'CLIENT_SECRET', \
has(self.issuer) ? self.issuer : 'ISSUER', \
has(self.tokenEndpoint) ? self.tokenEndpoint : 'TOKEN_ENDPOINT', \
has(self.authorizationEndpoint) ? self.authorizationEndpoint : 'AUTHORIZATION_ENDPOINT', \
has(self.jwksUri) ? self.jwksUri : 'JWKS_URI'].exists_one(b, a == b))";

fn entry_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    let rules = entry_rules("self").map(|(rule, message)| {
        serde_json::json!({
            "rule": rule,
            "message": message,
        })
    });
    schemars::json_schema!({
        "type": "string",
        "minLength": 1,
        "maxLength": MAX_ENTRY,
        "x-kubernetes-validations": rules,
    })
}
