//! Events for people: bounded in number, never in the way of the work, never with a secret.

use std::sync::Arc;

use clientele_telemetry::audit::{Audit, AuditEvent, AuditRecord};
use k8s_openapi::api::core::v1::ObjectReference;
use kube::runtime::events::{Event, EventType, Recorder, Reporter};
use tokio::sync::mpsc;
use tokio::time::{Duration, MissedTickBehavior, interval, timeout};

use super::domain::reason::Reason;
use super::metrics::OperatorMetrics;

/// At most this many events wait; more are counted and dropped, because every event is a write that
/// the API server has to do beside the work itself.
const WAITING: usize = 256;
/// The action of every event: what it came to is the reason.
const ACTION: &str = "Reconcile";
/// One event in this time at the most.
const PACE: Duration = Duration::from_millis(50);
/// Among how many events those that are alike are counted together. Each is remembered for that, and takes two kilobytes.
const TOGETHER: usize = 512;
/// After how long without an event none is remembered: the recorder itself counts none that is older.
const QUIET: Duration = Duration::from_mins(6);

/// What happened to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventReason {
    /// Credentials were issued.
    Issued,
    /// A deleted Secret came back.
    Restored,
    /// A changed Secret was put right.
    Repaired,
    /// The client secret of this generation was published.
    Rotated(i64),
    /// The client secrets before this generation stopped.
    Retired(i64),
    /// The object was refused. Each reason is an event of its own: one that repeats is counted and keeps
    /// the sentence of its first time.
    Refused(Reason),
    /// Signing keys were made or removed.
    KeysRotated,
}

impl EventReason {
    const fn reason(self) -> &'static str {
        match self {
            Self::Issued => "Issued",
            Self::Restored => "Restored",
            Self::Repaired => "Repaired",
            Self::Rotated(_) => "Rotated",
            Self::Retired(_) => "Retired",
            Self::Refused(reason) => reason.as_str(),
            Self::KeysRotated => "KeysRotated",
        }
    }

    /// What an event is about beside the object. Events that are alike in action, reason and both references are counted
    /// and keep the sentence of the first time, so each generation is a reference of its own: the sentence about the
    /// fifth does not speak of the second. The action itself comes from a closed set.
    fn related(self, about: &ObjectReference) -> Option<ObjectReference> {
        match self {
            Self::Rotated(generation) | Self::Retired(generation) => Some(ObjectReference {
                field_path: Some(format!("status.secretGeneration={generation}")),
                ..about.clone()
            }),
            _ => None,
        }
    }

    /// Under which name it stands in the audit log.
    const fn act(self) -> AuditEvent {
        match self {
            Self::Issued => AuditEvent::ClientRegistered,
            Self::Restored => AuditEvent::SecretRestored,
            Self::Repaired => AuditEvent::SecretRepaired,
            Self::Rotated(_) => AuditEvent::SecretRotated,
            Self::Retired(_) => AuditEvent::SecretRetired,
            Self::Refused(_) => AuditEvent::RegistrationRefused,
            Self::KeysRotated => AuditEvent::SigningKeysChanged,
        }
    }

    const fn type_(self) -> EventType {
        match self {
            Self::Issued | Self::Rotated(_) | Self::Retired(_) | Self::KeysRotated => {
                EventType::Normal
            }
            Self::Restored | Self::Repaired | Self::Refused(_) => EventType::Warning,
        }
    }
}

/// Where events are handed in.
pub struct EventSink {
    queue: mpsc::Sender<(Event, ObjectReference)>,
    metrics: Arc<OperatorMetrics>,
    audit: Arc<Audit>,
}

impl EventSink {
    /// Hands in an event; drops it when too many wait. The audit log has it in any case.
    pub fn publish(&self, event: EventReason, about: ObjectReference, note: String) {
        self.record(event, &about, &note);
        let event = Event {
            type_: event.type_(),
            reason: event.reason().to_owned(),
            note: Some(shortened(note)),
            action: ACTION.to_owned(),
            secondary: event.related(&about),
        };
        if self.queue.try_send((event, about)).is_err() {
            self.metrics.events_dropped.inc();
        }
    }
}

impl EventSink {
    fn record(&self, event: EventReason, about: &ObjectReference, note: &str) {
        let refused = matches!(event, EventReason::Refused(_));
        let line = AuditRecord {
            kind: about.kind.as_deref(),
            namespace: about.namespace.as_deref(),
            name: about.name.as_deref(),
            uid: about.uid.as_deref(),
            error: refused.then_some(event.reason()),
            reason: Some(note),
            ..AuditRecord::default()
        };
        self.audit.record(event.act(), &line);
    }
}

/// The API server refuses longer notes; the condition has the whole sentence.
fn shortened(mut note: String) -> String {
    const LONGEST: usize = 1024;
    const MORE: &str = "…";
    if note.len() > LONGEST {
        note.truncate(note.floor_char_boundary(LONGEST - MORE.len()));
        note.push_str(MORE);
    }
    note
}

/// A recorder without an event to count others to.
fn remembering_none(kube: &kube::Client) -> Recorder {
    let reporter = Reporter {
        controller: "clientele".to_owned(),
        instance: None,
    };
    Recorder::new(kube.clone(), reporter)
}

/// A sink, and the task that publishes what is handed in.
pub fn channel(
    kube: kube::Client,
    metrics: Arc<OperatorMetrics>,
    audit: Arc<Audit>,
) -> (EventSink, impl Future<Output = ()>) {
    let (queue, mut waiting) = mpsc::channel(WAITING);
    let task = async move {
        let mut pace = interval(PACE);
        // After a pause there are not many at once.
        pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut recorder, mut remembered) = (remembering_none(&kube), 0);
        loop {
            let heard = timeout(QUIET, waiting.recv()).await;
            if heard.is_err() || remembered == TOGETHER {
                (recorder, remembered) = (remembering_none(&kube), 0);
            }
            let (event, about) = match heard {
                Ok(Some(heard)) => heard,
                Ok(None) => return,
                Err(_) => continue,
            };
            pace.tick().await;
            remembered += 1;
            if let Err(error) = recorder.publish(&event, &about).await {
                tracing::debug!(%error, "an event could not be published");
            }
        }
    };
    let sink = EventSink {
        queue,
        metrics,
        audit,
    };
    (sink, task)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_fits_into_an_event() {
        assert_eq!(shortened("short".into()), "short");
        assert_eq!(shortened("n".repeat(1024)), "n".repeat(1024));
        let long = shortened("ü".repeat(1000));
        assert!(long.len() <= 1024 && long.ends_with('…'), "{}", long.len());
    }
}
