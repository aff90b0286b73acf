//! The root key rotates: a person adds a key that derives from then on, clients move to it by ordinary rotation, and the
//! operator removes the former key when nobody needs it. What is withdrawn stops at once and never comes back.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::Secret;
use kube::{Api, Client};

use super::{
    CURRENT, FINGERPRINT, WITHDRAWN, again_if_beaten, change_marks, fingerprint, fresh, is_ours,
};
use crate::controller::failure::Error;
use crate::controller::write::params;

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

/// Withdraws keys, again if somebody else has written in between.
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
    let present = fingerprints(&secret, &which)?;
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
    change_marks(kube, place.namespace, withdraw).await?;
    // Of a brought Secret the marks are enough.
    if !is_ours(&secret) {
        return Ok(());
    }
    if let Some(data) = &mut secret.data {
        data.retain(|name, _| name == CURRENT || !which(name));
    }
    replace(kube, place, &secret).await
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
