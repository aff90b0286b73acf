//! Tokens of the cluster's ServiceAccounts as assertions (RFC 7523 §3): the cluster issued them, for this server alone.
//!
//! What the token says is judged before anybody is asked about it, so that no token that was meant for the API server,
//! and none that could not be right, is ever sent there.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use zeroize::Zeroizing;

use super::validity::{self, Invalid};
use super::verification::Verification;
use super::{Evidence, refused};
use crate::digest::digest_of;
use crate::jose::claims::is_only_audience;
use crate::jose::jws::Jws;
use crate::jose::public_key::PublicKey;
use crate::{AuthMethod, Client, OAuthError, Tenant};

/// How long a token may live. Kubernetes makes them for an hour unless asked otherwise.
const LONGEST: Duration = Duration::from_hours(1);

/// What came of asking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finding {
    /// The cluster issued it, and stands by it.
    Genuine,
    /// It does not.
    False,
    /// The cluster could not be queried.
    Unknown,
}

/// What the signature says, by the keys that are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signature {
    /// One of the keys made it.
    Good,
    /// The key that it names did not make it.
    Bad,
    /// It names a key that is not known.
    OfUnknownKey,
}

/// What the API server answered to a TokenReview.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// Whether the token is one that it accepts.
    pub authenticated: bool,
    /// The audiences that were asked for and that the token has.
    pub audiences: Vec<String>,
    /// Whose it is.
    pub username: String,
    /// The UID of whose it is.
    pub uid: String,
}

/// A token that says the right things, and about which the cluster has to be asked. Has no `Debug`: it holds the token.
pub struct Review {
    token: Zeroizing<String>,
    username: String,
    uid: String,
    /// The audience that it must have been made for: the issuer of the tenant.
    pub audience: Arc<str>,
    /// Who is asked.
    pub verification: Verification,
}

impl Review {
    /// The token, to be sent to the API server and nowhere else.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// The name that the API server has for the ServiceAccount.
    pub fn username(&self) -> &str {
        &self.username
    }

    /// What stands for this question where its answer is kept.
    pub fn digest(&self) -> String {
        let (how, audience) = (self.verification, &self.audience);
        digest_of(&format!("{how:?} {audience} {}", &*self.token))
    }

    /// What the signature says.
    pub fn signature(&self, keys: &[PublicKey]) -> Signature {
        match Jws::read(&self.token) {
            Some(jws) if !jws.names_one_of(keys) => Signature::OfUnknownKey,
            Some(jws) if jws.is_signed_by(keys) => Signature::Good,
            _ => Signature::Bad,
        }
    }

    /// What the API server's answer means: it must accept the token, for us, as the one that the token says it is.
    pub fn judge(&self, answer: &Answer) -> Finding {
        let for_us = answer
            .audiences
            .iter()
            .any(|known| *known == *self.audience);
        let same = answer.username == self.username && answer.uid == self.uid;
        if answer.authenticated && for_us && same {
            Finding::Genuine
        } else {
            Finding::False
        }
    }
}

/// Judges everything about the token that does not depend on a client.
pub(super) fn check_token(
    tenant: &Tenant,
    jws: &Jws<'_>,
    now: Timestamp,
) -> Result<(), OAuthError> {
    let rules = [
        (account(jws).is_some(), UNBOUND),
        (jws.is_of_type(&["JWT"]), "typ of the token is not JWT"),
        (
            is_only_audience(&jws.claims, &tenant.issuer),
            NOT_FOR_ISSUER,
        ),
    ];
    match rules.iter().find(|(holds, _)| !holds) {
        Some((_, broken)) => Err(refused(broken)),
        None => check_validity(jws, now).map_err(refused),
    }
}

/// The token counts now, and lives for an hour at most.
fn check_validity(jws: &Jws<'_>, now: Timestamp) -> Result<(), &'static str> {
    let longest = LONGEST + validity::SLACK;
    let expiry = validity::expiry(&jws.claims, now, longest);
    expiry.map_err(|invalid| match invalid {
        Invalid::NoExpiry => "exp of the token is missing, or not a whole number of seconds",
        Invalid::Expired => "the token has expired: read its file again for each request, because Kubernetes renews it there",
        Invalid::TooFarAhead => TOO_LONG,
        Invalid::NotYet => {
            "nbf or iat of the token is not a whole number of seconds, or lies more than 8 seconds ahead"
        }
    })?;
    match validity::lifetime(&jws.claims) {
        None => Err("iat of the token is missing, or not before exp"),
        Some(lifetime) if lifetime > longest => Err(TOO_LONG),
        Some(_) => Ok(()),
    }
}

/// Name and UID of the ServiceAccount.
fn account<'a>(jws: &'a Jws<'_>) -> Option<(&'a str, &'a str)> {
    let account = jws.claims.get("kubernetes.io")?.get("serviceaccount")?;
    text(account, "name").zip(text(account, "uid"))
}

/// What must still be asked, or the rule that does not hold.
pub(super) fn judge(
    tenant: &Tenant,
    client: &Client,
    (token, jws): (&str, &Jws<'_>),
) -> Result<Evidence, &'static str> {
    let bound = jws.claims.get("kubernetes.io").ok_or(UNBOUND)?;
    let (name, uid) = account(jws).ok_or(UNBOUND)?;
    let namespace = &*client.namespace;
    let known = client.assertion_methods.service_accounts.iter();
    let mut named = known.filter(|known| &*known.name == name).peekable();
    let is_named = named.peek().is_some();
    let is_the_same = named.any(|known| known.uid.as_ref().is_none_or(|pinned| **pinned == *uid));
    let username = format!("system:serviceaccount:{namespace}:{name}");
    let is_its_own =
        text(bound, "namespace") == Some(namespace) && jws.text("sub") == Some(&username);
    let rules = [
        (
            client.allows_method(AuthMethod::ServiceAccount),
            OTHER_METHOD,
        ),
        (
            is_its_own,
            "the ServiceAccount is not of the client's namespace",
        ),
        (
            is_named,
            "serviceAccounts of the client does not name this ServiceAccount",
        ),
        (
            is_the_same,
            "serviceAccounts of the client names this ServiceAccount with another UID: it was made again",
        ),
    ];
    if let Some((_, broken)) = rules.iter().find(|(holds, _)| !holds) {
        return Err(broken);
    }
    Ok(Evidence::Review(Arc::new(Review {
        token: Zeroizing::new(token.to_owned()),
        username,
        uid: uid.to_owned(),
        audience: tenant.issuer.clone(),
        verification: tenant.verification,
    })))
}

const NOT_FOR_ISSUER: &str = "the audience of the token is not exactly the issuer of this server, alone: set audience of the token to the issuer in the metadata, which is ISSUER in the credentials Secret";
const TOO_LONG: &str = "the token lives longer than an hour: set its expirationSeconds (--duration) to at most 3600 (1h)";
const UNBOUND: &str = "the token of the cluster is not one of a ServiceAccount";
const OTHER_METHOD: &str = "the client has no serviceAccounts, or names another method";

fn text<'a>(object: &'a Value, name: &str) -> Option<&'a str> {
    object.get(name)?.as_str().filter(|text| !text.is_empty())
}
