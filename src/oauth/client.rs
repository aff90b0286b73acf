//! A registered client (RFC 6749 §2): what the server accepts, built from what a manifest says.

pub mod claim_mapping;
pub mod external_secret;
pub mod origin;
pub mod redirect_host;
pub mod redirect_uri;
pub mod secret;
pub mod secret_generations;
pub mod secret_rotation;
pub mod secret_usage;
pub mod served_versions;
pub mod service_account;
pub mod used_days;

use std::sync::Arc;
use std::time::Duration;

use super::client::claim_mapping::ClaimMapping;
use super::client::external_secret::ExternalSecret;
use super::client::secret_usage::Uses;
use super::client::service_account::ServiceAccount;
use super::client_auth::assertion::audience::AssertionAudience;
use super::jose::public_key::PublicKey;
use super::{AccessTokenType, Algorithm};

/// Confidential clients hold a secret, public clients cannot (RFC 6749 §2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientType {
    /// Can keep a secret: a server-side application, a machine.
    Confidential,
    /// Cannot keep a secret: a browser, a phone, a command line tool.
    Public,
}

/// One row for each grant type, so that none is missing in [`GrantType::ALL`].
macro_rules! grant_types {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// What a client presents to be given a token (RFC 6749 §1.3).
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum GrantType {
            $($(#[$doc])* $variant,)*
        }

        impl GrantType {
            /// Every grant type, in the order of their numbers.
            pub const ALL: [Self; [$($name),*].len()] = [$(Self::$variant),*];

            /// The value of the `grant_type` parameter.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }
    };
}

grant_types! {
    /// RFC 6749 §4.1.
    AuthorizationCode = "authorization_code",
    /// RFC 6749 §6.
    RefreshToken = "refresh_token",
    /// RFC 6749 §4.4.
    ClientCredentials = "client_credentials",
}

/// How a client authenticates at the token endpoint (RFC 7591 §2, `token_endpoint_auth_method`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthMethod {
    /// ID and secret in the `Authorization` header (RFC 6749 §2.3.1).
    ClientSecretBasic,
    /// ID and secret in the form (RFC 6749 §2.3.1).
    ClientSecretPost,
    /// An assertion that the client signs (RFC 7523 §2.2, OIDC Core §9).
    PrivateKeyJwt,
    /// A token of a ServiceAccount of the cluster, as an assertion (RFC 7523 §2.2).
    ServiceAccount,
    /// The ID alone: a public client.
    None,
}

impl AuthMethod {
    /// The name of the method in metadata and manifests.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ClientSecretBasic => "client_secret_basic",
            Self::ClientSecretPost => "client_secret_post",
            Self::PrivateKeyJwt => "private_key_jwt",
            Self::ServiceAccount => "service_account",
            Self::None => "none",
        }
    }
}

/// An audience (a resource indicator of RFC 8707) that a client may ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Audience {
    /// The absolute URI that names the API.
    pub uri: Arc<str>,
    /// The scopes that belong to this API.
    pub scopes: Arc<[Arc<str>]>,
    /// `typ` of the access tokens for it.
    pub access_token_type: AccessTokenType,
    /// What the access tokens for it say beside the claims of the protocol.
    pub claims: Arc<[ClaimMapping]>,
}

/// When a Confidential client may leave out `code_challenge` (OAuth 2.1 draft-16 section 7.5.1.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PkceRule {
    /// Never, because the tenant says so: the manifest of the client changes nothing.
    RequiredByTenant,
    /// Never, because the manifest of the client says so.
    Required,
    /// When the ID token carries a `nonce` that binds the code to the request.
    #[default]
    UnlessNonce,
    /// Always.
    Optional,
}

/// Which claims about the person the ID tokens of a client carry. The userinfo endpoint answers the same with both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum IdTokenClaims {
    /// Those that the granted scopes promise, and those asked for by name.
    #[default]
    All,
    /// Those asked for by name in the `claims` parameter (OIDC Core §5.5).
    Requested,
}

