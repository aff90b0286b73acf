//! The rules for one OAuthUser.

pub mod limits;
pub mod password;
pub mod status;
pub mod structure;
pub mod validate;
