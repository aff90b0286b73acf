//! The rules for one OAuthTenant.

mod audience_claims;
pub mod lifetimes;
pub mod policy;
pub mod signing_secret;
