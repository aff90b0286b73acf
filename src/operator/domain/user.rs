//! The rules for one OAuthUser.

pub mod email;
pub mod password;
pub mod status;
pub mod validate;
