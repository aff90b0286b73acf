//! From the registry and the cache to writes in Kubernetes.

pub mod action;
pub mod announce;
pub mod client;
pub mod last_use;
pub mod later;
pub mod queue;
pub mod runner;
pub mod signing_key;
pub mod tenant;
pub mod user;

use std::fmt::Debug;
use std::sync::{Arc, Mutex};

use arc_swap::{ArcSwap, ArcSwapOption};
use clientele_oauth::Registry;
use clientele_oauth::client::secret_rotation::RotationThrottle;
use clientele_oauth::client::secret_usage::Usage;
use kube::{Api, Resource};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::apply;
use crate::cache::Cache;
use crate::cache::last_use_turns::LastUseTurns;
use crate::cache::leadership::Leader;
use crate::cache::progress::Readiness;
use crate::cache::rollout::Rollout;
use crate::cache::root_keys::RootKeys;
use crate::cache::verdicts::Verdicts;
use crate::cache::write_throttle::WriteThrottle;
use crate::context::Context;
use crate::error::Error;
use crate::root_key::RootKeyReader;

/// What reconciling reads, and where it reports. Its fields are for the rooms of this folder only.
pub struct Reconciler {
    context: Arc<Context>,
    cache: Arc<Cache>,
    root_keys: Arc<RootKeys>,
    root_key_reader: Arc<RootKeyReader>,
    registry: Arc<ArcSwap<Registry>>,
    verdicts: Arc<Verdicts>,
    leader: Arc<Leader>,
    rollout: Arc<Rollout>,
    readiness: Arc<Readiness>,
    usage: Arc<ArcSwapOption<Usage>>,
    last_use_turns: Arc<LastUseTurns>,
    write_throttle: WriteThrottle,
    rotation_throttle: Mutex<RotationThrottle>,
}

impl Reconciler {
    /// Reads what the root keys are read with, and reports where they are reported.
    pub fn new(
        root_key_reader: Arc<RootKeyReader>,
        registry: Arc<ArcSwap<Registry>>,
        verdicts: Arc<Verdicts>,
        rollout: Arc<Rollout>,
        usage: Arc<ArcSwapOption<Usage>>,
        last_use_turns: Arc<LastUseTurns>,
    ) -> Self {
        let context = root_key_reader.context.clone();
        Self {
            write_throttle: WriteThrottle::new(context.settings.write_burst),
            context,
            cache: root_key_reader.cache.clone(),
            root_keys: root_key_reader.root_keys.clone(),
            leader: root_key_reader.leader.clone(),
            readiness: root_key_reader.readiness.clone(),
            root_key_reader,
            registry,
            verdicts,
            rollout,
            usage,
            last_use_turns,
            rotation_throttle: Mutex::default(),
        }
    }

    /// Writes a status, counts it, and notes it for the throttle. `None` when the object was deleted in the meantime.
    async fn apply_status<K>(
        &self,
        api: &Api<K>,
        object: &K,
        status: &impl Serialize,
    ) -> Result<Option<K>, Error>
    where
        K: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned,
    {
        let definitions = &self.cache.definitions;
        let newer = apply::apply_status(api, object, status, definitions).await?;
        if newer.is_some() {
            self.note_write("status", object.meta().uid.as_deref());
        }
        Ok(newer)
    }

    /// Counts a write about an object, and notes it for the throttle.
    fn note_write(&self, what: &'static str, uid: Option<&str>) {
        self.context.metrics.wrote(what);
        self.write_throttle.note(uid);
    }
}
