//! What the registry says about an object, as of one version of it.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use clientele_api::{OAuthClient, OAuthUser};
use clientele_oauth::{Client, User};
use jiff::Timestamp;
use kube::Resource;

use super::large::is_shortened;
use super::reason::Refusal;
use super::tenant::policy::TenantPolicy;

/// What the registry says about an object, as of one version of it.
#[derive(Debug)]
pub struct Verdict<K, T, D = ()> {
    /// The version that was validated.
    pub object: Arc<K>,
    /// What is registered, or why nothing is.
    pub registered: Result<Arc<T>, Refusal>,
    /// The tenant at that time.
    pub tenant: Option<Arc<TenantState>>,
    /// Whether we have written a newer version of the object ourselves. The watch brings it, and with it
    /// the next verdict; to reconcile this version would only write the same again. Shared by all verdicts
    /// about the same version.
    pub superseded: Arc<AtomicBool>,
    /// What is known beside it.
    pub details: D,
}

/// What is registered of an object.
pub trait Registered<K>: PartialEq {
    /// Whether a reconcile of the object writes the same with either.
    fn shows_the_same(&self, other: &Self, object: &K) -> bool;
}

/// No policy of the tenant is in what is registered of a person.
impl Registered<OAuthUser> for User {
    fn shows_the_same(&self, other: &Self, _: &OAuthUser) -> bool {
        self == other
    }
}

/// Whether both are one object.
pub fn is_same_object<K: Resource>(one: &K, other: &K) -> bool {
    one.meta().uid == other.meta().uid
}

/// Whether both are one version of one object, perhaps in two copies: a list brings another one of each. A version that was
/// shortened is another one.
pub fn is_same_version<K: Resource>(one: &Arc<K>, other: &Arc<K>) -> bool {
    let version = |object: &Arc<K>| object.meta().resource_version.clone();
    let same = || version(one).is_some() && version(one) == version(other);
    let as_whole = || is_shortened(&**one) == is_shortened(&**other);
    Arc::ptr_eq(one, other) || (is_same_object(&**one, &**other) && same() && as_whole())
}

/// What the registry says about an OAuthClient.
pub type ClientVerdict = Verdict<OAuthClient, Client>;

/// What the registry says about an OAuthUser.
pub type UserVerdict = Verdict<OAuthUser, User, UserDetails>;

/// What is known of a user beside what is registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UserDetails {
    /// Whether the password still has to be read or hashed. Another verdict follows in a moment.
    pub pending: bool,
    /// Sessions and grants from before this time are no longer valid.
    pub valid_from: Timestamp,
    /// Whether the e-mail address is not accepted at sign-in, because several people have it.
    pub ambiguous_email: bool,
}

/// A tenant as the observer sees it.
#[derive(Debug)]
pub struct TenantState {
    /// Its rules.
    pub policy: TenantPolicy,
    /// Why it cannot issue tokens, if it cannot.
    pub problem: Option<Refusal>,
    /// The audiences that it declares and does not have, because another object uses the value as another kind of name:
    /// each with its holder.
    pub taken_audiences: Vec<(String, String)>,
}
