//! The workers: reconcile what the queue gives them, one object at a time, each namespace in its turn, and again after errors.

use std::convert::Infallible;
use std::fmt::Debug;
use std::sync::Arc;
use std::time::Instant;

use clientele_api::{OAuthClient, OAuthTenant, OAuthUser};
use clientele_telemetry::trace;
use futures::{FutureExt, StreamExt};
use kube::Resource;
use kube::runtime::controller::{Action, Config, applier};
use kube::runtime::reflector::{ObjectRef, Store};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, Span};

use super::Reconciler;
use super::queue::{WorkerShare, fair_queue};
use crate::cache::place::Place;
use crate::error::{Error, Retries};
use crate::leader::election::while_leader;
use crate::metrics::reconcile::KINDS;

type Requests<K> = UnboundedReceiver<ObjectRef<K>>;

/// One reconcile of one object.
pub type Pass = futures::future::BoxFuture<'static, Result<Action, Error>>;

/// A reconcile that panics has failed like any other, and is tried again. Left alone it would take its queue with it, and with
/// that every pass of its kind.
fn guarded(pass: Pass) -> Pass {
    let caught = std::panic::AssertUnwindSafe(pass).catch_unwind();
    Box::pin(caught.map(|ended| ended.unwrap_or(Err(Error::Panicked))))
}

/// A kind of objects that is reconciled.
pub trait Reconciled {
    /// Its name, as a label of metrics.
    const KIND: &'static str;
}

impl Reconciled for OAuthClient {
    const KIND: &'static str = KINDS[0];
}

impl Reconciled for OAuthTenant {
    const KIND: &'static str = KINDS[1];
}

impl Reconciled for OAuthUser {
    const KIND: &'static str = KINDS[2];
}

/// Notes how long a reconcile took, and how it ended in the span that is its trace.
fn timed(span: Span, kind: &'static str, reconciler: &Arc<Reconciler>, pass: Pass) -> Pass {
    let context = reconciler.context.clone();
    Box::pin(async move {
        let started = Instant::now();
        let ended = pass.instrument(span.clone()).await;
        context.metrics.reconcile.took(kind, started.elapsed());
        let outcome = match &ended {
            Ok(_) => "ok",
            Err(error) if error.is_conflict() => "conflict",
            Err(_) => "error",
        };
        trace::ended(&span, outcome);
        ended
    })
}

fn span_of<K: Reconciled + Resource>(object: &K) -> Span {
    let meta = object.meta();
    trace::reconcile(K::KIND, meta.namespace.as_deref(), meta.name.as_deref())
}

/// Runs passes until the shutdown begins: one at a time for an object, `workers` at once for a namespace, each namespace
/// in its turn, and again later after an error.
pub async fn run<K>(
    (requests, shutdown): (Requests<K>, CancellationToken),
    store: Store<K>,
    reconciler: Arc<Reconciler>,
    workers: u16,
    pass: impl Fn(Arc<K>, Arc<Reconciler>) -> Pass + Send + 'static,
) where
    K: Reconciled + Resource<DynamicType = ()> + Clone + Debug + Send + Sync + 'static,
{
    let share = WorkerShare::of(workers);
    let (end, ended) = unbounded_channel();
    let queue_metrics = reconciler.context.metrics.reconcile.queue(K::KIND);
    let queue = fair_queue(requests, ended, share, queue_metrics).map(Ok::<_, Infallible>);
    let queue = queue.take_until(shutdown.cancelled_owned());
    let config = Config::default().concurrency(u16::try_from(share.all).unwrap_or(workers));
    let retries = Retries::default();
    let policy = move |object: Arc<K>, error: &Error, _: Arc<Reconciler>| {
        let wait = retries.next(object.meta().uid.as_deref().unwrap_or_default(), error);
        Action::requeue(wait)
    };
    let pass = move |object: Arc<K>, reconciler: Arc<Reconciler>| {
        let wait = reconciler
            .write_throttle
            .wait(object.meta().uid.as_deref().unwrap_or_default());
        let pass: Pass = match wait {
            Some(wait) => Box::pin(std::future::ready(Ok(Action::requeue(wait)))),
            None => timed(
                span_of(&*object),
                K::KIND,
                &reconciler,
                guarded(pass(object, reconciler.clone())),
            ),
        };
        let passed = while_leader(reconciler.leader.clone(), pass);
        passed.map(|passed| passed.unwrap_or(Ok(Action::await_change())))
    };
    let passes = applier(pass, policy, reconciler.clone(), store, queue, config);
    futures::pin_mut!(passes);
    while let Some(passed) = passes.next().await {
        use kube::runtime::controller::Error::{ObjectNotFound, ReconcilerFailed};
        if let Some(place) = place_of(&passed) {
            // Fails only after the shutdown has begun, when no object gets a turn any more.
            let _ = end.send(place);
        }
        match passed {
            // Deleted before its turn came: the watch has said so already.
            Ok(_) | Err(ObjectNotFound(_)) => {}
            Err(ReconcilerFailed(error, object)) => {
                let metrics = &reconciler.context.metrics.reconcile;
                metrics.failed(K::KIND, error.is_conflict());
                if !error.is_conflict() {
                    tracing::warn!(%object, error = &error as &dyn std::error::Error, "reconcile failed, will retry");
                }
            }
            Err(error) => tracing::error!(%error, "the work queue failed"),
        }
    }
}

type Passed<K> =
    Result<(ObjectRef<K>, Action), kube::runtime::controller::Error<Error, Infallible>>;

/// Which object a reconcile was about.
fn place_of<K: Resource>(passed: &Passed<K>) -> Option<Place> {
    use kube::runtime::controller::Error::{ObjectNotFound, ReconcilerFailed};
    match passed {
        Ok((object, _)) => Some(Place::of_reference(object)),
        Err(ObjectNotFound(object) | ReconcilerFailed(_, object)) => {
            Some(Place::of_reference(object))
        }
        Err(_) => None,
    }
}
