//! The core: what a client, a grant, a token and a key is, and the rules over them.
//!
//! Pure functions over values. This folder knows neither Kubernetes nor HTTP, neither a clock nor the
//! environment: the time and fresh random bytes are arguments. What is decided here can be tested
//! with a plain `#[test]`.

pub mod client;
pub mod client_auth;
pub mod digest;
pub mod endpoints;
pub mod error;
pub mod foreign_hash;
mod form_encoding;
pub mod grant;
pub mod jose;
pub mod keys;
pub mod registry;
pub mod scope;
pub mod shared_map;
pub mod tenant;
pub mod tokens;
pub mod uri;
pub mod user;

pub use client::secret::ClientSecret;
pub use client::{AuthMethod, Client, ClientType, GrantType};
pub use error::{ErrorCode, OAuthError};
pub use keys::root_keyring::Keyring;
pub use keys::signing_keys::{AccessTokenType, Algorithm, SigningKey, SigningKeys};
pub use registry::{Endpoint, Registry};
pub use tenant::Tenant;
pub use user::{User, Users};
