//! How tokens of ServiceAccounts are verified.

/// How a tenant has tokens of ServiceAccounts verified.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Verification {
    /// The API server is asked, and knows whether pod and ServiceAccount still exist.
    #[default]
    TokenReview,
    /// The public keys of the cluster are enough.
    Offline,
}