/// How long what a client is issued lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetimes {
    /// Authorization codes (RFC 6749 §4.1.2).
    pub authorization_code: Duration,
    /// Access tokens.
    pub access_token: Duration,
    /// ID tokens.
    pub id_token: Duration,
    /// Refresh tokens: however often they are used, the grant ends after this.
    pub refresh_token: Duration,
    /// Refresh tokens: unused for this long, the grant ends.
    pub refresh_token_idle: Duration,
}

impl Lifetimes {
    /// What a client has that says nothing, under a tenant that says nothing.
    pub const DEFAULT: Self = Self {
        authorization_code: Duration::from_mins(1),
        access_token: Duration::from_mins(10),
        id_token: Duration::from_mins(10),
        refresh_token: Duration::from_hours(720),
        refresh_token_idle: Duration::from_hours(168),
    };

    /// What no tenant allows more of; the API server has the same bounds.
    pub const BOUNDS: Self = Self {
        authorization_code: Duration::from_mins(10),
        access_token: Duration::from_hours(24),
        id_token: Duration::from_hours(24),
        refresh_token: Duration::from_hours(8760),
        refresh_token_idle: Duration::from_hours(8760),
    };
}

/// What proves a client without a secret.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AssertionMethods {
    /// The keys with which it signs assertions (`jwks`).
    pub keys: Arc<[PublicKey]>,
    /// The `aud` of the assertions that it signs.
    pub audience: AssertionAudience,
    /// The ServiceAccounts whose tokens prove it.
    pub service_accounts: Arc<[ServiceAccount]>,
}

/// A client that the server accepts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// `client_id`.
    pub id: Arc<str>,
    /// The UID of the `OAuthClient`: a recreated name is another registration and inherits nothing.
    pub uid: Arc<str>,
    /// The namespace of the `OAuthClient`, which the consent page names.
    pub namespace: Arc<str>,
    /// The name that people see.
    pub display_name: Arc<str>,
    /// Confidential or public.
    pub client_type: ClientType,
    /// First-party clients skip the consent page.
    pub first_party: bool,
    /// The only method accepted; unset means any that fits the type.
    pub auth_method: Option<AuthMethod>,
    /// What proves it without a secret.
    pub assertion_methods: AssertionMethods,
    /// The grant types it may use.
    pub grant_types: Arc<[GrantType]>,
    /// The scopes it may ask for.
    pub scopes: Arc<[Arc<str>]>,
    /// The audiences it may ask for; the first is the default of `client_credentials`.
    pub audiences: Arc<[Audience]>,
    /// Where people may be sent back to with a code: compared exactly ([`super::client::redirect_uri::matches`]).
    pub redirect_uris: Arc<[Arc<str>]>,
    /// Whether an administrator has vouched for the hosts of its URIs: by an entry of the tenant's `redirectHosts` that
    /// selects its namespace.
    pub redirect_hosts_listed: bool,
    /// Where people may be sent back to after signing out (OIDC RP-Initiated Logout §3.1).
    pub post_logout_redirect_uris: Arc<[Arc<str>]>,
    /// The origins whose scripts may read answers of the token, userinfo and revocation endpoints (CORS).
    pub allowed_origins: Arc<[Arc<str>]>,
    /// When an authorization request may leave out `code_challenge` (RFC 7636). Public clients never may.
    pub pkce: PkceRule,
    /// The algorithm of its ID tokens (`id_token_signed_response_alg`).
    pub id_token_algorithm: Algorithm,
    /// What its ID tokens say about the person.
    pub id_token_claims: IdTokenClaims,
    /// Who may sign in through it: people in one of these groups; none means everybody of the tenant.
    pub allowed_groups: Option<Arc<[Arc<str>]>>,
    /// How long what it is issued lives.
    pub lifetimes: Arc<Lifetimes>,
    /// The lowest generation of the client secret that still authenticates.
    pub oldest_accepted: u32,
    /// The client secret that it brought; then none is derived.
    pub external_secret: Option<Box<ExternalSecret>>,
    /// When which generation of its secret was used; goes on when the client is registered again.
    pub uses: Arc<Uses>,
    /// The part of an access token's claims that is the same for every default request:
    /// `{"iss":…,"sub":…,"client_id":…,"aud":…,"scope":…`, without the closing brace.
    pub default_claims: Box<str>,
    /// The `scope` granted when none is asked for; empty when there is none.
    pub default_scope: Box<str>,
}

