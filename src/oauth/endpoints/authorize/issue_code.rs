//! What is granted: an authorization code with everything that it stands for (RFC 6749 §4.1.2).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;

use super::interaction::SignedIn;
use super::redirect_target::Destination;
use super::request::AuthorizationRequest;
use crate::Tenant;
use crate::digest::digest_of;
use crate::grant::{Authorization, Code, Consent, FAMILY_PREFIX};

/// Begins every authorization code, so that scanners recognize one, and no other kind of value passes for one.
const CODE_PREFIX: &str = "clc_";
/// 256 bits in base64url, behind the prefix.
pub(super) const CODE_LEN: usize = CODE_PREFIX.len() + 43;

/// Fresh random bytes: for the code, and for the family that it will begin.
pub type CodeRandom = [u8; 48];

/// A code as it is sent, and as it is kept.
pub struct NewCode {
    /// For the client. It is not kept here.
    pub value: String,
    /// For the store.
    pub kept: Code,
}

/// What a code is made from.
#[derive(Clone, Copy)]
pub struct Granted<'a> {
    /// Whose code it is.
    pub tenant: &'a Tenant,
    /// Who asked, and where the code goes.
    pub destination: &'a Destination,
    /// What was asked, and is now granted.
    pub request: &'a AuthorizationRequest,
    /// Who granted it.
    pub signed_in: SignedIn<'a>,
    /// The request that it answers. Each answer has another code: a browser may send a form twice.
    pub transaction: &'a str,
}

/// Makes a code.
pub fn code(granted: Granted<'_>, random: &CodeRandom, now: Timestamp) -> NewCode {
    let (for_code, for_family) = random.split_at(32);
    let value = format!("{CODE_PREFIX}{}", URL_SAFE_NO_PAD.encode(for_code));
    let lifetime = granted.destination.client.lifetimes.authorization_code;
    let digest = digest_of(&value);
    let kept = Code {
        transaction: format!("{}.{digest}", granted.transaction),
        digest,
        authorization: authorization(granted),
        redirect_uri: granted.destination.redirect_uri.clone(),
        code_challenge: granted.request.code_challenge.clone(),
        nonce: granted.request.nonce.clone(),
        family: format!("{FAMILY_PREFIX}{}", URL_SAFE_NO_PAD.encode(for_family)),
        issued_at: now,
        expires_at: now.saturating_add(lifetime).unwrap_or(now),
        redeemed_at: None,
    };
    NewCode { value, kept }
}

fn authorization(granted: Granted<'_>) -> Authorization {
    let Granted {
        tenant,
        destination,
        request,
        signed_in,
        ..
    } = granted;
    Authorization {
        tenant: tenant.uid.to_string(),
        client_id: destination.client.id.to_string(),
        client_uid: destination.client.uid.to_string(),
        subject: signed_in.user.subject.to_string(),
        user_uid: signed_in.user.uid.to_string(),
        credential: signed_in.session.credential.clone(),
        sid: signed_in.session.sid.clone(),
        auth_time: signed_in.session.auth_time,
        scope: request.scopes.join(" "),
        resources: request.resources.join(" "),
        claims: request.claims.normal(),
    }
}

/// What is kept of it, so as not to ask again: what was agreed to earlier remains.
pub fn consent(granted: Granted<'_>, earlier: Option<&Consent>, now: Timestamp) -> Consent {
    let (scope, resources) = earlier.map_or(("", ""), |c| (&c.scope, &c.resources));
    let resources_asked = granted.request.resources.iter().map(String::as_str);
    Consent {
        tenant: granted.tenant.uid.to_string(),
        subject: granted.signed_in.user.subject.to_string(),
        user_uid: granted.signed_in.user.uid.to_string(),
        client_uid: granted.destination.client.uid.to_string(),
        client_id: granted.destination.client.id.to_string(),
        scope: union(scope, granted.request.to_agree()),
        resources: union(resources, resources_asked),
        granted_at: now,
    }
}

fn union<'a>(earlier: &'a str, more: impl Iterator<Item = &'a str>) -> String {
    let mut all: Vec<&str> = earlier.split(' ').filter(|v| !v.is_empty()).collect();
    for value in more {
        if !all.contains(&value) {
            all.push(value);
        }
    }
    all.join(" ")
}
