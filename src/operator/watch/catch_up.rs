//! Whether what is served is as new as the cluster was at a given moment.
//!
//! A process that was stopped for a while goes on with watches that may have ended meanwhile, and hears later what happened. So
//! the cluster is asked which objects there are, and until each of them was heard and judged, something may be missing.

use std::sync::Arc;
use std::time::Duration;

use clientele_api::{OAuthClient, OAuthTenant};
use kube::api::{ListParams, PartialObjectMeta};
use kube::{Api, Resource, ResourceExt};
use tokio::time::sleep;

use crate::cache::verdicts::Verdicts;

/// How many objects one request lists.
const PAGE: u32 = 500;
/// How often it is looked whether everything was heard.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// What was not heard within this is listed again: it may have been deleted.
const PATIENCE: Duration = Duration::from_secs(5);
/// The pause before the next try when the API server does not answer.
const RETRY: Duration = Duration::from_secs(1);

/// What is served.
pub struct CatchUp {
    /// The connection.
    pub kube: kube::Client,
    /// What the registry says about each object.
    pub verdicts: Arc<Verdicts>,
}

/// An object by name, UID and generation.
type Version = (String, String, i64);

impl CatchUp {
    /// Ends when everything is served that existed when this began.
    pub async fn run(&self) {
        loop {
            match self.listed().await {
                Ok(listed) if self.has_heard(&listed).await => return,
                Ok(_) => {}
                Err(error) => {
                    tracing::warn!(%error, "cannot list what exists, to catch up after this replica was cut off");
                    sleep(RETRY).await;
                }
            }
        }
    }

    async fn listed(&self) -> kube::Result<(Vec<Version>, Vec<Version>)> {
        let tenants = versions(&Api::<OAuthTenant>::all(self.kube.clone())).await?;
        let clients = versions(&Api::<OAuthClient>::all(self.kube.clone())).await?;
        Ok((tenants, clients))
    }

    async fn has_heard(&self, (tenants, clients): &(Vec<Version>, Vec<Version>)) -> bool {
        let heard = async {
            while !(self.knows_tenants(tenants) && self.knows_clients(clients)) {
                sleep(LOOK_EVERY).await;
            }
        };
        tokio::time::timeout(PATIENCE, heard).await.is_ok()
    }

    fn knows_tenants(&self, tenants: &[Version]) -> bool {
        let states = &self.verdicts.tenants;
        tenants
            .iter()
            .all(|(name, ..)| states.latest(name).is_some())
    }

    /// A client whose tenant was not there yet is judged again when it is.
    fn knows_clients(&self, clients: &[Version]) -> bool {
        clients.iter().all(|(_, uid, generation)| {
            let Some(verdict) = self.verdicts.clients.latest(uid) else {
                return false;
            };
            let tenant = verdict.object.tenant();
            let judged = verdict.tenant.is_some() || self.verdicts.tenants.latest(tenant).is_none();
            judged && verdict.object.generation() >= Some(*generation)
        })
    }
}

/// Every object of a kind that is not being deleted, from a consistent list.
async fn versions<K>(objects: &Api<K>) -> kube::Result<Vec<Version>>
where
    K: Resource<DynamicType = ()> + Clone + std::fmt::Debug + serde::de::DeserializeOwned,
{
    let mut params = ListParams::default().limit(PAGE);
    let mut all = Vec::new();
    loop {
        let page = objects.list_metadata(&params).await?;
        let version = |object: &PartialObjectMeta<K>| {
            let generation = object.metadata.generation.unwrap_or_default();
            (
                object.name_any(),
                object.uid().unwrap_or_default(),
                generation,
            )
        };
        let living = page.items.iter();
        let living = living.filter(|object| object.metadata.deletion_timestamp.is_none());
        all.extend(living.map(version));
        match page.metadata.continue_ {
            Some(next) if !next.is_empty() => params = params.continue_token(&next),
            _ => return Ok(all),
        }
    }
}
