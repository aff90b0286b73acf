//! A tenant inside the server: one issuer with its clients, people and keys.

mod clients;
pub mod logo;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;

use self::logo::Logo;
use super::client_auth::assertion::verification::Verification;
use super::keys::former_key::FormerKey;
use super::keys::signing_keys::ScheduledKey;
use super::shared_map::SharedMap;
use super::user::Users;
use super::{AccessTokenType, Algorithm, Client, ErrorCode, OAuthError, SigningKeys};

pub use clients::Clients;

/// The scopes that OpenID Connect defines (OIDC Core §5.4, §11), and `groups`; every tenant knows them.
pub const OPENID_SCOPES: [&str; 7] = [
    "openid",
    "profile",
    "email",
    "address",
    "phone",
    "groups",
    "offline_access",
];

/// A scope of the tenant's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// The scope value (RFC 6749 §3.3).
    pub name: Arc<str>,
    /// What it allows, as a sentence for people; the consent page shows it.
    pub description: Option<Arc<str>>,
    /// The claims about a person that it promises.
    pub claims: Arc<[Arc<str>]>,
}

/// How long a person stays signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionLifetimes {
    /// Unused for this long, the session ends.
    pub idle: Duration,
    /// However much it is used, it ends after this.
    pub absolute: Duration,
    /// Whether a person may keep it when the browser is closed.
    pub persistent: bool,
}

impl SessionLifetimes {
    /// A working day; a week at the most.
    pub const DEFAULT: Self = Self {
        idle: Duration::from_hours(8),
        absolute: Duration::from_hours(168),
        persistent: false,
    };
}

/// How a tenant's pages look.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Branding {
    /// The name that people see; the tenant's own name when it is empty.
    pub name: Arc<str>,
    /// The picture of its pages.
    pub logo: Option<Arc<Logo>>,
    /// `#rrggbb`, the colour of the main button.
    pub color: Option<Arc<str>>,
}

/// One issuer: its clients, people, keys and published documents. A copy shares the clients and people, so one that has another
/// client costs what that client costs.
#[derive(Clone, Debug)]
pub struct Tenant {
    /// The name of the `OAuthTenant`.
    pub name: Arc<str>,
    /// The UID of the `OAuthTenant`: what is stored belongs to it, and a recreated name inherits nothing.
    pub uid: Arc<str>,
    /// The issuer identifier (RFC 8414 §2).
    pub issuer: Arc<str>,
    /// How its pages look.
    pub branding: Branding,
    /// The signing keys; none while they are missing or broken, and then no token is issued.
    pub signing_keys: Option<Arc<SigningKeys>>,
    /// The keys that are published: those that sign, and while these are lost, what was published before. Tokens
    /// that live are verified with them.
    pub published_keys: Option<Arc<SigningKeys>>,
    /// The algorithms whose keys stand in the JWK Set, in the order of the metadata. Other keys verify only here.
    pub published_algorithms: Arc<[Algorithm]>,
    /// The keys that were published before, for as long as a session can live: they verify hints and nothing else.
    pub former_keys: Arc<[FormerKey]>,
    /// The algorithm of its access tokens.
    pub access_token_algorithm: Algorithm,
    /// `typ` of the access tokens that are for the issuer alone.
    pub access_token_type: AccessTokenType,
    /// The clients by `client_id`.
    pub clients: Clients,
    /// The clients whose manifest says that they are suspended, by `client_id`: nothing is served to them, and a person who
    /// comes from one is told so.
    pub suspended: SharedMap<Arc<str>, Arc<Client>>,
    /// Who can sign in.
    pub users: Arc<Users>,
    /// Whether a person may type the e-mail address in place of the username.
    pub signs_in_by_email: bool,
    /// The scopes of its own, beside [`OPENID_SCOPES`], in order of their names.
    pub scopes: Arc<[Scope]>,
    /// Per audience the IDs of the clients that may introspect tokens for it (RFC 7662).
    pub introspectors: SharedMap<Arc<str>, Arc<[Arc<str>]>>,
    /// Who issues the tokens of the cluster's ServiceAccounts, when it is known.
    pub cluster_issuer: Option<Arc<str>>,
    /// How these tokens are verified.
    pub verification: Verification,
    /// How long a person stays signed in.
    pub session: SessionLifetimes,
    /// The subjects that another registration of a person may use at once.
    pub reassigned_subjects: Arc<[Arc<str>]>,
    /// The metadata document (RFC 8414, OIDC Discovery), rendered once.
    pub metadata: Bytes,
    /// The JWK Set (RFC 7517 §5), rendered once.
    pub jwks: Bytes,
    /// How long a verifier may keep the JWK Set: less than a key is published ahead of its first use.
    pub jwks_max_age: Duration,
}

impl Tenant {
    /// An empty tenant. Fill it, then [`Tenant::rendered`].
    pub fn new(name: Arc<str>, uid: Arc<str>, issuer: Arc<str>) -> Self {
        Self {
            name,
            uid,
            issuer,
            branding: Branding::default(),
            signing_keys: None,
            published_keys: None,
            published_algorithms: Algorithm::PUBLISHED.into(),
            former_keys: [].into(),
            access_token_algorithm: Algorithm::Es256,
            access_token_type: AccessTokenType::default(),
            clients: Clients::default(),
            suspended: SharedMap::default(),
            users: Arc::default(),
            signs_in_by_email: false,
            scopes: [].into(),
            introspectors: SharedMap::default(),
            cluster_issuer: None,
            verification: Verification::default(),
            session: SessionLifetimes::DEFAULT,
            reassigned_subjects: [].into(),
            metadata: Bytes::new(),
            jwks: Bytes::new(),
            jwks_max_age: Duration::from_mins(5),
        }
    }

    /// Fills what follows from the rest, except the documents.
    pub(crate) fn derive(&mut self) {
        if self.published_keys.is_none() {
            self.published_keys.clone_from(&self.signing_keys);
        }
    }

    /// The URL of the token endpoint.
    pub fn token_endpoint(&self) -> String {
        format!("{}/token", self.issuer)
    }

    /// The name that people see.
    pub fn display_name(&self) -> &str {
        if self.branding.name.is_empty() {
            &self.name
        } else {
            &self.branding.name
        }
    }

    /// The key that signs with this algorithm now.
    pub fn signing_key(
        &self,
        algorithm: Algorithm,
        now: Timestamp,
    ) -> Result<&ScheduledKey, OAuthError> {
        self.signing_keys
            .as_ref()
            .and_then(|keys| keys.active(algorithm, now))
            .ok_or(OAuthError::new(
                ErrorCode::TemporarilyUnavailable,
                "the signing keys of this issuer are not available",
            ))
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
