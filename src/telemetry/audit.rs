//! The audit log: who did what, to which client, from where. One structured record for each event, never a secret, and
//! never the input of an unauthenticated user: a username is recorded only if a registered user has it.
//!
//! The HTTP server and the operator both record here, and this file knows neither. A record goes to the destination of
//! the audit log. Without one it is a `tracing` event of one target, and so a line of the ordinary log.

mod event;
mod line;
mod writer;

use std::net::IpAddr;

use jiff::Timestamp;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

pub use event::AuditEvent;
pub use writer::{AuditWriter, WhenFull};

/// The `tracing` target of every record.
pub const TARGET: &str = "clientele::audit";

/// The fields of an event. A field that is `None` is left out.
#[derive(Clone, Copy, Debug, Default)]
pub struct AuditRecord<'a> {
    /// The tenant.
    pub tenant: Option<&'a str>,
    /// The client, only if it is registered.
    pub client_id: Option<&'a str>,
    /// The person's username, only if a registered user has it.
    pub username: Option<&'a str>,
    /// The person's `sub`.
    pub subject: Option<&'a str>,
    /// From where.
    pub from: Option<IpAddr>,
    /// The grant type, or what kind of token it is about.
    pub grant: Option<&'a str>,
    /// The error code, or the reason of a condition.
    pub error: Option<&'a str>,
    /// A sentence of ours.
    pub reason: Option<&'a str>,
    /// The kind of the Kubernetes object.
    pub kind: Option<&'a str>,
    /// Its namespace.
    pub namespace: Option<&'a str>,
    /// Its name.
    pub name: Option<&'a str>,
    /// The UID of the object, or the ID of the registration.
    pub uid: Option<&'a str>,
    /// The ID of the request, which the page shows as well.
    pub request_id: Option<&'a str>,
    /// The ID of the trace; [`Audit::record`] sets it.
    pub trace_id: Option<&'a str>,
    /// How many events the record stands for; one if it is left out.
    pub count: Option<u64>,
}

/// The level of a `tracing` event is part of its place in the program.
macro_rules! emit {
    ($level:ident, $event:expr, $record:expr) => {
        tracing::$level!(
            target: TARGET,
            tenant = $record.tenant,
            client_id = $record.client_id,
            username = $record.username,
            subject = $record.subject,
            from = $record.from.map(tracing::field::display),
            grant = $record.grant,
            error = $record.error,
            kind = $record.kind,
            namespace = $record.namespace,
            name = $record.name,
            uid = $record.uid,
            request_id = $record.request_id,
            trace_id = $record.trace_id,
            count = $record.count,
            reason = $record.reason,
            event = $event.as_str(),
            "{}",
            $event.sentence()
        )
    };
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Label {
    event: &'static str,
}

/// Records events, and counts them.
#[derive(Debug)]
pub struct Audit {
    events: Family<Label, Counter>,
    /// Made beforehand: a look-up by label takes a lock.
    counts: [Counter; AuditEvent::ALL.len()],
    tokens: bool,
    writer: Option<AuditWriter>,
    current_trace: Option<CurrentTrace>,
}

/// The ID of the trace in whose span the caller is, if there is one.
pub type CurrentTrace = fn() -> Option<String>;

impl Default for Audit {
    fn default() -> Self {
        Self::new(false)
    }
}

impl Audit {
    /// With `tokens`, every token that is issued and every introspection is recorded as well. That costs throughput.
    pub fn new(tokens: bool) -> Self {
        let events = Family::<Label, Counter>::default();
        let count = |event: AuditEvent| {
            let event = event.as_str();
            events.get_or_create_owned(&Label { event })
        };
        Self {
            counts: AuditEvent::ALL.map(count),
            events,
            tokens,
            writer: None,
            current_trace: None,
        }
    }

    /// The same with the ID of the trace in each record that has one.
    #[must_use]
    pub fn with_traces(self, current_trace: Option<CurrentTrace>) -> Self {
        Self {
            current_trace,
            ..self
        }
    }

    /// The ID of the trace that the request or the reconcile belongs to, if there are traces.
    pub fn trace_id(&self) -> Option<String> {
        self.current_trace.and_then(|current| current())
    }

    /// The same with a destination of its own.
    #[must_use]
    pub fn with_writer(self, writer: AuditWriter) -> Self {
        Self {
            writer: Some(writer),
            ..self
        }
    }

    /// The destination of its own, if there is one.
    pub fn writer(&self) -> Option<&AuditWriter> {
        self.writer.as_ref()
    }

    /// Whether a request that would be recorded may be answered: see [`WhenFull`].
    pub fn has_room(&self) -> bool {
        self.writer.as_ref().is_none_or(AuditWriter::has_room)
    }

    /// Whether tokens that are issued are recorded.
    pub fn tokens(&self) -> bool {
        self.tokens
    }

    /// Makes the counters visible.
    pub fn register(&self, registry: &mut Registry) {
        registry.register(
            "clientele_audit_events",
            "Lines of the audit log by event",
            self.events.clone(),
        );
        registry.register(
            "clientele_audit_lines_lost",
            "Lines of the audit log that were lost, because its destination did not accept them",
            self.writer
                .as_ref()
                .map(|writer| writer.lost.clone())
                .unwrap_or_default(),
        );
    }

    /// Records an event.
    pub fn record(&self, event: AuditEvent, record: &AuditRecord<'_>) {
        self.counts[event as usize].inc_by(record.count.unwrap_or(1));
        let trace_id = self.trace_id();
        let record = &AuditRecord {
            trace_id: trace_id.as_deref(),
            ..*record
        };
        if let Some(writer) = &self.writer {
            writer.append(&line::line(Timestamp::now(), event, record));
        } else if event.is_alarming() {
            emit!(warn, event, record);
        } else {
            emit!(info, event, record);
        }
    }
}
