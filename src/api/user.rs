//! `OAuthUser`: a person who does not come from an upstream provider.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::{CustomResource, KubeSchema};
use schemars::{Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::DEFAULT_TENANT;
use super::schema::{self, PROTOCOL_CLAIMS};
use super::standard_claims;

/// The type of Secrets that hold passwords. A Secret of another type is never read as one, so that an OAuthUser cannot probe
/// the Secrets of other applications.
pub const PASSWORD_TYPE: &str = "clientele.dev/password";
/// Claims that have a field of their own.
pub const FIELD_CLAIMS: [&str; 5] = [
    "email",
    "email_verified",
    "groups",
    "name",
    "preferred_username",
];

/// A person who can sign in to the clients of a tenant. Counts only in namespaces that the tenant selects in
/// `spec.users.namespaces`.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[kube(
    group = "clientele.dev",
    version = "v1alpha1",
    kind = "OAuthUser",
    plural = "oauthusers",
    singular = "oauthuser",
    shortname = "oau",
    category = "clientele",
    namespaced,
    status = "OAuthUserStatus",
    derive = "PartialEq",
    derive = "Default",
    doc = "A person who can sign in to the clients of a tenant, for people who do not come from an upstream provider. Counts only in namespaces that the tenant selects in spec.users.namespaces.",
    validation = Rule::new("!has(oldSelf.status) || !has(oldSelf.status.sessionsValidFrom) || (has(self.status) && has(self.status.sessionsValidFrom))").message("status.sessionsValidFrom is a ledger and must not be removed"),
    printcolumn(name = "Username", type_ = "string", json_path = ".spec.username"),
    printcolumn(name = "Tenant", type_ = "string", json_path = ".spec.tenant"),
    printcolumn(name = "Ready", type_ = "string", json_path = ".status.conditions[?(@.type=='Ready')].status"),
    printcolumn(name = "Reason", type_ = "string", json_path = ".status.conditions[?(@.type=='Ready')].reason"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    printcolumn(name = "Email", type_ = "string", json_path = ".spec.email", priority = 1),
    printcolumn(name = "Subject", type_ = "string", json_path = ".status.subject", priority = 1),
    printcolumn(name = "Message", type_ = "string", json_path = ".status.conditions[?(@.type=='Ready')].message", priority = 1)
)]
#[serde(rename_all = "camelCase")]
#[schemars(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("self.tenant == oldSelf.tenant").message("tenant cannot be changed; delete the OAuthUser and create it again in the other tenant").field_path(".tenant"),
    validation = Rule::new("has(self.subject) == has(oldSelf.subject) && (!has(self.subject) || self.subject == oldSelf.subject)").message("subject cannot be changed, because applications know the person by it; delete the OAuthUser and create it again with the other subject")
)]
pub struct OAuthUserSpec {
    /// The OAuthTenant whose clients this person can sign in to. Cannot be changed.
    #[serde(default = "default_tenant")]
    #[schemars(length(min = 1, max = 40))]
    pub tenant: String,

    /// What the person types to sign in, in lower case; typed in whatever case. The first in a tenant to claim a
    /// name has it. Also the claim `preferred_username`.
    #[schemars(length(min = 1, max = 128))]
    #[x_kube(validation = Rule::new("self.matches('^[a-z0-9]([a-z0-9._@+-]*[a-z0-9])?$')").message("must consist of lower case letters, digits, '.', '_', '@', '+' and '-', and begin and end with a letter or digit"))]
    pub username: String,

    /// The email address: the claim `email`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 3, max = 254))]
    #[x_kube(validation = Rule::new(r"self.matches('^[^@\\p{C}\\p{Z}]+@[^@\\p{C}\\p{Z}]+$')").message("must be an email address, such as alice@example.com"))]
    pub email: Option<String>,

    /// Whether the email address has been verified: the claim `email_verified` (OIDC Core section 5.1). Default: nothing is
    /// claimed, and clients do not receive `email_verified`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email_verified: Option<bool>,

    /// The full name: the claim `name`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 200))]
    #[x_kube(validation = Rule::new(schema::READABLE).message(schema::READABLE_MESSAGE))]
    pub name: Option<String>,

    /// The groups of the person, told to clients with the scope `groups`, and asked for by `allowedGroups` of
    /// OAuthClients. Groups that begin with `system:` are reserved.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::groups")]
    pub groups: Vec<String>,

    /// More claims about the person by name, such as `given_name`, `locale` or those that a scope of the tenant
    /// promises; any JSON, nested at most 16 deep. Standard claims have the types of OIDC Core section 5.1. Together with
    /// the other fields about the person, at most 5 KiB as JSON, so that an ID token fits a URL. Claims of the protocol
    /// and those with a field of their own are refused.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    #[schemars(schema_with = "claims_schema")]
    pub claims: Map<String, Value>,

