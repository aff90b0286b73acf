//! `OAuthClient`: what an application team writes.

mod status;

use kube::{CustomResource, KubeSchema};
use serde::{Deserialize, Serialize};

use super::tenant::SigningAlgorithm;
use super::{
    DEFAULT_TENANT, JsonWebKeySet, Lifetimes, RotationSpec, SecretRef, SecretSpec, schema,
};

pub use status::{OAuthClientStatus, SecretGeneration, ServiceBindingRef};

/// IDs that mean something to a cluster: a token must never turn a client into a user of the cluster. A tenant gives one to
/// a namespace by an exact pair.
pub const IDS_OF_CLUSTERS: [&str; 7] = [
    "kubernetes",
    "k8s",
    "api",
    "default",
    "system",
    "sts.amazonaws.com",
    "vault",
];

/// That no entry of the template asks for the client secret.
const NO_SECRET_IN_TEMPLATE: &str = "!has(self.secret) || !has(self.secret.template) || self.secret.template.all(entry, !self.secret.template[entry].matches('[{][{] *clientSecret'))";

/// An OAuth 2.1 / OpenID Connect client. The operator registers it in the embedded server and writes
/// its client ID and secret into a Secret beside it. `spec: {}` is a working machine client.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[kube(
    group = "clientele.dev",
    version = "v1alpha1",
    kind = "OAuthClient",
    plural = "oauthclients",
    singular = "oauthclient",
    shortname = "oac",
    category = "clientele",
    namespaced,
    status = "OAuthClientStatus",
    derive = "PartialEq",
    derive = "Default",
    doc = "A client of the embedded OAuth 2.1 / OpenID Connect server. The operator registers it and writes its client ID and secret into a Secret in the same namespace.",
    validation = Rule::new("size(self.metadata.name) <= 63").message("the name of an OAuthClient must not be longer than 63 characters, because it is part of the client ID"),
    validation = Rule::new("!has(oldSelf.status) || !has(oldSelf.status.secretGeneration) || (has(self.status) && has(self.status.secretGeneration))").message("status.secretGeneration is a ledger and must not be removed"),
    printcolumn(name = "Client ID", type_ = "string", json_path = ".status.clientId"),
    printcolumn(name = "Type", type_ = "string", json_path = ".spec.type"),
    printcolumn(name = "Tenant", type_ = "string", json_path = ".spec.tenant"),
    printcolumn(name = "Ready", type_ = "string", json_path = ".status.conditions[?(@.type=='Ready')].status"),
    printcolumn(name = "Reason", type_ = "string", json_path = ".status.conditions[?(@.type=='Ready')].reason"),
    printcolumn(name = "Secret", type_ = "string", json_path = ".status.secretName"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    printcolumn(name = "Secret age", type_ = "date", json_path = ".status.secretGeneration.publishedAt", priority = 1),
    printcolumn(name = "Old secret until", type_ = "string", json_path = ".status.secretGeneration.overlap.retiresAt", priority = 1),
    printcolumn(name = "Next rotation", type_ = "string", json_path = ".status.rotation.nextAt", priority = 1),
    printcolumn(name = "Last use", type_ = "date", json_path = ".status.lastUsedAt", priority = 1),
    printcolumn(name = "Display name", type_ = "string", json_path = ".spec.displayName", priority = 1),
    printcolumn(name = "First-party", type_ = "boolean", json_path = ".spec.firstParty", priority = 1),
    printcolumn(name = "Issuer", type_ = "string", json_path = ".status.issuer", priority = 1),
    printcolumn(name = "Message", type_ = "string", json_path = ".status.conditions[?(@.type=='Ready')].message", priority = 1),
    printcolumn(name = "Client namespace", type_ = "string", json_path = ".metadata.namespace", priority = 1)
)]
#[serde(rename_all = "camelCase")]
#[schemars(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("self.tenant == oldSelf.tenant").message("tenant cannot be changed; delete the OAuthClient and create it again in the other tenant").field_path(".tenant"),
    validation = Rule::new("has(self.clientId) == has(oldSelf.clientId) && (!has(self.clientId) || self.clientId == oldSelf.clientId)").message("clientId cannot be changed; delete the OAuthClient and create it again with the other ID"),
    validation = Rule::new("(has(self.secret) && has(self.secret.type) ? self.secret.type : has(self.secret) && has(self.secret.format) && self.secret.format == 'ServiceBinding' ? 'servicebinding.io/oauth2' : 'Opaque') == (has(oldSelf.secret) && has(oldSelf.secret.type) ? oldSelf.secret.type : has(oldSelf.secret) && has(oldSelf.secret.format) && oldSelf.secret.format == 'ServiceBinding' ? 'servicebinding.io/oauth2' : 'Opaque')").message("the type of the Secret, which follows from secret.format unless secret.type names it, cannot be changed, as in Kubernetes; give the Secret another name in a new OAuthClient"),
    validation = Rule::new(format!("self.type != 'Public' || {NO_SECRET_IN_TEMPLATE}")).message("a Public client has no secret; remove the placeholder clientSecret from secret.template"),
    validation = Rule::new("self.type != 'Public' || !has(self.secretRef)").message("a Public client has no secret; remove secretRef or make the client Confidential"),
    validation = Rule::new(format!("!has(self.secretRef) || {NO_SECRET_IN_TEMPLATE}")).message("a client secret provided by secretRef is never copied; remove the placeholder clientSecret from secret.template"),
    validation = Rule::new(format!("!has(self.tokenEndpointAuthMethod) || !(self.tokenEndpointAuthMethod in ['private_key_jwt', 'service_account']) || {NO_SECRET_IN_TEMPLATE}")).message("private_key_jwt and service_account leave no client secret; remove the placeholder clientSecret from secret.template"),
    validation = Rule::new("self.type != 'Public' || (has(self.redirectUris) && size(self.redirectUris) > 0)").message("a Public client needs redirectUris; a machine without people is Confidential"),
    validation = Rule::new("self.type != 'Public' || !has(self.grantTypes) || !('client_credentials' in self.grantTypes)").message("a Public client has no secret and cannot use client_credentials; make it Confidential or remove the grant type"),
    validation = Rule::new("self.type != 'Public' || !has(self.tokenEndpointAuthMethod)").message("a Public client has no secret; remove tokenEndpointAuthMethod or make the client Confidential"),
    validation = Rule::new("self.type != 'Public' || !has(self.jwks)").message("a Public client proves nothing about itself; remove jwks or make the client Confidential"),
    validation = Rule::new("!has(self.tokenEndpointAuthMethod) || self.tokenEndpointAuthMethod != 'private_key_jwt' || has(self.jwks)").message("private_key_jwt needs the public keys of the client in jwks"),
    validation = Rule::new("!has(self.jwks) || !has(self.tokenEndpointAuthMethod) || self.tokenEndpointAuthMethod == 'private_key_jwt'").message("jwks is for private_key_jwt; name that method, name none, or remove jwks"),
    validation = Rule::new("!has(self.clientId) || !has(self.audiences) || !(self.clientId in self.audiences)").message("clientId is one of audiences, and a value names one thing only in an installation; choose another ID"),
    validation = Rule::new("!has(self.assertionAudience) || has(self.jwks)").message("assertionAudience is about the assertions that a key of jwks signs; add jwks, or remove assertionAudience"),
    validation = Rule::new("self.type != 'Public' || !has(self.serviceAccounts)").message("a Public client proves nothing about itself; remove serviceAccounts or make the client Confidential"),
    validation = Rule::new("!has(self.tokenEndpointAuthMethod) || self.tokenEndpointAuthMethod != 'service_account' || has(self.serviceAccounts)").message("service_account needs the ServiceAccounts of the client in serviceAccounts"),
    validation = Rule::new("!has(self.serviceAccounts) || !has(self.tokenEndpointAuthMethod) || self.tokenEndpointAuthMethod == 'service_account'").message("serviceAccounts is for service_account; name that method, name none, or remove serviceAccounts"),
    validation = Rule::new("self.type != 'Public' || !has(self.requirePkce) || self.requirePkce").message("requirePkce can be false only for a Confidential client; a Public client has nothing else that protects its codes"),
    validation = Rule::new("self.type != 'Public' || !has(self.rotation)").message("a Public client has no secret to rotate; remove rotation or make the client Confidential"),
    validation = Rule::new("!has(self.secretRef) || !has(self.rotation)").message("a client secret provided by secretRef is rotated by its owner; remove rotation, and write the next value into that Secret, with the former one in the entry that secretRef.previousKey names for as long as both shall work"),
    validation = Rule::new("!has(self.rotation) || !has(self.tokenEndpointAuthMethod) || self.tokenEndpointAuthMethod != 'private_key_jwt'").message("with private_key_jwt there is no client secret to rotate; remove rotation, and to replace a key list the new one beside the old one in jwks until the client signs with it"),
    validation = Rule::new("!has(self.rotation) || !has(self.tokenEndpointAuthMethod) || self.tokenEndpointAuthMethod != 'service_account'").message("with service_account there is no client secret to rotate, and Kubernetes renews the tokens of ServiceAccounts by itself; remove rotation"),
    validation = Rule::new("!has(self.secretRef) || !has(self.tokenEndpointAuthMethod) || !(self.tokenEndpointAuthMethod in ['private_key_jwt', 'service_account'])").message("a client with private_key_jwt or service_account has no client secret; remove secretRef, or name another method or none"),
    validation = Rule::new("!has(self.grantTypes) || !('authorization_code' in self.grantTypes) || (has(self.redirectUris) && size(self.redirectUris) > 0)").message("authorization_code needs at least one entry in redirectUris"),
    validation = Rule::new("!has(self.grantTypes) || !('refresh_token' in self.grantTypes) || 'authorization_code' in self.grantTypes").message("refresh_token needs authorization_code beside it in grantTypes")
)]
pub struct OAuthClientSpec {
    /// The name that people see when they sign in. Default: the name of the OAuthClient.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 100))]
    #[x_kube(validation = Rule::new(schema::READABLE).message(schema::READABLE_MESSAGE))]
    pub display_name: Option<String>,

