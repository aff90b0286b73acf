//! What the registry says about an object, as of one version of it.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use clientele_api::{OAuthClient, OAuthUser};
use clientele_oauth::{Client, Person};
use jiff::Timestamp;

use crate::domain::reason::Refusal;
use crate::domain::tenant::policy::TenantPolicy;

/// What the registry says about an object, as of one version of it.
#[derive(Debug)]
pub struct Verdict {
    /// The version that was judged.
    pub object: Arc<OAuthClient>,
    /// The client that is registered, or why none is.
    pub client: Result<Arc<Client>, Refusal>,
    /// The tenant at that time.
    pub tenant: Option<Arc<TenantState>>,
    /// Whether we have written a newer version of the object ourselves. The watch brings it, and with it
    /// the next verdict; a pass over this version would only write the same again. Shared by all verdicts
    /// about the same version.
    pub superseded: Arc<AtomicBool>,
}

/// What the registry says about a person, as of one version of the object.
#[derive(Debug)]
pub struct UserVerdict {
    /// The version that was judged.
    pub object: Arc<OAuthUser>,
    /// The person, or why there is none.
    pub person: Result<Arc<Person>, Refusal>,
    /// The tenant at that time.
    pub tenant: Option<Arc<TenantState>>,
    /// Whether the password still has to be looked at or hashed. Another verdict follows in a moment.
    pub pending: bool,
    /// What began earlier is over.
    pub valid_from: Timestamp,
    /// As in [`Verdict::superseded`].
    pub superseded: Arc<AtomicBool>,
}

/// A tenant as the observer sees it.
#[derive(Debug)]
pub struct TenantState {
    /// Its rules.
    pub policy: TenantPolicy,
    /// Why it cannot issue tokens, if it cannot.
    pub problem: Option<Refusal>,
}
