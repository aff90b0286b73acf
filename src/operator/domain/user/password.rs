//! What is known of the password that an OAuthUser refers to.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use clientele_oauth::user::PasswordHash;
use clientele_oauth::user::password::secret_value::Problem;

/// Tells values apart: a digest, from which a short password could be guessed, so it is not printed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint(pub [u8; 32]);

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fingerprint([redacted])")
    }
}

/// A value of a Secret, as far as it is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Password {
    /// Tells it from other values. Never leaves the process but through a MAC.
    pub fingerprint: Fingerprint,
    /// What signing in is verified against.
    pub hash: Hash,
}

/// What signing in is verified against.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hash {
    /// The plaintext is being hashed.
    Pending,
    /// Here it is.
    Ready(PasswordHash),
    /// The value cannot be used; completes "the password …".
    Unusable(Problem),
}

/// What is known about the entry that an OAuthUser refers to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// Not looked at yet.
    Pending,
    /// The operator may not look; the sentence names the command that enables it.
    Denied(String),
    /// There is no Secret of that name and of the type of passwords.
    NoSecret,
    /// The Secret has no such entry.
    NoEntry,
    /// The value.
    Known(Arc<Password>),
}

/// The fingerprint of a value.
pub fn fingerprint(value: &[u8]) -> Fingerprint {
    let digest = digest(&SHA256, value);
    Fingerprint(digest.as_ref().try_into().expect("SHA-256 has 32 bytes"))
}
