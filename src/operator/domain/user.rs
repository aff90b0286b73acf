//! The rules for one OAuthUser.

pub mod status;
pub mod validate;
