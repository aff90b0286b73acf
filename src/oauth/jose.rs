//! Signed JSON: JWS, public keys, and strict parsing.

pub mod claims;
pub mod jws;
pub mod public_key;
pub mod strict_json;
