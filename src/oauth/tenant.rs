//! A tenant inside the server: one issuer with its clients and keys.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::{Client, SigningKeys, metadata};

/// The scopes that OpenID Connect defines (OIDC Core §5.4, §11); every tenant knows them.
pub const OPENID_SCOPES: [&str; 6] = [
    "openid",
    "profile",
    "email",
    "address",
    "phone",
    "offline_access",
];

/// One issuer: its clients, keys and published documents.
#[derive(Debug)]
pub struct Tenant {
    /// The name of the `OAuthTenant`.
    pub name: Arc<str>,
    /// The issuer identifier (RFC 8414 §2).
    pub issuer: Arc<str>,
    /// The signing keys; none while they are missing or broken, and then no token is issued.
    pub signing_keys: Option<Arc<SigningKeys>>,
    /// The clients by `client_id`.
    pub clients: HashMap<Arc<str>, Arc<Client>>,
    /// The metadata document (RFC 8414, OIDC Discovery), rendered once.
    pub metadata: Bytes,
    /// The JWK Set (RFC 7517 §5), rendered once.
    pub jwks: Bytes,
    /// How long a verifier may keep the JWK Set: less than a key is published ahead of its first use.
    pub jwks_max_age: Duration,
}

impl Tenant {
    /// A tenant with its documents rendered.
    pub fn new(
        name: Arc<str>,
        issuer: Arc<str>,
        signing_keys: Option<Arc<SigningKeys>>,
        clients: HashMap<Arc<str>, Arc<Client>>,
        scopes: &[&str],
        jwks_max_age: Duration,
    ) -> Self {
        let jwks = signing_keys.as_ref().map(|keys| keys.jwks());
        Self {
            metadata: metadata::render(&issuer, scopes).into(),
            jwks: jwks.unwrap_or_default().into(),
            name,
            issuer,
            signing_keys,
            clients,
            jwks_max_age,
        }
    }
}

/// The issuer of a tenant under the public URL: the URL itself for `default`, `<URL>/t/<name>` for others.
pub fn issuer_of(public_url: &str, tenant: &str) -> String {
    if tenant == "default" {
        public_url.to_owned()
    } else {
        format!("{public_url}/t/{tenant}")
    }
}
