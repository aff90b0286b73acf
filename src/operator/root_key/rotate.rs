//! The root key rotates: a person adds a key that derives from then on, clients move to it by ordinary rotation, and the
//! operator removes the former key when no client and no session needs it. What is withdrawn stops at once and never comes back.

use std::collections::BTreeMap;

use clientele_oauth::keys::recorded_keys::{CURRENT, FINGERPRINT, WITHDRAWN};
use k8s_openapi::api::core::v1::Secret;
use kube::{Api, Client};

use super::installation::{again_if_beaten, try_change_marks};
use super::{fingerprint, fresh, is_ours};
use crate::apply::params;
use crate::error::Error;

const DOING: &str = "rotate the root key";

/// Where the root key lies.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// The operator's namespace.
    pub namespace: &'a str,
    /// The name of the Secret.
    pub name: &'a str,
}

/// Adds a key and lets it derive. In an emergency every other key is withdrawn: whatever it made stops at once. Returns
/// the ID of the new key. After a failure it can be run again.
pub async fn rotate(kube: &Client, place: Place<'_>, emergency: bool) -> Result<String, Error> {
    let id = add_key(kube, place).await?;
    if emergency {
        withdraw(kube, place, |other| other != id).await?;
    }
    Ok(id)
}

/// Withdraws keys, again if another client has written in between.
pub async fn withdraw(
    kube: &Client,
    place: Place<'_>,
    which: impl Fn(&str) -> bool,
) -> Result<(), Error> {
    again_if_beaten(|| try_withdraw(kube, place, &which)).await
}

/// Withdraws keys, those in the Secret and those that were ever recorded, in this order: the marks, by which every
/// replica forgets them; then they leave the Secret.
async fn try_withdraw(
    kube: &Client,
    place: Place<'_>,
    which: impl Fn(&str) -> bool,
) -> Result<(), Error> {
    let mut secret = get(kube, place).await?;
    let current = current(&secret);
    let which = |id: &str| is_withdrawn(id, current.as_deref(), &which);
    let present = fingerprints(&secret, which)?;
    let withdraw = |marks: &mut BTreeMap<String, String>| {
        let recorded = marks.iter().filter_map(|(mark, fingerprint)| {
            let id = mark.strip_prefix(FINGERPRINT)?;
            Some((id.to_owned(), fingerprint.clone()))
        });
        let mut all = present.clone();
        all.extend(recorded.filter(|(id, _)| which(id)));
        let mark = |(id, fingerprint)| (format!("{WITHDRAWN}{id}"), fingerprint);
        marks.extend(all.into_iter().map(mark));
    };
    try_change_marks(kube, place.namespace, withdraw).await?;
    // Of a brought Secret the marks are enough.
    if !is_ours(&secret) {
        return Ok(());
    }
    if let Some(data) = &mut secret.data {
        data.retain(|name, _| name == CURRENT || !which(name));
    }
    replace(kube, place, &secret).await
}

/// A command that adds another key at the same time must not lose it: then none would be left.
fn is_withdrawn(id: &str, current: Option<&str>, which: impl Fn(&str) -> bool) -> bool {
    Some(id) != current && which(id)
}

/// The ID of the key that derives.
fn current(secret: &Secret) -> Option<String> {
    let id = secret.data.as_ref()?.get(CURRENT)?;
    Some(String::from_utf8_lossy(&id.0).trim().to_owned())
}

fn fingerprints(
    secret: &Secret,
    which: impl Fn(&str) -> bool,
) -> Result<BTreeMap<String, String>, Error> {
    let keys = secret.data.iter().flatten();
    keys.filter(|(id, _)| *id != CURRENT && which(id))
        .map(|(id, bytes)| Ok((id.clone(), fingerprint(id, &bytes.0)?)))
        .collect()
}

async fn add_key(kube: &Client, place: Place<'_>) -> Result<String, Error> {
    let mut secret = get(kube, place).await?;
    let new = fresh(place.namespace, place.name)?.data.unwrap_or_default();
    let id = new.get(CURRENT).cloned().unwrap_or_default();
    let data = secret.data.get_or_insert_default();
    data.extend(new);
    replace(kube, place, &secret).await?;
    Ok(String::from_utf8_lossy(&id.0).into_owned())
}

async fn get(kube: &Client, place: Place<'_>) -> Result<Secret, Error> {
    let api: Api<Secret> = Api::namespaced(kube.clone(), place.namespace);
    api.get(place.name).await.map_err(Error::api(DOING))
}

/// The resource version in it is the precondition.
async fn replace(kube: &Client, place: Place<'_>, secret: &Secret) -> Result<(), Error> {
    let api: Api<Secret> = Api::namespaced(kube.clone(), place.namespace);
    let replaced = api.replace(place.name, &params(), secret).await;
    replaced.map(drop).map_err(Error::api(DOING))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_who_rotate_in_an_emergency_neither_takes_the_key_that_derives() {
        let secret = fresh("own", "root-key").unwrap();
        let second = current(&secret).unwrap();
        let by_the_first = |id: &str| is_withdrawn(id, Some(&second), |other| other != "first");
        let by_the_second = |id: &str| is_withdrawn(id, Some(&second), |other| other != second);
        assert!(!by_the_first(&second) && !by_the_first("first") && by_the_first("former"));
        assert!(!by_the_second(&second) && by_the_second("first") && by_the_second("former"));
    }
}
