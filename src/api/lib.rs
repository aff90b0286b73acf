//! The custom resources: our public interface.
//!
//! Group `clientele.dev`, version `v1alpha1`. What a person can get wrong is refused by the API server
//! with a sentence that says what to write instead; the doc comments are the texts of `kubectl explain`.

pub mod access_tokens;
pub mod allowed_keys;
pub mod client;
pub mod condition;
pub mod crd;
pub mod duration;
pub mod entry_name;
pub mod jwks;
pub mod lifetimes;
pub mod new_fields;
pub mod rotation;
pub mod schema;
pub mod secret;
pub mod secret_marks;
pub mod secret_ref;
pub mod secret_template;
pub mod standard_claims;
pub mod tenant;
pub mod user;
pub mod user_limits;

pub use client::{
    ClientType, DeletionPolicy, GrantType, OAuthClient, OAuthClientSpec, OAuthClientStatus,
    SecretGeneration, ServiceAccountRef, ServiceBindingRef, TokenEndpointAuthMethod,
};
pub use duration::DurationString;
pub use jwks::{JsonWebKey, JsonWebKeySet};
pub use lifetimes::Lifetimes;
pub use rotation::{OverlapStatus, RotationSpec, RotationStatus};
pub use secret::{EntryNames, SecretFormat, SecretSpec};
pub use secret_ref::SecretRef;
pub use tenant::{
    OAuthTenant, OAuthTenantSpec, OAuthTenantStatus, ServiceAccountVerification, SigningAlgorithm,
};
pub use user::{OAuthUser, OAuthUserSpec, OAuthUserStatus};

/// The API group of our kinds.
pub const GROUP: &str = "clientele.dev";
/// The tenant that an `OAuthClient` belongs to when it names none.
pub const DEFAULT_TENANT: &str = "default";
