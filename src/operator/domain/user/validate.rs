//! `OAuthUser` → `User`: the one pure function that decides who can sign in.
//!
//! The observer builds the registry with it and the controller reports what it said. Everything that the API
//! server checks is checked again, because an object may have been stored before a rule existed or with admission
//! bypassed.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use clientele_api::OAuthUser;
use clientele_api::schema::PROTOCOL_CLAIMS;
use clientele_api::standard_claims;
use clientele_api::user::{FIELD_CLAIMS, PASSWORD_TYPE};
use clientele_oauth::uri::name_key;
use clientele_oauth::user::subject;
use clientele_oauth::{Keyring, User};
use jiff::Timestamp;
use kube::ResourceExt;
use serde_json::{Map, Value};

use crate::domain::client::validate::check_group;
use crate::domain::large::refuse_shortened;
use crate::domain::reason::{Reason, Refusal};
use crate::domain::secret_entry::SecretEntry;
use crate::domain::tenant::admission::{admit_namespace, tenant_not_found};
use crate::domain::tenant::policy::{Labels, TenantPolicy, shared};
use crate::domain::unique_names::lost;
use crate::domain::user::limits;
use crate::domain::user::password::{Found, Hash};
use crate::domain::user::structure;

/// The purpose of the MAC that tells passwords apart.
const CREDENTIAL: &str = "clientele credential v1";
/// How long the JSON of everything that is known about a person may be. An ID token with it, in base64url and with the
/// claims of the protocol, fits the head of a request (16 KiB) beside a redirect URI, a `state` and the browser's headers.
const MAX_CLAIMS: usize = 5 * 1024;
/// How deep arrays and objects of the free claims may lie within each other.
const MAX_NESTING: usize = 16;

/// What `validate_user` needs to know besides the object.
#[derive(Clone, Copy)]
pub struct UserInputs<'a> {
    /// The tenant that the object names, if it exists, and its UID.
    pub tenant: Option<(&'a TenantPolicy, &'a str)>,
    /// The labels of the object's namespace.
    pub namespace: &'a Labels,
    /// Who has the username, if it is another person.
    pub username_holder: Option<&'a str>,
    /// Who has the brought subject, if it is another person.
    pub subject_holder: Option<&'a str>,
    /// What is known of the password; `None` if the object refers to none.
    pub password: Option<&'a Found>,
    /// The root keys.
    pub keyring: &'a Keyring,
    /// What began earlier is over.
    pub valid_from: Timestamp,
}

/// A person who can sign in.
#[derive(Clone, Debug, PartialEq)]
pub struct ValidatedUser {
    /// Who.
    pub person: User,
    /// Whether the password still has to be looked at or hashed; it will be, in a moment.
    pub pending: bool,
}

/// The person that an object describes, or why there is none.
pub fn validate_user(object: &OAuthUser, around: UserInputs<'_>) -> Result<ValidatedUser, Refusal> {
    let not_found = || tenant_not_found::<OAuthUser>(&object.spec.tenant);
    let (tenant, tenant_uid) = around.tenant.ok_or_else(not_found)?;
    let users = (
        &tenant.users,
        "spec.users.namespaces",
        "users from namespace",
    );
    admit_namespace(object, tenant, users, around.namespace)?;
    refuse_shortened(object)?;
    structure::check(object)?;
    check_shape(object)?;
    limits::check(object, tenant, around.namespace)?;
    check_subject(object, tenant)?;
    check_conflicts(object, around)?;
    let (hash, fingerprint) = password(object, around.password)?;
    let spec = &object.spec;
    let user_uid = object.uid().unwrap_or_default();
    let derived = || subject::derived(tenant_uid, &user_uid);
    let person = User {
        subject: spec.subject.clone().unwrap_or_else(derived).into(),
        username: spec.username.as_str().into(),
        claims: claims(object),
        groups: shared(&spec.groups),
        password: match &hash {
            Some(Hash::Ready(hash)) => Some(hash.clone()),
            _ => None,
        },
        disabled: spec.disabled,
        credential: credential(around.keyring, None, &user_uid, &fingerprint),
        former_credentials: former_credentials(around.keyring, &user_uid, &fingerprint),
        uid: user_uid.into(),
        valid_from: around.valid_from,
    };
    let pending = hash == Some(Hash::Pending);
    Ok(ValidatedUser { person, pending })
}

