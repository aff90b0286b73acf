//! The core: what a client, a grant, a token and a key is, and the rules over them.
//!
//! Pure functions over values. This folder knows neither Kubernetes nor HTTP, neither a clock nor the
//! environment: the time and fresh random bytes are arguments. What is decided here can be tested
//! with a plain `#[test]`.

pub mod access_token;
pub mod assertion;
pub mod authorize;
pub mod brought;
pub mod claims;
pub mod claims_request;
pub mod client;
pub mod credentials;
pub mod error;
pub mod grant;
pub mod id_token;
pub mod introspection;
pub mod jws;
pub mod key_schedule;
pub mod keyring;
pub mod ledger;
pub mod logout;
pub mod metadata;
pub mod origin;
pub mod own_token;
pub mod parameters;
pub mod password;
pub mod person;
pub mod presented;
pub mod public_key;
pub mod redirect_host;
pub mod redirect_uri;
pub mod refresh_token;
pub mod registry;
pub mod revocation;
pub mod rotation;
pub mod scope;
pub mod secret;
pub mod session;
pub mod signing;
pub mod standing;
pub mod strict_json;
pub mod subject;
pub mod target;
pub mod tenant;
pub mod throttle;
pub mod token;
pub mod transaction;
pub mod usage;
pub mod userinfo;
pub mod versions;

pub use client::{AuthMethod, Client, ClientType, GrantType};
pub use error::{ErrorCode, OAuthError};
pub use keyring::Keyring;
pub use person::{People, Person};
pub use registry::{Endpoint, Registry};
pub use secret::ClientSecret;
pub use signing::{Algorithm, SigningKey, SigningKeys};
pub use tenant::Tenant;