    /// The OAuthTenant that issues tokens for this client. Cannot be changed.
    #[serde(default = "default_tenant")]
    #[schemars(length(min = 1, max = 40))]
    pub tenant: String,

    /// A client ID brought from elsewhere. Default, and best left so: `<namespace>.<name>`, which is
    /// unique by construction. The tenant must allow it for the namespace, and the characters `:`, `/` and `@` in it
    /// (spec.customClientIds); one that means something to a cluster, such as `kubernetes`, only as a reserved pair of ID
    /// and namespace. The first to claim an ID has it, among the client IDs of the tenant and the audiences and subjects
    /// of the installation. In the Authorization header an ID with `:` is form-encoded (RFC 6749 section 2.3.1).
    /// Cannot be changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 128))]
    #[x_kube(
        validation = Rule::new("self.matches('^[A-Za-z0-9._~:/@-]+$')").message("must consist of letters, digits, '.', '_', '~' and '-', and of ':', '/' and '@' where the tenant sets spec.customClientIds.uriCharacters"),
        validation = Rule::new("self == 'sts.amazonaws.com' || !self.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?[.].*$')").message("must not have the form <namespace>.<name>, which is reserved for default IDs; leave clientId away to get that form"),
        validation = Rule::new("!self.lowerAscii().startsWith('usr:') && !self.lowerAscii().startsWith('system:') && !self.lowerAscii().startsWith('fam_')").message("must not begin with usr:, system: or fam_, which are reserved for people, for the cluster and for grants; choose another ID")
    )]
    pub client_id: Option<String>,

    /// `Confidential` (default): can keep a secret. `Public`: cannot, such as a browser, a phone or a
    /// command line tool; it has no client secret and always uses PKCE (RFC 6749 section 2.1). May be
    /// changed in both directions: to Public, the secret stops at once.
    #[serde(default, rename = "type")]
    #[schemars(rename = "type")]
    pub type_: ClientType,

    /// Whether people sign in without being asked for consent. Only in namespaces that the tenant allows.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub first_party: bool,

    /// Where people may be sent back to after signing in: an exact allow-list (RFC 9700 section 2.1).
    /// `https://`, or `http://` on localhost, *.localhost, 127.0.0.0/8 and `[::1]`, or a private-use scheme
    /// in reverse-DNS form, or one without a dot that the tenant lists in spec.redirectSchemes. A request may name any
    /// port on a loopback IP literal (RFC 8252 section 7.3), and where the client is Public also on the exact host
    /// localhost.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::redirect_uris")]
    pub redirect_uris: Vec<String>,

    /// Where people may be sent back to after signing out (OpenID Connect RP-Initiated Logout 1.0): an exact
    /// allow-list with the same rules as redirectUris.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::redirect_uris")]
    pub post_logout_redirect_uris: Vec<String>,

    /// The web origins whose scripts may read the answers of the token, userinfo and revocation endpoints
    /// (CORS), for applications that run in a browser: `https://host[:port]`, or `http://` on loopback.
    /// Compared exactly with what the browser sends.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::origins")]
    pub allowed_origins: Vec<String>,

    /// Whether signing in needs PKCE (RFC 7636), always with S256. Default: it does, except that a Confidential client
    /// may leave out `code_challenge` in a request for `openid` with a `nonce` of at least 16 characters, which its
    /// library then compares (OAuth 2.1 draft-16 section 7.5.1.1). `true`: every request needs it. `false`: no request
    /// does; only for Confidential clients whose library can do neither. `spec.pkce: Required` of the OAuthTenant
    /// overrules it. A challenge that was sent always binds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub require_pkce: Option<bool>,

    /// The signature algorithm of its ID tokens: `RS256`, `ES256` or `EdDSA`, one that the tenant publishes. Default:
    /// the first that the tenant publishes, which is `RS256` unless it lists others in signing.algorithms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id_token_signed_response_alg: Option<SigningAlgorithm>,

    /// What its ID tokens say about the person, beside who it is (OpenID Connect Core section 5.4). `All` (default):
    /// the claims of the granted scopes, such as `email` and `groups`. `Requested`: only claims that the application
    /// names in the `claims` parameter (section 5.5), so that ID tokens, and the URLs of sign-out that carry one, stay
    /// short. The userinfo endpoint answers the same with both.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id_token_claims: Option<IdTokenClaims>,

    /// The groups whose people may sign in through it; one of them is enough. Default: everybody of the tenant.
    /// Groups that begin with `system:` are reserved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::some_groups")]
    pub allowed_groups: Option<Vec<String>>,

    /// The grants it may use (RFC 7591 section 2). Default: `authorization_code` and `refresh_token` when
    /// there are redirectUris, otherwise `client_credentials`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 3), extend("x-kubernetes-list-type" = "set"))]
    pub grant_types: Option<Vec<GrantType>>,

    /// The scopes it may ask for, out of OpenID Connect's, `groups`, and those that the tenant gives to its namespace.
    /// Default: `openid`, `profile`, `email`, and `offline_access` with `refresh_token`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::scopes")]
    pub scopes: Option<Vec<String>>,

    /// The APIs it may ask tokens for (resource indicators, RFC 8707), out of those that the tenant gives to
    /// its namespace. The first is the default of `client_credentials`; without any, it is the issuer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::audiences")]
    pub audiences: Vec<String>,

    /// The only way in which the client may authenticate at the token endpoint. Default: both
    /// `client_secret_basic` and `client_secret_post` for Confidential clients, and what jwks and
    /// serviceAccounts allow beside them. With `private_key_jwt` or `service_account` there is no client secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_endpoint_auth_method: Option<TokenEndpointAuthMethod>,

    /// The public keys with which the client signs assertions instead of sending a secret
    /// (`private_key_jwt`, RFC 7523). While tokenEndpointAuthMethod is not set, the secret works beside them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwks: Option<JsonWebKeySet>,

    /// The `aud` of the assertions that the client signs with a key of jwks: one value, as a string or as an array of one.
    /// `Issuer` (default): the issuer of the tenant (draft-ietf-oauth-rfc7523bis section 4). `TokenEndpoint`: the URL of
    /// the token endpoint instead (RFC 7523 section 3), at the introspection and revocation endpoints too; for libraries
    /// that know nothing else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assertion_audience: Option<AssertionAudience>,

    /// The ServiceAccounts of the same namespace whose projected tokens prove the client, sent as a client assertion
    /// with `client_id` beside it; the audience of such a token is the issuer of the tenant and nothing else. While
    /// tokenEndpointAuthMethod is not set, the secret works beside them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(min = 1, max = 16), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub service_accounts: Vec<ServiceAccountRef>,

    /// How long what is issued lives, never longer than the tenant's maximum. Default: the tenant's default,
    /// which is `authorizationCode: 60s`, `accessToken: 10m`, `idToken: 10m`, `refreshToken: 720h` and
    /// `refreshTokenIdle: 168h`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lifetimes: Option<Box<Lifetimes>>,

    /// The credentials Secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<Box<SecretSpec>>,

    /// Brings a client secret instead of having one derived: an entry of a Secret of type
    /// `clientele.dev/client-secret` in the same namespace. The derived one stops at once and does not rotate; without
    /// `secretRef` it works again. Not for Public clients, and not with `private_key_jwt` or `service_account`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<Box<SecretRef>>,

    /// When the client secret changes, and how long the old one works beside the new. Only where the operator makes
    /// one: not for Public clients, beside `secretRef`, or with `private_key_jwt` or `service_account`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotation: Option<Box<RotationSpec>>,

    /// What becomes of the credentials Secret when the OAuthClient is deleted: `Delete` (default) or
    /// `Retain`. Its credentials stop in both cases.
    #[serde(default)]
    pub deletion_policy: DeletionPolicy,

    /// Keeps everything and refuses every request, until it is set to false or removed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub suspended: bool,
}

