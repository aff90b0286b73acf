//! A password hash as text.

use std::fmt;
use std::sync::Arc;

/// A password hash in the PHC string format (argon2id or PBKDF2), or in bcrypt's own form. Never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(pub Arc<str>);

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash([redacted])")
    }
}
