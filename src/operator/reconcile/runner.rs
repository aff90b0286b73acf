//! The workers: reconcile what the queue gives them, one object at a time, each namespace in its turn, and again after errors.

use std::sync::Arc;
use std::time::Instant;

use clientele_api::{OAuthClient, OAuthTenant, OAuthUser};
use clientele_telemetry::trace;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, Span};

use super::Reconciler;
use super::action::Action;
use super::later::Later;
use super::queue::{FairQueue, Given, WorkerShare};
use crate::cache::objects::Objects;
use crate::cache::place::Place;
use crate::domain::kept::{Head, Keep, Kept};
use crate::error::{Error, Retries};
use crate::leader::election::while_leader;
use crate::metrics::count;
use crate::metrics::reconcile::{KINDS, QueueMetrics};

/// How many requests are taken in at a time.
const AT_ONCE: usize = 1024;

/// One reconcile of one object.
pub type Pass = BoxFuture<'static, Result<Action, Error>>;

/// A reconcile that panics has failed like any other, and is tried again. Left alone it would take its queue with it, and with
/// that every pass of its kind.
fn guarded(pass: Pass) -> Pass {
    let caught = std::panic::AssertUnwindSafe(pass).catch_unwind();
    Box::pin(caught.map(|ended| ended.unwrap_or(Err(Error::Panicked))))
}

/// A kind of objects that is reconciled.
pub trait Reconciled: Keep {
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

fn span_of<K: Reconciled>(object: &Head) -> Span {
    let namespace = Some(&**object.namespace()).filter(|namespace| !namespace.is_empty());
    trace::reconcile(K::KIND, namespace, Some(object.name()))
}

/// The workers of one kind.
struct Workers<K: Reconciled, P> {
    objects: Objects<K>,
    reconciler: Arc<Reconciler>,
    pass: P,
    turns: FairQueue,
    later: Later,
    running: FuturesUnordered<BoxFuture<'static, Ended>>,
    retries: Retries,
    metrics: QueueMetrics,
}

/// A reconcile that has ended.
struct Ended {
    place: Place,
    uid: Arc<str>,
    outcome: Result<Action, Error>,
}

/// Runs passes until the shutdown begins and the last one has ended: one at a time for an object, `workers` at once for a
/// namespace, each namespace in its turn, and again later after an error.
pub async fn run<K: Reconciled>(
    (mut requests, shutdown): (UnboundedReceiver<Place>, CancellationToken),
    objects: Objects<K>,
    reconciler: Arc<Reconciler>,
    workers: u16,
    pass: impl Fn(Arc<Kept<K>>, Arc<Reconciler>) -> Pass,
) {
    let mut workers = Workers {
        metrics: reconciler.context.metrics.reconcile.queue(K::KIND),
        objects,
        reconciler,
        pass,
        turns: FairQueue::new(WorkerShare::of(workers)),
        later: Later::default(),
        running: FuturesUnordered::new(),
        retries: Retries::default(),
    };
    let mut asked = Vec::new();
    while !shutdown.is_cancelled() {
        workers.begin();
        tokio::select! {
            () = shutdown.cancelled() => {}
            Some(ended) = workers.running.next() => workers.end(ended),
            place = workers.later.next() => workers.turns.ask(place),
            heard = requests.recv_many(&mut asked, AT_ONCE) => {
                // Who asks has stopped, and so will this.
                if heard == 0 {
                    break;
                }
                for place in asked.drain(..) {
                    workers.turns.ask(place);
                }
            }
        }
    }
    while let Some(ended) = workers.running.next().await {
        workers.end(ended);
    }
}

impl<K: Reconciled, P: Fn(Arc<Kept<K>>, Arc<Reconciler>) -> Pass> Workers<K, P> {
    /// Begins the passes for which there are workers.
    fn begin(&mut self) {
        while let Some(Given { place, waited }) = self.turns.give() {
            self.metrics.latency.record(waited);
            self.later.forget(&place);
            match self.objects.get(&place) {
                Some(object) => self.running.push(self.pass_over(place, &object)),
                // Deleted before its turn came: the watch has said so already.
                None => _ = self.turns.ended(place),
            }
        }
        self.metrics.depth.set(count(self.turns.depth()));
    }

    fn pass_over(&self, place: Place, object: &Arc<Kept<K>>) -> BoxFuture<'static, Ended> {
        let (reconciler, uid) = (self.reconciler.clone(), object.uid().clone());
        let pass = if let Some(wait) = reconciler.write_throttle.wait(&uid) {
            std::future::ready(Ok(Action::requeue(wait))).boxed()
        } else {
            let pass = (self.pass)(object.clone(), reconciler.clone());
            timed(span_of::<K>(object), K::KIND, &reconciler, guarded(pass))
        };
        let pass = while_leader(reconciler.leader.clone(), pass);
        Box::pin(pass.map(|passed| Ended {
            place,
            uid,
            outcome: passed.unwrap_or(Ok(Action::await_change())),
        }))
    }

    /// One that was requested meanwhile comes at once, and decides again when the next one comes.
    fn end(&mut self, ended: Ended) {
        let Ended {
            place,
            uid,
            outcome,
        } = ended;
        let next = match outcome {
            Ok(action) => action.after(),
            Err(error) => {
                self.failed(&place, &error);
                Some(self.retries.next(&uid, &error))
            }
        };
        let again = self.turns.ended(place.clone());
        if let Some(after) = next.filter(|_| !again) {
            self.later.set(place, after);
            let objects = &self.objects;
            let is_there = |place: &Place| objects.get(place).is_some();
            self.later.keep_within(objects.len(), is_there);
        }
    }

    fn failed(&self, object: &Place, error: &Error) {
        let metrics = &self.reconciler.context.metrics.reconcile;
        metrics.failed(K::KIND, error.is_conflict());
        if !error.is_conflict() {
            let error = error as &dyn std::error::Error;
            tracing::warn!(kind = K::KIND, %object, error, "reconcile failed, will retry");
        }
    }
}