    /// The `sub` by which applications know the person, brought from elsewhere. Default, and best left so: a
    /// random value that no other person ever has. The first to claim a value has it, among the subjects and client IDs of the
    /// tenant and the client IDs and audiences of the installation. Cannot be changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    #[x_kube(
        validation = Rule::new("self.matches('^[!-~]+$')").message("must consist of printable ASCII characters without spaces"),
        validation = Rule::new("!self.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?[.][A-Za-z0-9._~-]*$')").message("must not have the form <namespace>.<name>, which is the form of client IDs; no person may be taken for a client"),
        validation = Rule::new("!self.lowerAscii().startsWith('system:') && !self.lowerAscii().startsWith('usr:') && !self.lowerAscii().startsWith('fam_')").message("must not begin with usr:, system: or fam_, which are reserved")
    )]
    pub subject: Option<String>,

    /// The Secret with the password. Without it this person cannot sign in by password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_secret_ref: Option<PasswordSecretRef>,

    /// Refuses to let the person in and ends at once what began before. Setting it back brings no session and no
    /// grant back to life.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub disabled: bool,
}

fn default_tenant() -> String {
    DEFAULT_TENANT.to_owned()
}

/// An entry of a Secret of type `clientele.dev/password` in the same namespace. It holds a hash (argon2id, or PBKDF2
/// with SHA-256 or SHA-512, in the PHC string format, or bcrypt up to cost 13), or the password itself, 8 to 1024 bytes,
/// which is then hashed in memory only. What looks like a hash of another kind is refused. A change ends every session
/// and grant of the person.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
pub struct PasswordSecretRef {
    /// The name of the Secret.
    #[schemars(length(min = 1, max = 253))]
    #[x_kube(validation = Rule::new("self.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*$')").message("must be the name of a Secret in the same namespace"))]
    pub name: String,
    /// The entry. Default: `password`.
    #[serde(default = "default_key")]
    #[schemars(length(min = 1, max = 253))]
    #[x_kube(validation = Rule::new("self.matches('^[-._a-zA-Z0-9]+$')").message("must be the name of an entry of the Secret"))]
    pub key: String,
}

fn default_key() -> String {
    "password".to_owned()
}

/// What the operator says about an OAuthUser. Nothing in it is secret.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("!has(oldSelf.sessionsValidFrom) || !has(self.sessionsValidFrom) || self.sessionsValidFrom >= oldSelf.sessionsValidFrom").message("sessionsValidFrom only rises"))]
pub struct OAuthUserStatus {
    /// The generation of the spec that this status is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,

    /// The `sub` by which applications know the person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,

    /// The username under which the person is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,

    /// Sessions and grants that began earlier are over: when the person was last seen to be disabled. Only rises.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sessions_valid_from: Option<Time>,

    /// Ready, Reconciling and Stalled.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "super::condition::conditions_schema")]
    pub conditions: Vec<super::condition::Condition>,
}

/// Free JSON. Rules of the API server see only properties that are named, so the forbidden ones are.
fn claims_schema(_: &mut SchemaGenerator) -> Schema {
    let named = |names: &[&str], why: &str| -> Map<String, Value> {
        let property = json!({ "x-kubernetes-int-or-string": true, "description": why });
        names
            .iter()
            .map(|name| ((*name).to_owned(), property.clone()))
            .collect()
    };
    let none_of = |names: &[&str]| {
        let rules: Vec<String> = names.iter().map(|n| format!("!has(self.{n})")).collect();
        rules.join(" && ")
    };
    let mut properties = named(&PROTOCOL_CLAIMS, "Not allowed: a claim of the protocol.");
    properties.extend(named(&FIELD_CLAIMS, "Not allowed: has a field of its own."));
    properties.extend(standard_claims::schemas());
    json_schema!({
        "type": "object",
        "description": "More claims about the person by name, such as given_name, locale or those that a scope of the tenant promises; any JSON, nested at most 16 deep. Standard claims have the types of OIDC Core section 5.1. Together with the other fields about the person, at most 5 KiB as JSON, so that an ID token fits a URL. Claims of the protocol and those with a field of their own are refused.",
        "maxProperties": 64,
        "x-kubernetes-preserve-unknown-fields": true,
        "properties": properties,
        "x-kubernetes-validations": [
            {
                "rule": none_of(&PROTOCOL_CLAIMS),
                "message": format!("must not contain claims of the protocol, which are not attributes of a person: {}", PROTOCOL_CLAIMS.join(", ")),
            },
            {
                "rule": none_of(&FIELD_CLAIMS),
                "message": "must not contain claims that have a field of their own: email, emailVerified, groups, name and username of the spec",
            },
        ],
    })
}
