//! `OAuthTenant`: what a platform team writes.

mod client_policy;
mod signing_key;
mod users;

use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use kube::{CustomResource, KubeSchema};
use serde::{Deserialize, Serialize};

use super::access_tokens::{AccessTokens, AudienceClaim};
use super::allowed_keys::allowed_keys_schema;
use super::duration::between;
use super::schema::{self, audience_uri, scope_token};
use super::{DurationString, Lifetimes};

pub use client_policy::{
    CustomClientIds, NamespacePolicy, RedirectHosts, RedirectSchemes, ReservedClientId,
};
pub use signing_key::SigningKeyStatus;
pub use users::{SignInWith, Users};

/// An issuer with its own people, signing keys, scopes and policy.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[kube(
    group = "clientele.dev",
    version = "v1alpha1",
    kind = "OAuthTenant",
    plural = "oauthtenants",
    singular = "oauthtenant",
    shortname = "oat",
    category = "clientele",
    status = "OAuthTenantStatus",
    derive = "PartialEq",
    derive = "Default",
    doc = "An issuer with its own people, signing keys, scopes and policy. The tenant named default issues at the public URL itself, others at <public URL>/t/<name>.",
    validation = Rule::new("self.metadata.name.matches('^[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?$')").message("the name of an OAuthTenant must be at most 40 lower case letters, digits and '-', because it is part of the issuer's URL"),
    printcolumn(name = "Issuer", type_ = "string", json_path = ".status.issuer"),
    printcolumn(name = "Algorithm", type_ = "string", json_path = ".spec.signing.algorithm"),
    printcolumn(name = "Ready", type_ = "string", json_path = ".status.conditions[?(@.type=='Ready')].status"),
    printcolumn(name = "Reason", type_ = "string", json_path = ".status.conditions[?(@.type=='Ready')].reason"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    printcolumn(name = "Message", type_ = "string", json_path = ".status.conditions[?(@.type=='Ready')].message", priority = 1)
)]
#[serde(rename_all = "camelCase")]
#[schemars(rename_all = "camelCase")]
pub struct OAuthTenantSpec {
    /// The name that people see when they sign in. Default: the name of the OAuthTenant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 100))]
    #[x_kube(validation = Rule::new(schema::READABLE).message(schema::READABLE_MESSAGE))]
    pub display_name: Option<String>,

    /// How the pages look on which people sign in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branding: Option<Branding>,

    /// Which namespaces may have clients in this tenant, by their labels. Default: all, which the condition
    /// `ServesEveryNamespace` points out; an empty selector (`{}`) states that all may. A single namespace is selected by the
    /// label kubernetes.io/metadata.name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::namespaces")]
    pub namespaces: Option<LabelSelector>,

    /// Which namespaces may have first-party clients, whose people are not asked for consent. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_party: Option<NamespacePolicy>,

    /// Which namespaces may bring client IDs of their own, and which IDs. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub custom_client_ids: Option<CustomClientIds>,

    /// Where clients may send people back to, and which web origins they may name, by host. Default: no limit. Once
    /// there is an entry, the clients of a namespace may name the hosts of those entries that select it, and no other:
    /// redirectUris, postLogoutRedirectUris and allowedOrigins. Loopback hosts and private-use schemes stay on the
    /// person's own device and are not limited.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32))]
    pub redirect_hosts: Vec<RedirectHosts>,

    /// Private-use schemes without a dot to which clients may send people back, such as `vscode` or `cursor`, by namespace.
    /// Default: none. Any application on a person's device can register such a scheme (RFC 8252 section 7.1), so people
    /// confirm each time. Schemes in reverse-DNS form, such as `com.example.app`, need no entry.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32))]
    pub redirect_schemes: Vec<RedirectSchemes>,

    /// Where the people of this tenant are described.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub users: Option<Users>,

    /// How long people stay signed in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<Session>,

    /// The scopes that clients may ask for, beside those of OpenID Connect and `groups`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 256), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub scopes: Vec<TenantScope>,

    /// The form of access tokens, where the audience does not say otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_tokens: Option<AccessTokens>,

    /// The APIs that clients may ask tokens for (resource indicators, RFC 8707). Two URIs that differ only in the case of
    /// scheme and host, in the default port or in an empty path are one. A URI that is the ID of a client or the subject
    /// of a person in any tenant, or the issuer of another tenant, is refused, and the condition Ready says so.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 256), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["uri"]))]
    pub audiences: Vec<TenantAudience>,

    /// Lifetimes of what the clients of this tenant are issued.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lifetimes: Option<TenantLifetimes>,

    /// How tokens of the cluster's ServiceAccounts are verified, with which clients prove themselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_account_tokens: Option<ServiceAccountTokens>,

    /// What credentials Secrets of the clients of this tenant may look like.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secrets: Option<TenantSecrets>,

    /// Whether signing in needs PKCE (RFC 7636). `ByClient` (default): as requirePkce of each OAuthClient says.
    /// `Required`: for every client, whatever its OAuthClient says.
    #[serde(default)]
    pub pkce: Pkce,

    /// The keys that sign tokens.
    #[serde(default)]
    pub signing: Signing,
}

