//! What the registry says about an object, as of one version of it.

use std::sync::Arc;

use clientele_api::{OAuthClient, OAuthUser};
use clientele_oauth::{Client, User};
use jiff::Timestamp;

use super::client::shown::show_the_same;
use super::kept::{Keep, Kept};
use super::reason::Refusal;
use super::tenant::policy::TenantPolicy;

/// What the registry says about an object, as of one version of it.
#[derive(Debug)]
pub struct Verdict<K: Keep, T, D = ()> {
    /// The version that was validated.
    pub object: Arc<Kept<K>>,
    /// What is registered, or why nothing is.
    pub registered: Result<Arc<T>, Refusal>,
    /// The tenant at that time.
    pub tenant: Option<Arc<TenantState>>,
    /// What is known beside it.
    pub details: D,
}

/// What is registered of an object.
pub trait Registered<K: Keep>: PartialEq {
    /// Whether a reconcile of the object writes the same with either.
    fn shows_the_same(&self, other: &Self, object: &Kept<K>) -> bool;
}

impl Registered<OAuthClient> for Client {
    fn shows_the_same(&self, other: &Self, object: &Kept<OAuthClient>) -> bool {
        show_the_same(self, other, &object.object())
    }
}

/// No policy of the tenant is in what is registered of a person.
impl Registered<OAuthUser> for User {
    fn shows_the_same(&self, other: &Self, _: &Kept<OAuthUser>) -> bool {
        self == other
    }
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
