//! The rules for one OAuthUser.

pub mod email;
pub mod limits;
pub mod password;
pub mod status;
pub mod structure;
pub mod valid_from;
pub mod validate;