/// What credentials Secrets of the clients of a tenant may look like.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename_all = "camelCase")]
pub struct TenantSecrets {
    /// The keys that labels and annotations of the Secrets may have: `example.com/team`, or `example.com/*` for every key
    /// below. Makes the list of the installation (`secrets.allowedKeys` of the chart) narrower and never wider. Default: all
    /// keys of the installation. An empty list allows none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "allowed_keys_schema")]
    pub allowed_keys: Option<Vec<String>>,
}

/// Who decides whether signing in needs PKCE.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema,
)]
#[schemars(transform = schema::undescribed)]
pub enum Pkce {
    /// `requirePkce` of each client.
    #[default]
    ByClient,
    /// The tenant: always.
    Required,
}

/// How tokens of the cluster's ServiceAccounts are verified.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
pub struct ServiceAccountTokens {
    /// `TokenReview` (default): the API server is asked, at most every 10 seconds for a token, and notices pods and
    /// ServiceAccounts that are gone. `Offline`: by the cluster's public keys alone; a token counts until it expires,
    /// whatever is deleted, and serviceAccounts of clients must name the UID.
    #[serde(default)]
    pub verification: ServiceAccountVerification,
}

/// Who says whether the token of a ServiceAccount is genuine.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema,
)]
pub enum ServiceAccountVerification {
    /// The API server.
    #[default]
    TokenReview,
    /// The cluster's public keys.
    Offline,
}

/// How the pages look on which people sign in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
pub struct Branding {
    /// A picture as a `data:` URL of type image/png, image/jpeg, image/webp or image/svg+xml in base64, at most
    /// 32 KiB long. It is shown as a picture only: a script within does not run, and nothing is fetched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 32_768))]
    #[x_kube(validation = Rule::new("self.matches('^data:image/(png|jpeg|webp|svg[+]xml);base64,(([A-Za-z0-9+/]{4})+([A-Za-z0-9+/]{2}={0,2}|[A-Za-z0-9+/]{3}=?)?|([A-Za-z0-9+/]{2}={0,2}|[A-Za-z0-9+/]{3}=?))$')").message("must be a data: URL such as data:image/png;base64,iVBORw0K... of type png, jpeg, webp or svg+xml"))]
    pub logo: Option<String>,
    /// The color of the main button, such as `#1a73e8`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 7))]
    #[x_kube(validation = Rule::new("self.matches('^#[0-9a-fA-F]{6}$')").message("must be a color of the form #rrggbb, such as #1a73e8"))]
    pub color: Option<String>,
}

/// How long people stay signed in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[x_kube(validation = Rule::new(schema::IDLE_WITHIN_ABSOLUTE).message("idle must be at most absolute"))]
pub struct Session {
    /// Unused for this long, a session ends: at least 1m, at most 8760h. Default: 8h.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "session_schema")]
    pub idle: Option<DurationString>,
    /// However much it is used, a session ends after this: at least 1m, at most 8760h. Default: 168h.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "session_schema")]
    pub absolute: Option<DurationString>,
    /// Whether people may stay signed in after they close the browser: the sign-in page then has a box "Keep me signed in",
    /// which is not ticked. `idle` and `absolute` end such a session as well, and so does a new password. Default: false.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub persistent: bool,
}

/// A scope of the tenant.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
pub struct TenantScope {
    /// The scope value (RFC 6749 section 3.3).
    #[schemars(schema_with = "scope_name_schema")]
    pub name: String,
    /// What it allows, as a sentence for people; the consent page shows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 256))]
    pub description: Option<String>,
    /// The claims about a person that it promises, such as those that OAuthUsers have in `claims`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::claim_names")]
    pub claims: Vec<String>,
    /// Which namespaces' clients may have it. Default: all of the tenant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::namespaces")]
    pub namespaces: Option<LabelSelector>,
}

/// An API that accepts tokens of the tenant.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename_all = "camelCase")]
pub struct TenantAudience {
    /// The absolute URI that names the API (RFC 8707 section 2); it becomes the `aud` of its tokens.
    #[schemars(schema_with = "audience_schema")]
    pub uri: String,
    /// The scopes of the tenant that belong to this API: they are granted only in tokens for it. A scope that no API lists is
    /// granted in tokens for any, so one that spec.scopes does not have is reported (condition `Advisory`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "audience_scopes_schema")]
    pub scopes: Vec<String>,
    /// The IDs of the clients that may introspect tokens for it (RFC 7662), such as those of the API itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::client_ids")]
    pub introspectors: Vec<String>,
    /// What the access tokens for it say beside the claims of the protocol. Default: nothing. A token for several
    /// audiences gets the claims that all of them list with the same words. Together they take up at most 4 KiB; a
    /// person with more gets no token. The introspection endpoint answers them too; ID tokens and userinfo do not have
    /// them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub claims: Vec<AudienceClaim>,
    /// The form of access tokens for it. Default: that of the tenant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_tokens: Option<AccessTokens>,
    /// Which namespaces' clients may have tokens for it. Default: all of the tenant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::namespaces")]
    pub namespaces: Option<LabelSelector>,
}

