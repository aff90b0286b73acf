//! The rules of each endpoint: from a parsed request to a decision.

pub mod authorize;
pub mod discovery;
pub mod end_session;
pub mod introspection;
pub mod parameters;
pub mod resource_indicators;
pub mod revocation;
pub mod token;
pub mod userinfo;
