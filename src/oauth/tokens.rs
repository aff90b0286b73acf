//! The tokens that the server issues, and how it reads them back.

pub mod access_token;
pub mod bearer;
pub mod id_token;
pub mod issued_jwt;
pub mod mapped_claims;
pub mod refresh_token;
