//! The root keys as far as they are known.

use std::sync::Arc;

use clientele_oauth::Keyring;

/// The root keys as far as they are known.
#[derive(Clone, Debug, Default)]
pub struct RootKeys {
    /// They verify; kept in memory when the Secret is lost while we run.
    pub verifying: Option<Arc<Keyring>>,
    /// Why nothing may be derived now.
    pub problem: Option<String>,
    /// The IDs of those that were withdrawn and still lie in a Secret of ours.
    pub left: Vec<String>,
}

impl RootKeys {
    /// Whether nothing is known of them yet.
    pub fn is_pending(&self) -> bool {
        self.verifying.is_none() && self.problem.is_none()
    }

    /// The keys that derive, or why there are none.
    pub fn deriving(&self) -> Result<&Keyring, &str> {
        match (&self.problem, &self.verifying) {
            (None, Some(keyring)) => Ok(keyring),
            (Some(problem), _) => Err(problem),
            (None, None) => Err("the root key has not been read yet"),
        }
    }
}
