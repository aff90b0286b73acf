//! `spec.secretRef` and what its Secret holds → what a client authenticates with, or why it cannot. Never another value.

use std::sync::Arc;

use clientele_api::secret_ref::{CLIENT_SECRET_TYPE, SecretRef};
use clientele_api::{ClientType, OAuthClient, TokenEndpointAuthMethod};
use clientele_oauth::client::external_secret::{Digest, ExternalSecret, ExternalSecretKey};
use kube::ResourceExt;

use crate::domain::reason::{Reason, Refusal};

/// What the client brought; none if its secret is derived.
pub fn external_secret(
    object: &OAuthClient,
    looked: Option<&SecretRefEntries>,
) -> Result<Option<ExternalSecret>, Refusal> {
    let Some(reference) = &object.spec.secret_ref else {
        return Ok(None);
    };
    let invalid = |message: &str| Err(Refusal::new(Reason::InvalidSpec, message));
    if object.spec.type_ == ClientType::Public {
        return invalid(
            "a Public client has no secret; remove secretRef or make the client Confidential",
        );
    }
    let secretless = [
        TokenEndpointAuthMethod::PrivateKeyJwt,
        TokenEndpointAuthMethod::ServiceAccount,
    ];
    if let Some(method) = object.spec.token_endpoint_auth_method
        && secretless.contains(&method)
    {
        return invalid(
            "a client with private_key_jwt or service_account has no client secret; remove secretRef",
        );
    }
    if reference.previous_key.as_ref() == Some(&reference.key) {
        return invalid("key and previousKey of secretRef must name two entries");
    }
    let place = Place { object, reference };
    let Some(looked) = looked else {
        return Err(place.pending());
    };
    let current = place.digest(&looked.current, &reference.key)?;
    let current = current.ok_or_else(|| place.unusable(&reference.key, "is missing or empty"))?;
    let previous = match (&looked.previous, &reference.previous_key) {
        (Some(found), Some(key)) => place.digest(found, key)?,
        _ => None,
    };
    let key = looked.key.clone();
    Ok(Some(ExternalSecret {
        key,
        current,
        previous,
    }))
}

struct Place<'a> {
    object: &'a OAuthClient,
    reference: &'a SecretRef,
}

impl Place<'_> {
    fn digest(&self, found: &Found, key: &str) -> Result<Option<Digest>, Refusal> {
        match found {
            Found::Known(digest) => Ok(Some(*digest)),
            Found::NoEntry => Ok(None),
            Found::Unusable(problem) => Err(self.unusable(key, problem)),
            Found::Pending => Err(self.pending()),
            Found::NoSecret => Err(self.not_found()),
            Found::Denied(sentence) => {
                Err(Refusal::new(Reason::NamespaceNotEnabled, sentence.clone()))
            }
        }
    }

    fn pending(&self) -> Refusal {
        let name = &self.reference.name;
        Refusal::new(
            Reason::SecretPending,
            format!("Secret {name:?} is being read"),
        )
    }

    /// Secrets of other types are not even sent to us, so whether there is one is not known, and not said.
    fn not_found(&self) -> Refusal {
        let SecretRef { name, key, .. } = self.reference;
        let namespace = self.object.namespace().unwrap_or_default();
        Refusal::new(
            Reason::SecretNotFound,
            format!(
                "there is no Secret {name:?} of type {CLIENT_SECRET_TYPE}, and none of another type is read (if one is in the way, take another name: the type of a Secret cannot change); make it with `openssl rand -hex 32 | kubectl -n {namespace} create secret generic {name} --type={CLIENT_SECRET_TYPE} --from-file={key}=/dev/stdin`, or remove secretRef to have a client secret derived"
            ),
        )
    }

    /// The command writes `stringData`: an editor shows `data`, where a value has to be in base64.
    fn unusable(&self, key: &str, problem: &str) -> Refusal {
        let SecretRef {
            name, previous_key, ..
        } = self.reference;
        let namespace = self.object.namespace().unwrap_or_default();
        let remedy = if previous_key.as_deref() == Some(key) {
            "remove previousKey from secretRef, or write the former client secret there".to_owned()
        } else {
            format!(
                r#"write another one with `kubectl -n {namespace} patch secret {name} --type=merge -p "{{\"stringData\":{{\"{key}\":\"$(openssl rand -hex 32)\"}}}}"`"#
            )
        };
        Refusal::new(
            Reason::SecretInvalid,
            format!("the client secret in entry {key:?} of Secret {name:?} {problem}; {remedy}"),
        )
    }
}

/// What is known about an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// Not looked at yet.
    Pending,
    /// The operator may not look; the sentence names the command that enables it.
    Denied(String),
    /// There is no Secret of that name and of the type of client secrets.
    NoSecret,
    /// The Secret has no such entry, or it is empty.
    NoEntry,
    /// The value cannot be used; completes "the client secret …".
    Unusable(&'static str),
    /// The value.
    Known(Digest),
}

/// What is known about the entries that an OAuthClient refers to.
#[derive(Clone, Debug)]
pub struct SecretRefEntries {
    /// The key of the digests.
    pub key: Arc<ExternalSecretKey>,
    /// The entry `key`.
    pub current: Found,
    /// The entry `previousKey`, if there is one to be looked at.
    pub previous: Option<Found>,
}

impl PartialEq for SecretRefEntries {
    fn eq(&self, other: &Self) -> bool {
        (&self.current, &self.previous) == (&other.current, &other.previous)
    }
}

#[cfg(test)]
mod tests;
