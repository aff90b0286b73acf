//! From the cache to the registry that the server reads.

pub mod builder;
pub mod observer;
pub mod retired;

use std::sync::Arc;

use arc_swap::ArcSwap;
use clientele_oauth::Registry;

use crate::cache::Cache;
use crate::cache::password_requests::PasswordRequests;
use crate::cache::progress::Readiness;
use crate::cache::rollout::Rollout;
use crate::cache::root_keys::RootKeys;
use crate::cache::verdicts::Verdicts;
use crate::cache::work_queues::WorkQueues;
use crate::context::Context;

/// What the registry is built from.
pub struct Inputs {
    /// The connection, the settings, and where to report.
    pub context: Arc<Context>,
    /// What is known of the cluster.
    pub cache: Arc<Cache>,
    /// The root keys.
    pub root_keys: Arc<RootKeys>,
    /// Where passwords are asked for that are not known yet.
    pub requests: Arc<PasswordRequests>,
}

/// What is replaced when it was built.
pub struct Outputs {
    /// The registry that the server reads.
    pub registry: Arc<ArcSwap<Registry>>,
    /// What it says about each object.
    pub verdicts: Arc<Verdicts>,
    /// Where objects are enqueued whose verdict changed.
    pub queues: Arc<WorkQueues>,
    /// What this replica serves.
    pub rollout: Arc<Rollout>,
    /// What has been seen so far.
    pub readiness: Arc<Readiness>,
}