impl Client {
    /// Whether the client may use the grant type.
    pub fn allows_grant(&self, grant: GrantType) -> bool {
        self.grant_types.contains(&grant)
    }

    /// Whether there is a client secret that we derive for it: not if it cannot keep one, and not if it proves itself
    /// by something better and by nothing else.
    pub fn holds_secret(&self) -> bool {
        let secretless = [AuthMethod::PrivateKeyJwt, AuthMethod::ServiceAccount].map(Some);
        self.client_type == ClientType::Confidential
            && !secretless.contains(&self.auth_method)
            && self.external_secret.is_none()
    }

    /// Whether the client may authenticate by the method.
    pub fn allows_method(&self, method: AuthMethod) -> bool {
        match self.auth_method {
            Some(only) => only == method,
            None => match self.client_type {
                ClientType::Confidential => match method {
                    AuthMethod::ClientSecretBasic | AuthMethod::ClientSecretPost => true,
                    AuthMethod::PrivateKeyJwt => !self.assertion_methods.keys.is_empty(),
                    AuthMethod::ServiceAccount => {
                        !self.assertion_methods.service_accounts.is_empty()
                    }
                    AuthMethod::None => false,
                },
                ClientType::Public => method == AuthMethod::None,
            },
        }
    }
}

/// A client for the tests of this folder.
#[cfg(any(test, feature = "testing"))]
pub mod testing {
    use super::{
        AccessTokenType, Algorithm, Arc, AssertionMethods, Audience, Client, ClientType, GrantType,
        IdTokenClaims, Lifetimes, PkceRule,
    };

    fn list(values: &[&str]) -> Arc<[Arc<str>]> {
        values.iter().map(|&value| Arc::from(value)).collect()
    }

    /// A confidential machine client with two audiences.
    pub fn client() -> Client {
        let audience = |uri: &str, scope: &str| Audience {
            uri: uri.into(),
            scopes: list(&[scope]),
            access_token_type: AccessTokenType::default(),
            claims: [].into(),
        };
        Client {
            id: "team-a.web".into(),
            uid: "0f8fad5b-d9cb-469f-a165-70867728950e".into(),
            namespace: "team-a".into(),
            display_name: "web".into(),
            client_type: ClientType::Confidential,
            first_party: false,
            auth_method: None,
            assertion_methods: AssertionMethods::default(),
            grant_types: [GrantType::ClientCredentials].into(),
            scopes: list(&["openid", "orders.read", "bills.read", "common"]),
            audiences: [
                audience("https://orders.example", "orders.read"),
                audience("https://bills.example", "bills.read"),
            ]
            .into(),
            redirect_uris: list(&["https://app.example/cb"]),
            redirect_hosts_listed: true,
            post_logout_redirect_uris: list(&[]),
            allowed_origins: list(&[]),
            pkce: PkceRule::UnlessNonce,
            id_token_algorithm: Algorithm::Rs256,
            id_token_claims: IdTokenClaims::All,
            allowed_groups: None,
            lifetimes: Arc::new(Lifetimes::DEFAULT),
            oldest_accepted: 1,
            external_secret: None,
            uses: Arc::default(),
            default_claims: Box::default(),
            default_scope: Box::default(),
        }
        .with_default_claims("https://id.example")
    }
}
