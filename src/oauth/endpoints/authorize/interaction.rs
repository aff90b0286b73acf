//! What follows from an authorization request: sign in, ask, issue or refuse (OIDC Core §3.1.2.3 to §3.1.2.6).
//!
//! The person who is signed in is an input: by which means they signed in is decided elsewhere.

use jiff::Timestamp;

use super::request::AuthorizationRequest;
use crate::client::redirect_uri;
use crate::grant::{Consent, Session};
use crate::uri::same_resource;
use crate::{Client, ErrorCode, OAuthError, User};

/// A signed-in person, in a valid session.
#[derive(Clone, Copy, Debug)]
pub struct SignedIn<'a> {
    /// Who.
    pub user: &'a User,
    /// Since when, and for how long.
    pub session: &'a Session,
    /// Whether they signed in to answer this very request: then they saw who asks, and proved who they are just now.
    pub for_this: bool,
}

/// Everything that the decision depends on.
#[derive(Clone, Copy, Debug)]
pub struct Situation<'a> {
    /// Who asks.
    pub client: &'a Client,
    /// Where the answer goes.
    pub redirect_uri: &'a str,
    /// What is asked.
    pub request: &'a AuthorizationRequest,
    /// Who is signed in.
    pub signed_in: Option<SignedIn<'a>>,
    /// What that person agreed to earlier.
    pub consent: Option<&'a Consent>,
    /// Whether that person has just agreed to this very request, on a page that showed it.
    pub agreed: bool,
    /// The time.
    pub now: Timestamp,
}

/// What follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// The person signs in.
    SignIn,
    /// The person is asked whether the client may.
    Consent,
    /// The person is asked to go on: nothing new is allowed, but the program on their device is not authenticated
    /// (RFC 8252 §8.6).
    Proceed,
    /// The person is told that they may not use the client, and may sign in as another person.
    NotAllowed,
    /// A code is issued.
    Issue,
    /// The client is told no.
    Refuse(OAuthError),
}

/// Decides.
pub fn decide(situation: &Situation<'_>) -> Decision {
    let Some(signed_in) = situation.signed_in else {
        return unless_silent(situation, Decision::SignIn, LOGIN_REQUIRED);
    };
    if !proves_enough(situation, signed_in) {
        return unless_silent(situation, Decision::SignIn, LOGIN_REQUIRED);
    }
    if !situation.request.is_for(&signed_in.user.subject) {
        // Who signed in for this request is another person than the client expects: asking again would not end.
        let ask = if signed_in.for_this {
            Decision::Refuse(LOGIN_REQUIRED)
        } else {
            Decision::SignIn
        };
        return unless_silent(situation, ask, LOGIN_REQUIRED);
    }
    let allowed = situation.client.allowed_groups.as_deref();
    if !signed_in.user.is_in_any(allowed) {
        return unless_silent(situation, Decision::NotAllowed, NOT_FOR_THIS_PERSON);
    }
    if situation.agreed {
        return Decision::Issue;
    }
    if must_consent(situation) {
        return unless_silent(situation, Decision::Consent, CONSENT_REQUIRED);
    }
    if redirect_uri::is_on_device(situation.redirect_uri) && !signed_in.for_this {
        return unless_silent(situation, Decision::Proceed, INTERACTION_REQUIRED);
    }
    Decision::Issue
}

/// Whether the person proved who they are, recently enough for the request. A clock that went back makes no
/// session older; it makes it new.
fn proves_enough(situation: &Situation<'_>, signed_in: SignedIn<'_>) -> bool {
    if signed_in.for_this {
        return true;
    }
    let age = situation.now.duration_since(signed_in.session.auth_time);
    let recent = situation.request.max_age.is_none_or(|max_age| {
        // Zero is the same as prompt=login (OIDC Core §3.1.2.1).
        !max_age.is_zero() && age <= jiff::SignedDuration::try_from(max_age).unwrap_or(age)
    });
    recent && !situation.request.prompt.asks_login()
}

/// A first-party client asks only if it wants to; any other, unless what the person agreed to covers the request.
fn must_consent(situation: &Situation<'_>) -> bool {
    let request = situation.request;
    let covered = || {
        situation
            .consent
            .is_some_and(|consent| covers(consent, request))
    };
    request.prompt.asks_consent() || !(situation.client.first_party || covered())
}

/// Whether everything that is asked was agreed to earlier. Fewer scopes are covered, other ones are not.
pub fn covers(consent: &Consent, request: &AuthorizationRequest) -> bool {
    let has = |scope: &str| consent.scope.split(' ').any(|known| known == scope);
    let calls = |resource: &String| {
        let mut agreed = consent.resources.split(' ');
        agreed.any(|known| same_resource(known, resource))
    };
    request.to_agree().all(has) && request.resources.iter().all(calls)
}

/// `prompt=none` shows nothing: the client is told what would have been shown (OIDC Core §3.1.2.6).
fn unless_silent(situation: &Situation<'_>, decision: Decision, error: OAuthError) -> Decision {
    if situation.request.prompt.is_nothing() {
        Decision::Refuse(error)
    } else {
        decision
    }
}

/// No person is signed in, or not the expected one.
const LOGIN_REQUIRED: OAuthError = OAuthError::new(
    ErrorCode::LoginRequired,
    "the person must sign in, or is not the one whom the request is about",
);
const CONSENT_REQUIRED: OAuthError = OAuthError::new(
    ErrorCode::ConsentRequired,
    "the person has not agreed to this request",
);
const INTERACTION_REQUIRED: OAuthError = OAuthError::new(
    ErrorCode::InteractionRequired,
    "an application on the device of the person cannot be recognized: the person must confirm",
);
/// The person is in none of the groups that may use the client.
pub const NOT_FOR_THIS_PERSON: OAuthError = OAuthError::new(
    ErrorCode::AccessDenied,
    "this person may not use this client",
);
/// The person said no.
pub const DENIED: OAuthError =
    OAuthError::new(ErrorCode::AccessDenied, "the person declined the request");
