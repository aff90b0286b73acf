//! A registered client (RFC 6749 §2): what the server accepts, built from what a manifest says.

use std::sync::Arc;
use std::time::Duration;

/// Confidential clients hold a secret, public clients cannot (RFC 6749 §2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientType {
    /// Can keep a secret: a server-side application, a machine.
    Confidential,
    /// Cannot keep a secret: a browser, a phone, a command line tool.
    Public,
}

/// What a client presents to be given a token (RFC 6749 §1.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GrantType {
    /// RFC 6749 §4.1.
    AuthorizationCode,
    /// RFC 6749 §6.
    RefreshToken,
    /// RFC 6749 §4.4.
    ClientCredentials,
}

impl GrantType {
    /// The value of the `grant_type` parameter.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AuthorizationCode => "authorization_code",
            Self::RefreshToken => "refresh_token",
            Self::ClientCredentials => "client_credentials",
        }
    }
}

/// How a client authenticates at the token endpoint (RFC 7591 §2, `token_endpoint_auth_method`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthMethod {
    /// ID and secret in the `Authorization` header (RFC 6749 §2.3.1).
    ClientSecretBasic,
    /// ID and secret in the form (RFC 6749 §2.3.1).
    ClientSecretPost,
    /// The ID alone: a public client.
    None,
}

impl AuthMethod {
    /// The name of the method in metadata and manifests.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ClientSecretBasic => "client_secret_basic",
            Self::ClientSecretPost => "client_secret_post",
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
}

/// A client that the server accepts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// `client_id`.
    pub id: Arc<str>,
    /// The UID of the `OAuthClient`: a recreated name is another registration and inherits nothing.
    pub registration_id: Arc<str>,
    /// Confidential or public.
    pub client_type: ClientType,
    /// First-party clients skip the consent page.
    pub first_party: bool,
    /// The only method accepted; unset means any that fits the type.
    pub auth_method: Option<AuthMethod>,
    /// The grant types it may use.
    pub grant_types: Arc<[GrantType]>,
    /// The scopes it may ask for.
    pub scopes: Arc<[Arc<str>]>,
    /// The audiences it may ask for; the first is the default of `client_credentials`.
    pub audiences: Arc<[Audience]>,
    /// How long an access token lives.
    pub access_token_lifetime: Duration,
    /// The lowest generation of the client secret that still authenticates.
    pub oldest_accepted: u32,
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

    /// Whether the client may authenticate by the method.
    pub fn allows_method(&self, method: AuthMethod) -> bool {
        match self.auth_method {
            Some(only) => only == method,
            None => match self.client_type {
                ClientType::Confidential => method != AuthMethod::None,
                ClientType::Public => method == AuthMethod::None,
            },
        }
    }
}

/// A client for the tests of this folder.
#[cfg(test)]
pub mod testing {
    use super::*;

    fn list(values: &[&str]) -> Arc<[Arc<str>]> {
        values.iter().map(|&value| Arc::from(value)).collect()
    }

    /// A confidential machine client with two audiences.
    pub fn client() -> Client {
        let audience = |uri: &str, scope: &str| Audience {
            uri: uri.into(),
            scopes: list(&[scope]),
        };
        Client {
            id: "team-a.web".into(),
            registration_id: "0f8fad5b-d9cb-469f-a165-70867728950e".into(),
            client_type: ClientType::Confidential,
            first_party: false,
            auth_method: None,
            grant_types: [GrantType::ClientCredentials].into(),
            scopes: list(&["openid", "orders.read", "bills.read", "common"]),
            audiences: [
                audience("https://orders.example", "orders.read"),
                audience("https://bills.example", "bills.read"),
            ]
            .into(),
            access_token_lifetime: Duration::from_mins(10),
            oldest_accepted: 1,
            default_claims: Box::default(),
            default_scope: Box::default(),
        }
        .with_default_claims("https://id.example")
    }
}
