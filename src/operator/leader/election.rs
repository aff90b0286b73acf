//! Which of several replicas writes: the one that holds the Lease. All of them observe and serve.
//!
//! Nothing is wrong when two write, or none does for a while: every write that cannot be repeated has a precondition.

use std::fmt::Display;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::future::BoxFuture;
use futures::{FutureExt, future};
use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use kube::Api;
use kube::api::ObjectMeta;
use tokio::time::{sleep, timeout};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::lease::{RENEW_DEADLINE, Seen, Step, held, released};
use crate::apply::params;
use crate::cache::Cache;
use crate::cache::leadership::Leader;
use crate::cache::work_queues::WorkQueues;
use crate::context::Context;
use crate::domain::client::secret::MANAGED_BY;
use crate::settings::LEASE;

/// How often the holder renews it.
const RENEW_EVERY: Duration = Duration::from_secs(3);
/// How often others look at it, and how soon whatever failed is tried again.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// The API server has so much time to answer.
const ANSWER: Duration = Duration::from_secs(3);

/// Goes on as long as this replica writes. What is left then is left as it is, as by a crash: the next leader does it.
pub fn while_leader<T: Send + 'static>(
    leader: Arc<Leader>,
    mut work: BoxFuture<'static, T>,
) -> impl Future<Output = Option<T>> {
    future::poll_fn(move |context| {
        if leader.is_ours() {
            work.poll_unpin(context).map(Some)
        } else {
            std::task::Poll::Ready(None)
        }
    })
}

/// Takes the Lease, renews it or waits for it until the end, and then releases it, so that another replica need not wait.
pub async fn lead(
    context: Arc<Context>,
    cache: Arc<Cache>,
    leader: Arc<Leader>,
    queues: Arc<WorkQueues>,
    ending: CancellationToken,
    _released: DropGuard,
) {
    let Some(identity) = context.settings.lease.clone() else {
        context.metrics.leader.set(1);
        return;
    };
    let mut candidate = LeaderElector {
        api: Api::namespaced(context.kube.clone(), &context.settings.namespace),
        context,
        cache,
        leader,
        queues,
        identity,
        seen: None,
        problem: None,
    };
    ending.run_until_cancelled(candidate.run()).await;
    candidate.end("it is stopping");
    let released = timeout(ANSWER, candidate.release()).await;
    if !matches!(released, Ok(Ok(()))) {
        tracing::warn!("could not release the Lease; another replica takes over when it expires");
    }
}

/// A replica that would write.
struct LeaderElector {
    context: Arc<Context>,
    cache: Arc<Cache>,
    leader: Arc<Leader>,
    queues: Arc<WorkQueues>,
    api: Api<Lease>,
    identity: String,
    seen: Option<Seen>,
    /// What was said about the last attempt.
    problem: Option<String>,
}

/// What came of a look.
enum LeaseAttempt {
    /// It is ours, from now on or still.
    ManagedFields,
    /// Another replica holds it.
    Others,
    /// Another client wrote in between, be it a label or the Lease's next holder: the next look tells.
    Outrun,
}

impl LeaderElector {
    async fn run(&mut self) {
        loop {
            let began = Instant::now();
            let attempt = timeout(ANSWER, self.attempt()).await;
            match &attempt {
                Ok(Ok(LeaseAttempt::ManagedFields)) => self.begin(began + RENEW_DEADLINE),
                Ok(Ok(LeaseAttempt::Others)) => self.end("another replica holds the Lease"),
                Ok(Ok(LeaseAttempt::Outrun)) => {}
                Ok(Err(error)) => self.failed(error),
                Err(_) => self.failed(&"the API server does not answer"),
            }
            let renewed = matches!(attempt, Ok(Ok(LeaseAttempt::ManagedFields)));
            sleep(if renewed { RENEW_EVERY } else { LOOK_EVERY }).await;
        }
    }

    /// Looks, and takes or renews it if that is the thing to do.
    async fn attempt(&mut self) -> kube::Result<LeaseAttempt> {
        let Some(mut lease) = self.api.get_opt(LEASE).await? else {
            return attempted(self.api.create(&params(), &self.first()).await);
        };
        let record = lease.spec.unwrap_or_default();
        let seen = Seen::after(self.seen.take(), record.clone(), Instant::now());
        let step = seen.step(&self.identity, Instant::now());
        self.seen = Some(seen);
        if let Step::Wait(_) = step {
            self.leader.set_rival(record.holder_identity.as_deref());
            return Ok(LeaseAttempt::Others);
        }
        // The resource version read is the precondition.
        lease.spec = Some(held(&record, &self.identity, Timestamp::now()));
        attempted(self.api.replace(LEASE, &params(), &lease).await)
    }

    fn first(&self) -> Lease {
        let label = (MANAGED_BY.0.to_owned(), MANAGED_BY.1.to_owned());
        Lease {
            metadata: ObjectMeta {
                name: Some(LEASE.to_owned()),
                labels: Some([label].into()),
                ..ObjectMeta::default()
            },
            spec: Some(held(
                &LeaseSpec::default(),
                &self.identity,
                Timestamp::now(),
            )),
        }
    }

    fn begin(&mut self, until: Instant) {
        self.problem = None;
        if self.leader.set(Some(until)) {
            self.context.metrics.leader.set(1);
            tracing::info!(identity = self.identity, "became leader, writing");
            self.queues.enqueue_everything(&self.cache.credentials);
        }
    }

    fn end(&mut self, why: &str) {
        self.problem = None;
        if self.leader.set(None) {
            self.context.metrics.leader.set(0);
            let identity = &self.identity;
            tracing::info!(identity, "lost leadership, stopped writing: {why}");
        }
    }

    /// What was renewed is ours until its time is over.
    fn failed(&mut self, error: &dyn Display) {
        let problem = error.to_string();
        if self.problem.as_ref() != Some(&problem) {
            tracing::warn!(
                error = problem,
                "cannot renew or acquire the Lease; not writing without it"
            );
        }
        if !self.leader.is_ours() {
            self.end("the Lease could not be renewed in time");
        }
        self.problem = Some(problem);
    }

    async fn release(&self) -> kube::Result<()> {
        let Some(mut lease) = self.api.get_opt(LEASE).await? else {
            return Ok(());
        };
        let record = lease.spec.unwrap_or_default();
        if record.holder_identity.as_ref() != Some(&self.identity) {
            return Ok(());
        }
        lease.spec = Some(released(&record));
        attempted(self.api.replace(LEASE, &params(), &lease).await).map(drop)
    }
}

fn attempted(written: kube::Result<Lease>) -> kube::Result<LeaseAttempt> {
    match written {
        Ok(_) => Ok(LeaseAttempt::ManagedFields),
        Err(kube::Error::Api(status)) if status.code == 409 => Ok(LeaseAttempt::Outrun),
        Err(error) => Err(error),
    }
}
