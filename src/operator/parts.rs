//! What the tasks share, and the ends that they read from and write to.

use std::sync::Arc;

use arc_swap::{ArcSwap, ArcSwapOption};
use clientele_api::{OAuthClient, OAuthTenant, OAuthUser};
use clientele_oauth::Registry;
use clientele_oauth::client::secret_usage::Usage;
use tokio::sync::mpsc::UnboundedReceiver;

use crate::cache::Cache;
use crate::cache::leadership::Leader;
use crate::cache::objects::Objects;
use crate::cache::password_requests::{PasswordRequests, PasswordWork};
use crate::cache::place::Place;
use crate::cache::progress::Readiness;
use crate::cache::rebuild::RebuildRequest;
use crate::cache::rollout::Rollout;
use crate::cache::root_keys::RootKeys;
use crate::cache::verdicts::Verdicts;
use crate::cache::work_queues::{WorkQueue, WorkQueues};
use crate::context::Context;
use crate::registry::{Inputs, Outputs};
use crate::root_key::RootKeyReader;

/// The objects of each kind that are to be reconciled: OAuthClients, OAuthTenants, OAuthUsers.
pub type Requests = (
    UnboundedReceiver<Place>,
    UnboundedReceiver<Place>,
    UnboundedReceiver<Place>,
);

/// Where the observer writes what it is told.
pub type Stores = (
    Objects<OAuthClient>,
    Objects<OAuthTenant>,
    Objects<OAuthUser>,
);

/// The ends that the tasks read from and write to.
pub struct Work {
    /// The end of the observer.
    pub stores: Stores,
    /// The ends of the workers.
    pub requests: Requests,
    /// What is to be done about passwords.
    pub passwords: PasswordWork,
}

/// What the tasks share; each is handed what it uses.
pub struct Parts {
    pub(crate) keys: Arc<RootKeyReader>,
    pub(crate) registry: Arc<ArcSwap<Registry>>,
    pub(crate) verdicts: Arc<Verdicts>,
    pub(crate) rollout: Arc<Rollout>,
    pub(crate) passwords: Arc<PasswordRequests>,
    pub(crate) usage: Arc<ArcSwapOption<Usage>>,
}

impl Parts {
    /// Nothing is listed yet.
    pub fn new(
        context: Arc<Context>,
        registry: Arc<ArcSwap<Registry>>,
        usage: Arc<ArcSwapOption<Usage>>,
    ) -> (Self, Work) {
        let stores = Stores::default();
        let (clients, tenants, users) = stores.clone();
        let (client_queue, client_requests) = WorkQueue::new(clients.clone());
        let (tenant_queue, tenant_requests) = WorkQueue::new(tenants.clone());
        let (user_queue, user_requests) = WorkQueue::new(users.clone());
        let (requests, passwords) = PasswordRequests::new();
        let is_leased = context.settings.lease.is_some();
        let among_several = context.settings.shares_store;
        let rollout = Rollout::new(among_several, client_queue.sender());
        let keys = RootKeyReader {
            context,
            cache: Arc::new(Cache::new(clients, tenants, users)),
            root_keys: Arc::new(RootKeys::default()),
            leader: Arc::new(Leader::new(is_leased)),
            readiness: Arc::new(Readiness::default()),
            queues: Arc::new(WorkQueues {
                clients: client_queue,
                tenants: tenant_queue,
                users: user_queue,
            }),
            rebuild: Arc::new(RebuildRequest::default()),
        };
        let parts = Self {
            keys: Arc::new(keys),
            registry,
            verdicts: Arc::new(Verdicts::default()),
            rollout: Arc::new(rollout),
            passwords: Arc::new(requests),
            usage,
        };
        let work = Work {
            stores,
            requests: (client_requests, tenant_requests, user_requests),
            passwords,
        };
        (parts, work)
    }

    /// What the registry is made of, and what is replaced when it was made.
    pub fn observed(&self) -> (Inputs, Outputs) {
        let inputs = Inputs {
            context: self.keys.context.clone(),
            cache: self.keys.cache.clone(),
            root_keys: self.keys.root_keys.clone(),
            requests: self.passwords.clone(),
        };
        let outputs = Outputs {
            registry: self.registry.clone(),
            verdicts: self.verdicts.clone(),
            queues: self.keys.queues.clone(),
            rollout: self.rollout.clone(),
            readiness: self.keys.readiness.clone(),
        };
        (inputs, outputs)
    }
}