/// Lifetimes of what the clients of a tenant are issued.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
pub struct TenantLifetimes {
    /// For clients that say nothing. Default: `authorizationCode: 60s`, `accessToken: 10m`, `idToken: 10m`,
    /// `refreshToken: 720h`, `refreshTokenIdle: 168h`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<Lifetimes>,
    /// What no client exceeds, whatever it says. Default: `authorizationCode: 10m`, `accessToken: 24h`,
    /// `idToken: 24h`, `refreshToken: 8760h`, `refreshTokenIdle: 8760h`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maximum: Option<Lifetimes>,
}

/// The keys that sign tokens. A tenant has keys of all three algorithms.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("!has(self.algorithms) || self.algorithm in self.algorithms").message("the algorithm of access tokens, which is ES256 unless algorithm is set, must be among algorithms: add it there, or set algorithm to one of them").field_path(".algorithms"))]
pub struct Signing {
    /// The algorithms whose keys are published, in the JWK Set and in the metadata: some of `ES256`, `RS256` and
    /// `EdDSA`. The first is that of ID tokens of a client that names none. Default: `[RS256, ES256, EdDSA]`. Before
    /// one is removed, `algorithm` and the clients must use another one, and the tokens that it signed must have
    /// expired: no other key verifies them afterwards.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(min = 1, max = 3), extend("x-kubernetes-list-type" = "set"))]
    pub algorithms: Vec<SigningAlgorithm>,
    /// The signature algorithm of access tokens: `ES256` (default), `RS256` or `EdDSA`. A change takes
    /// effect at once. Clients choose the algorithm of their ID tokens themselves.
    #[serde(default)]
    pub algorithm: SigningAlgorithm,
    /// How long a key signs before the next one takes over: at least 1h, at most 8760h. Default: 2160h (90 days).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "rotate_every_schema")]
    pub rotate_every: Option<DurationString>,
    /// Rotates the keys of every algorithm once whenever this value changes, such as a date or the number of a ticket. New keys are
    /// published at once and sign after `signingKeys.publishAhead` of the chart (15m); the former ones stay published until their
    /// last token has expired. The value that was answered last is `status.lastHandledRequestId`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64))]
    #[x_kube(validation = Rule::new("self.matches('^[A-Za-z0-9][A-Za-z0-9._:/+-]*$')").message("must consist of letters, digits, '.', '_', ':', '/', '+' and '-', such as 2026-11-25 or INC-4711"))]
    pub request_id: Option<String>,
    /// Whether the rotation by `requestId` is for keys that have leaked: then new keys sign at once, without having been published, and
    /// the former ones leave the JWK Set, so that every token they signed is refused. Verifiers that keep a copy of the JWK Set
    /// (RFC 7517 section 5) accept such tokens until they fetch it again, and refuse new ones until then. Default: false.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub emergency: bool,
}

impl Signing {
    /// [`Signing::rotate_every`] where a manifest says nothing.
    pub const DEFAULT_ROTATE_EVERY: Duration = Duration::from_hours(90 * 24);
}

/// A signature algorithm (RFC 7518 section 3.1, RFC 8037 section 3.1).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema,
)]
#[schemars(transform = schema::undescribed)]
pub enum SigningAlgorithm {
    /// ECDSA on P-256 with SHA-256.
    #[default]
    ES256,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    RS256,
    /// Ed25519.
    EdDSA,
}

/// What the operator says about an OAuthTenant.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename_all = "camelCase")]
pub struct OAuthTenantStatus {
    /// The generation of the spec that this status is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// The issuer identifier, where discovery begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// The IDs of the signing keys. Those of `signing.algorithms` are published.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 1024))]
    pub key_ids: Vec<String>,
    /// The same signing keys with their times: of each algorithm the one that signs, those that will, and those whose tokens have not all
    /// expired.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 1024))]
    pub signing_keys: Vec<SigningKeyStatus>,
    /// The value of `spec.signing.requestId` that was answered last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub last_handled_request_id: Option<String>,
    /// Ready, Reconciling and Stalled; `ServesEveryNamespace` without spec.namespaces; `Advisory` if a field has no effect, or probably not the one
    /// that was meant, such as an entry of spec.audiences with a scope that spec.scopes does not have.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "super::condition::conditions_schema")]
    pub conditions: Vec<super::condition::Condition>,
}

fn scope_name_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    let mut schema = scope_token();
    if let Some(rules) = schema["x-kubernetes-validations"].as_array_mut() {
        rules.push(serde_json::json!({
            "rule": "!(self in ['openid', 'profile', 'email', 'address', 'phone', 'groups', 'offline_access'])",
            "message": "is a scope that every tenant has; remove it",
        }));
    }
    schema.try_into().unwrap_or_default()
}

fn audience_scopes_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({
        "type": "array",
        "maxItems": 64,
        "x-kubernetes-list-type": "set",
        "items": { "type": "string", "minLength": 1, "maxLength": 128 },
    })
}

fn audience_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    audience_uri().try_into().unwrap_or_default()
}

fn rotate_every_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    between("1h", "8760h")
}

fn session_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    between("1m", "8760h")
}
