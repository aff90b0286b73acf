//! The protocol endpoints that programs call: tokens, userinfo, introspection, revocation, discovery.

pub(crate) mod assertion_check;
pub(crate) mod client_request;
pub(crate) mod cors;
pub(crate) mod discovery;
pub(crate) mod introspect;
pub(crate) mod revoke;
pub(crate) mod token;
pub mod token_review_cache;
pub(crate) mod unavailable;
pub(crate) mod userinfo;
