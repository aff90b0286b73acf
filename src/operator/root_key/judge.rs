//! What follows from the Secret with the root keys and the marks of the installation.

use std::collections::BTreeMap;

use clientele_oauth::Keyring;
use clientele_oauth::keys::root_keyring::RootKey;
use k8s_openapi::api::core::v1::Secret;

use super::rotate::Place;
use super::{CURRENT, FINGERPRINT, WITHDRAWN};
use crate::settings::INSTALLATION;

/// What follows from the Secret and the fingerprints.
pub enum RootKeyJudgement {
    /// Neither exists and nothing was ever issued: make a key.
    FirstStart,
    /// The keys are usable; these fingerprints are not recorded yet.
    Usable(Keyring, BTreeMap<String, String>),
    /// Derive nothing. The sentence says what to restore.
    Refuse(String),
}

/// Judges what was found at the place of the root key. `issued` says whether any client has ever been given a secret.
pub fn judge(
    place: Place<'_>,
    secret: Option<&Secret>,
    marks: &BTreeMap<String, String>,
    issued: bool,
) -> RootKeyJudgement {
    let known: Vec<(&str, &String)> = marks
        .iter()
        .filter_map(|(key, fingerprint)| Some((key.strip_prefix(FINGERPRINT)?, fingerprint)))
        .collect();
    let Some(secret) = secret else {
        if known.is_empty() && !issued {
            return RootKeyJudgement::FirstStart;
        }
        return refuse(
            place,
            "with the root key is missing, and every client secret is derived from it",
        );
    };
    let keyring = match read_keyring(secret, marks) {
        Ok(keyring) => keyring,
        Err(problem) => return refuse(place, &problem),
    };
    for (id, fingerprint) in known {
        if withdrawn(id, marks) == Some(fingerprint) {
            continue;
        }
        let key = keyring.keys().iter().find(|key| key.id() == id);
        if key.is_none_or(|key| key.fingerprint() != fingerprint) {
            let problem = format!(
                "does not hold root key {id:?} from which client secrets are derived: it was replaced"
            );
            return refuse(place, &problem);
        }
    }
    let unrecorded = keyring
        .keys()
        .iter()
        .map(|key| {
            (
                format!("{FINGERPRINT}{}", key.id()),
                key.fingerprint().to_owned(),
            )
        })
        .filter(|(mark, _)| !marks.contains_key(mark))
        .collect();
    RootKeyJudgement::Usable(keyring, unrecorded)
}

/// Every refusal names both remedies. Of the commands the order matters: without its marks the operator would take whatever
/// key it finds.
fn refuse(Place { namespace, name }: Place<'_>, problem: &str) -> RootKeyJudgement {
    RootKeyJudgement::Refuse(format!(
        "Secret {name:?} {problem}: restore it from a backup. Until then the operator issues and changes nothing. If there is no backup and every client may get a new secret: `kubectl -n {namespace} delete secret {name} --ignore-not-found && kubectl -n {namespace} delete configmap {INSTALLATION} --ignore-not-found && clientele root-key --namespace {namespace} --name {name} | kubectl create -f -`"
    ))
}

/// Reads the keyring: entry `current` names a key, every other entry is a key of 32 bytes. Those that were withdrawn,
/// by their fingerprints, are passed over.
fn read_keyring(secret: &Secret, marks: &BTreeMap<String, String>) -> Result<Keyring, String> {
    let data = secret.data.as_ref().ok_or("is empty")?;
    let current = data.get(CURRENT).ok_or("has no entry current")?;
    let current =
        std::str::from_utf8(&current.0).map_err(|_| "has an entry current that is not text")?;
    let mut keys = data
        .iter()
        .filter(|(name, _)| *name != CURRENT)
        .map(|(name, bytes)| RootKey::new(name, &bytes.0))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| format!("cannot be used: {error}"))?;
    keys.retain(|key| !is_withdrawn(key, marks));
    if keys.iter().all(|key| key.id() != current.trim())
        && withdrawn(current.trim(), marks).is_some()
    {
        return Err(
            "names a withdrawn root key as current (`clientele root-key rotate --emergency` creates another)".to_owned(),
        );
    }
    Keyring::new(current.trim(), keys).map_err(|error| format!("cannot be used: {error}"))
}

/// The fingerprint of the key of this ID that was withdrawn.
pub fn withdrawn<'a>(id: &str, marks: &'a BTreeMap<String, String>) -> Option<&'a String> {
    marks.get(&format!("{WITHDRAWN}{id}"))
}

/// Whether this key was withdrawn.
pub fn is_withdrawn(key: &RootKey, marks: &BTreeMap<String, String>) -> bool {
    withdrawn(key.id(), marks).is_some_and(|fingerprint| fingerprint == key.fingerprint())
}