/// The entry that holds the password.
pub fn password_entry(object: &OAuthUser) -> Option<SecretEntry> {
    let reference = object.spec.password_secret_ref.as_ref()?;
    Some(SecretEntry {
        namespace: object.namespace().unwrap_or_default(),
        secret: reference.name.clone(),
        key: reference.key.clone(),
    })
}

/// The same on every replica and after a restart, as long as password and root key stay the same; who reads it in
/// the store cannot try passwords on it.
fn credential(
    keyring: &Keyring,
    key_id: Option<&str>,
    user_uid: &str,
    fingerprint: &[u8],
) -> Arc<str> {
    let parts = [user_uid.as_bytes(), fingerprint];
    let mac = keyring.mac(key_id, CREDENTIAL, &parts).unwrap_or_default();
    URL_SAFE_NO_PAD.encode(&mac[..16]).into()
}

/// The credential under every other root key.
fn former_credentials(keyring: &Keyring, user_uid: &str, fingerprint: &[u8]) -> Arc<[Arc<str>]> {
    let ids = keyring.keys().iter().map(|key| key.id());
    ids.filter(|id| *id != keyring.current_id())
        .map(|id| credential(keyring, Some(id), user_uid, fingerprint))
        .collect()
}

fn check_shape(object: &OAuthUser) -> Result<(), Refusal> {
    let spec = &object.spec;
    let invalid = |message: String| Err(Refusal::new(Reason::InvalidSpec, message));
    if !is_username(&spec.username) {
        return invalid(format!(
            "the username {:?} must consist of lower case letters, digits, '.', '_', '@', '+' and '-'",
            spec.username
        ));
    }
    if let Some(Err(problem)) = spec.subject.as_deref().map(subject::check) {
        return invalid(format!("the subject {problem}"));
    }
    for group in &spec.groups {
        if let Err(problem) = check_group(group) {
            return invalid(format!("the group {group:?} {problem}"));
        }
    }
    let reserved = PROTOCOL_CLAIMS.iter().chain(&FIELD_CLAIMS);
    if let Some(name) = reserved
        .into_iter()
        .find(|name| spec.claims.contains_key(**name))
    {
        return invalid(format!(
            "claims must not contain {name:?}, which is a claim of the protocol or has a field of its own; remove it"
        ));
    }
    for (name, value) in &spec.claims {
        if let Err(problem) = standard_claims::check(name, value) {
            return invalid(format!("the claim {name:?} {problem}"));
        }
    }
    if is_long(&everything(object)) {
        return invalid(format!(
            "claims, groups, name, email and username together are longer than {MAX_CLAIMS} bytes of JSON, so ID tokens would not fit in a URL; remove some claims or groups"
        ));
    }
    if spec
        .claims
        .values()
        .any(|claim| !is_at_most(claim, MAX_NESTING))
    {
        return invalid(format!(
            "claims are nested more than {MAX_NESTING} deep; flatten them"
        ));
    }
    Ok(())
}

/// No person is taken for a tenant, not even for one that is created tomorrow.
fn check_subject(object: &OAuthUser, tenant: &TenantPolicy) -> Result<(), Refusal> {
    let subject = object.spec.subject.as_deref();
    let Some(issuer) = subject.filter(|subject| tenant.installation.is_issuer(&name_key(subject)))
    else {
        return Ok(());
    };
    Err(Refusal::new(
        Reason::InvalidSpec,
        format!(
            "the subject {issuer:?} is an issuer of this installation; recreate this OAuthUser with another subject or without one"
        ),
    ))
}

fn is_long(claims: &Map<String, Value>) -> bool {
    let length = serde_json::to_string(claims).map(|json| json.len());
    length.unwrap_or(usize::MAX) > MAX_CLAIMS
}

/// What a client can receive about the person at most.
fn everything(object: &OAuthUser) -> Map<String, Value> {
    let mut everything = claims(object);
    everything.insert("groups".to_owned(), object.spec.groups.clone().into());
    everything
}

/// The same object as it is kept: claims that are refused for their length are not, and what takes their place is
/// refused for the same reason.
pub fn prune_user(mut object: OAuthUser) -> OAuthUser {
    if is_long(&object.spec.claims) {
        let long = Value::String(" ".repeat(MAX_CLAIMS));
        object.spec.claims = [("cut".to_owned(), long)].into_iter().collect();
    }
    object
}

