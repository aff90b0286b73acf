//! The rules for one OAuthTenant.

pub mod audiences;
pub mod lifetimes;
pub mod policy;
pub mod signing_secret;
