//! Client authentication (RFC 6749 §2.3): secrets, signed assertions, and tokens of ServiceAccounts.

pub mod assertion;
pub mod credentials;