fn default_tenant() -> String {
    DEFAULT_TENANT.to_owned()
}

/// Whether a client can keep a secret (RFC 6749 section 2.1).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema,
)]
pub enum ClientType {
    /// Can keep a secret.
    #[default]
    Confidential,
    /// Cannot keep a secret.
    Public,
}

/// Which claims about a person an ID token carries.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema,
)]
#[schemars(transform = schema::undescribed)]
pub enum IdTokenClaims {
    /// Those of the granted scopes.
    #[default]
    All,
    /// Those that the application names.
    Requested,
}

/// A grant type (RFC 7591 section 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename_all = "snake_case")]
pub enum GrantType {
    /// People sign in (RFC 6749 section 4.1).
    AuthorizationCode,
    /// Tokens are renewed without people (RFC 6749 section 6).
    RefreshToken,
    /// A machine acts for itself (RFC 6749 section 4.4).
    ClientCredentials,
}

/// A method of client authentication (RFC 7591 section 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename_all = "snake_case", transform = schema::undescribed)]
pub enum TokenEndpointAuthMethod {
    /// ID and secret in the Authorization header.
    ClientSecretBasic,
    /// ID and secret in the form.
    ClientSecretPost,
    /// An assertion signed by the client, with a key of jwks.
    PrivateKeyJwt,
    /// A token of a ServiceAccount of serviceAccounts.
    ServiceAccount,
}

/// The audience of the assertions that a client signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[schemars(transform = schema::undescribed)]
pub enum AssertionAudience {
    /// The issuer of the tenant.
    Issuer,
    /// The URL of the token endpoint.
    TokenEndpoint,
}

/// A ServiceAccount in the namespace of the OAuthClient.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
pub struct ServiceAccountRef {
    /// Its name.
    #[schemars(length(min = 1, max = 253))]
    #[x_kube(validation = Rule::new("self.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*$')").message("must be the name of a ServiceAccount, such as web"))]
    pub name: String,
    /// Its UID. With it, a ServiceAccount that is deleted and made again is refused until the UID here is the new one.
    /// Needed where the tenant verifies offline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64))]
    #[x_kube(validation = Rule::new("self.matches('^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$')").message("must be the UID of a ServiceAccount, as kubectl get serviceaccount NAME --output jsonpath={.metadata.uid} prints it"))]
    pub uid: Option<String>,
}

/// What becomes of the Secret when its OAuthClient is deleted.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema,
)]
pub enum DeletionPolicy {
    /// It goes with the object.
    #[default]
    Delete,
    /// It stays, with credentials that no longer work.
    Retain,
}
