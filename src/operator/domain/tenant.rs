//! The rules for one OAuthTenant.

pub mod admissible;
pub mod admission;
pub mod advice;
mod audience_claims;
pub mod audience_scopes;
pub mod audiences;
mod branding;
pub mod concern;
mod entry_rules;
pub mod lifetimes;
pub mod namespaces;
pub mod openness;
pub mod policy;
pub mod secret_keys;
pub mod signing_secret;