/// Whether a claim is nested at most so deep.
fn is_at_most(claim: &Value, depth: usize) -> bool {
    let is_less = |inner: &Value| depth > 0 && is_at_most(inner, depth - 1);
    match claim {
        Value::Array(values) => values.iter().all(is_less),
        Value::Object(members) => members.values().all(is_less),
        _ => true,
    }
}

fn is_username(name: &str) -> bool {
    let inside = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._@+-".contains(&b);
    let edge = |b: Option<&u8>| b.is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    let bytes = name.as_bytes();
    bytes.len() <= 128
        && bytes.iter().copied().all(inside)
        && edge(bytes.first())
        && edge(bytes.last())
}

fn check_conflicts(object: &OAuthUser, around: UserInputs<'_>) -> Result<(), Refusal> {
    let spec = &object.spec;
    if let Some(holder) = around.username_holder {
        return Err(Refusal::new(
            Reason::UsernameConflict,
            lost(
                &format!("the username {:?}", spec.username),
                holder,
                "choose another username",
            ),
        ));
    }
    if let (Some(holder), Some(subject)) = (around.subject_holder, &spec.subject) {
        return Err(Refusal::new(
            Reason::SubjectConflict,
            lost(
                &format!("the subject {subject:?}"),
                holder,
                "recreate this OAuthUser with another subject or without one",
            ),
        ));
    }
    Ok(())
}

/// The hash, and what tells this password from others; both empty if there is none.
fn password(object: &OAuthUser, found: Option<&Found>) -> Result<(Option<Hash>, Vec<u8>), Refusal> {
    let (Some(found), Some(entry)) = (found, password_entry(object)) else {
        return Ok((None, Vec::new()));
    };
    let SecretEntry { secret, key, .. } = &entry;
    let invalid = |problem: &str| {
        Err(Refusal::new(
            Reason::PasswordInvalid,
            format!(
                "the password in entry {key:?} of Secret {secret:?} {problem}; write another one with `{}`",
                to_write_password(object)
            ),
        ))
    };
    match found {
        Found::Pending => Ok((Some(Hash::Pending), Vec::new())),
        Found::Denied(sentence) => Err(Refusal::new(Reason::NamespaceNotEnabled, sentence.clone())),
        Found::NoSecret => Err(Refusal::new(
            Reason::PasswordSecretNotFound,
            format!(
                "there is no Secret {secret:?} with the password; make it with `{}`",
                to_write_password(object)
            ),
        )),
        Found::NoEntry => invalid("is missing"),
        Found::Known(password) => match &password.hash {
            Hash::Unusable(problem) => invalid(problem),
            hash => Ok((Some(hash.clone()), password.fingerprint.0.to_vec())),
        },
    }
}

/// The command that writes a password, into the entry that the object names, and shows it.
fn to_write_password(object: &OAuthUser) -> String {
    let (name, namespace) = (object.name_any(), object.namespace().unwrap_or_default());
    format!("kubectl clientele user passwd {name} -n {namespace} --generate")
}

/// What is known about the person, by claim name (OIDC Core §5.1).
fn claims(object: &OAuthUser) -> Map<String, Value> {
    let spec = &object.spec;
    let mut claims = spec.claims.clone();
    let mut put = |name: &str, value: Value| claims.insert(name.to_owned(), value);
    put("preferred_username", spec.username.as_str().into());
    if let Some(name) = &spec.name {
        put("name", name.as_str().into());
    }
    if let Some(email) = &spec.email {
        put("email", email.as_str().into());
        if let Some(verified) = spec.email_verified {
            put("email_verified", verified.into());
        }
    }
    claims
}

/// Why a Secret that is there is not used: it did not opt in.
pub fn wrong_type(entry: &SecretEntry) -> Refusal {
    let SecretEntry {
        namespace, secret, ..
    } = entry;
    Refusal::new(
        Reason::PasswordSecretWrongType,
        format!(
            "Secret {secret:?} is not of type {PASSWORD_TYPE}, so the operator does not read it; the type of a Secret cannot change, so create another Secret of this type and set passwordSecretRef to it, or delete that one with `kubectl -n {namespace} delete secret {secret}` if it is not needed"
        ),
    )
}

#[cfg(test)]
mod tests;
