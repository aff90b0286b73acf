//! 1. Read: the Secrets that a reconcile is about.

use clientele_api::OAuthClient;
use k8s_openapi::api::core::v1::Secret;
use kube::{Api, Resource, ResourceExt};

use crate::domain::client::identity::ClientObject;
use crate::domain::client::secret::digest::SecretDigest;
use crate::error::Error;
use crate::reconcile::Reconciler;

/// The Secrets that a reconcile is about.
#[derive(Default)]
pub struct Read {
    /// The credentials Secret.
    pub secret: Option<SecretDigest>,
    /// The whole Secret, when it was read from the API server and not from memory.
    pub whole: Option<Secret>,
    /// The Secrets of former names, by name: the one that the status still shows, and those that a replica that was
    /// stopped before the status could not tell of.
    pub former: Vec<(String, SecretDigest)>,
}

impl Read {
    /// Whether a Secret is the one that was found.
    pub fn is_of(&self, secret: &Secret) -> bool {
        let (found, uid) = (self.secret.as_ref(), secret.meta().uid.as_deref());
        found.is_some_and(|found| found.uid == *uid.unwrap_or_default())
    }
}

/// Memory is asked first; the API server only when memory does not know or something is wrong.
pub async fn read(
    reconciler: &Reconciler,
    object: &ClientObject<'_>,
    exact: bool,
) -> Result<Read, Error> {
    let namespace = object.namespace;
    let name = &*object.secret_name;
    let mut found = Read {
        secret: reconciler.cache.credentials.get(namespace, name),
        ..Read::default()
    };
    let status = object.status.as_ref();
    let expected = status.is_some_and(|status| {
        status.secret_uid.is_some() && status.secret_name.as_deref() == Some(name)
    });
    // A Secret that we wrote and do not see may have lost its label; creating it would tell, by a failed write.
    if exact || (expected && found.secret.is_none()) {
        found.whole = get(reconciler, namespace, name).await?;
        found.secret = found
            .whole
            .as_ref()
            .map(|secret| SecretDigest::new(secret, &reconciler.cache.digest_key));
        if expected && found.secret.is_none() {
            confirm_ledger(reconciler, object).await?;
        }
    }
    found.former = reconciler
        .cache
        .credentials
        .of_client(namespace, &object.name_any());
    found.former.retain(|(other, _)| *other != name);
    if let Some(former) = status.and_then(|status| status.secret_name.as_deref())
        && former != name
        && found.former.iter().all(|(known, _)| known != former)
    {
        let facts = reconciler.cache.credentials.get(namespace, former);
        found
            .former
            .extend(facts.map(|facts| (former.to_owned(), facts)));
    }
    Ok(found)
}

/// A Secret that was there is written again as ledger and manifest say, so those that are no longer true must not be
/// followed: a replica that lags would restore an old generation. Nor is it written for an object that is going.
pub async fn confirm_ledger(
    reconciler: &Reconciler,
    object: &ClientObject<'_>,
) -> Result<(), Error> {
    const DOING: &str = "repair the credentials Secret";
    let namespace = object.namespace;
    let api: Api<OAuthClient> = Api::namespaced(reconciler.context.kube.clone(), namespace);
    let current = api
        .get_opt(&object.name_any())
        .await
        .map_err(Error::api(DOING))?;
    let same = current.is_some_and(|current| {
        current.meta().uid == object.meta().uid
            && current.meta().generation == object.meta().generation
            && current.meta().deletion_timestamp.is_none()
            && ClientObject::parse(&current).ledger == object.ledger
    });
    same.then_some(()).ok_or(Error::Conflict(DOING))
}

/// The Secret as it is now.
pub async fn get(
    reconciler: &Reconciler,
    namespace: &str,
    name: &str,
) -> Result<Option<Secret>, Error> {
    let api: Api<Secret> = Api::namespaced(reconciler.context.kube.clone(), namespace);
    match api.get_opt(name).await {
        // Without rights there is nothing to be seen, and the write will say so.
        Err(kube::Error::Api(status)) if status.is_forbidden() => Ok(None),
        answer => answer.map_err(Error::api("read the credentials Secret")),
    }
}
