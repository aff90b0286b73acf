//! What follows from the Secret with the root keys and the marks of the installation.

use std::collections::BTreeMap;

use clientele_oauth::Keyring;
use clientele_oauth::keys::recorded_keys::{FINGERPRINT, missing_key, read_keyring};
use k8s_openapi::api::core::v1::Secret;

use super::rotate::Place;
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
    let Some(secret) = secret else {
        if !marks.keys().any(|mark| mark.starts_with(FINGERPRINT)) && !issued {
            return RootKeyJudgement::FirstStart;
        }
        return refuse(
            place,
            "with the root key is missing, and every client secret is derived from it",
        );
    };
    let keyring = match keyring(secret, marks) {
        Ok(keyring) => keyring,
        Err(problem) => return refuse(place, &problem),
    };
    if let Some(id) = missing_key(&keyring, marks) {
        let problem = format!(
            "does not hold root key {id:?} from which client secrets are derived: it was replaced"
        );
        return refuse(place, &problem);
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

fn keyring(secret: &Secret, marks: &BTreeMap<String, String>) -> Result<Keyring, String> {
    let data = secret.data.as_ref().ok_or("is empty")?;
    read_keyring(data.iter().map(|(name, bytes)| (&**name, &*bytes.0)), marks)
}
