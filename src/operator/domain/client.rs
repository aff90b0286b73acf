//! The rules for one OAuthClient and its Secrets.

pub mod advice;
pub mod auth_methods;
pub mod client_id;
pub mod identity;
pub mod last_use;
pub mod plan;
pub mod redirect_hosts;
pub mod redirect_schemes;
pub mod rotation;
pub mod secret;
pub mod secret_ref;
pub mod shown;
mod sign_in;
pub mod status;
pub mod structure;
pub mod validate;
