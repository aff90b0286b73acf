//! The observer: watches → registry. On any change it makes the next registry of what changed, and swaps it whole.
//!
//! It writes nothing to Kubernetes. Changes are gathered for a moment, so that a burst costs one rebuild.

use std::sync::Arc;
use std::time::{Duration, Instant};

use clientele_api::{OAuthClient, OAuthTenant, OAuthUser};
use futures::StreamExt;
use tokio::time::{MissedTickBehavior, interval, sleep_until};

use super::builder::RegistryBuilder;
use super::{Inputs, Outputs};
use crate::cache::objects::Objects;
use crate::cache::rebuild::RebuildRequest;
use crate::watch::objects::watches;

/// How long changes are gathered.
const GATHER: Duration = Duration::from_millis(1);
/// After a rebuild there is a pause of this many times its duration, so that what is judged again with a whole list or
/// tenant, if in slices, does not spend the time of the requests. A change of a few objects takes microseconds and so pauses for none.
const PAUSE: u32 = 4;
/// But no change waits for longer than this, however long one takes on a machine that has other things to do.
const LONGEST_PAUSE: Duration = Duration::from_millis(50);

/// How often a few objects are looked at again, and replaced registries that no request reads any more are dropped.
const CHECK: Duration = Duration::from_secs(2);

/// Observes for ever.
pub async fn run(
    inputs: Inputs,
    outputs: Outputs,
    rebuild: Arc<RebuildRequest>,
    clients: Objects<OAuthClient>,
    tenants: Objects<OAuthTenant>,
    users: Objects<OAuthUser>,
) {
    let mut world = RegistryBuilder::new(&inputs, clients, tenants, users);
    let mut observations = watches(&inputs.context);
    let mut due: Option<Instant> = None;
    let mut earliest = Instant::now();
    let mut checks = interval(CHECK);
    checks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let wake = [due, world.guard_until()].into_iter().flatten().min();
        let changed = tokio::select! {
            observation = observations.next() => match observation {
                Some(observation) => world.apply(&inputs, &outputs, observation),
                None => return,
            },
            () = rebuild.requested() => true,
            list = world.confirmation() => {
                world.confirm(list);
                true
            }
            _ = checks.tick() => {
                sweep(&mut world);
                world.check(&inputs)
            }
            () = sleep_until(wake.unwrap_or_else(Instant::now).into()), if wake.is_some() => {
                world.release_guard();
                let started = Instant::now();
                world.rebuild(&inputs, &outputs).await;
                let pause = (started.elapsed() * PAUSE).min(LONGEST_PAUSE);
                earliest = Instant::now() + pause;
                due = None;
                sweep(&mut world);
                false
            }
        };
        if changed {
            due.get_or_insert_with(|| earliest.max(Instant::now() + GATHER));
        }
    }
}

/// Drops what was replaced and is not read any more; what is large on a thread that serves no request.
fn sweep(world: &mut RegistryBuilder) {
    if let Some(large) = world.sweep() {
        drop(tokio::task::spawn_blocking(move || drop(large)));
    }
}
