//! The audit log: who did what, to which client, from where. One structured line for each act, never a secret, and never
//! what a stranger typed: a name is written down only if somebody has it.
//!
//! Both worlds record here and this file knows neither. The lines are `tracing` events of one target, so that
//! [`clientele_clientele`] can tell them from the ordinary log. `docs/audit.md` lists them; their names are stable.

mod event;

use std::net::IpAddr;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

pub use event::Act;

/// The target of every line.
pub const TARGET: &str = "clientele::audit";

/// What is known about an act. What is not known stays out of the line.
#[derive(Clone, Copy, Debug, Default)]
pub struct Line<'a> {
    /// The tenant.
    pub tenant: Option<&'a str>,
    /// The client, only if it is registered.
    pub client_id: Option<&'a str>,
    /// The person's username, only if somebody has it.
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
}

/// The level of a `tracing` event is part of its place in the program.
macro_rules! line {
    ($level:ident, $act:expr, $line:expr) => {
        tracing::$level!(
            target: TARGET,
            tenant = $line.tenant,
            client_id = $line.client_id,
            username = $line.username,
            subject = $line.subject,
            from = $line.from.map(tracing::field::display),
            grant = $line.grant,
            error = $line.error,
            kind = $line.kind,
            namespace = $line.namespace,
            name = $line.name,
            uid = $line.uid,
            reason = $line.reason,
            event = $act.as_str(),
            "{}",
            $act.sentence()
        )
    };
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Label {
    event: &'static str,
}

/// Where acts are recorded.
#[derive(Debug)]
pub struct Audit {
    events: Family<Label, Counter>,
    /// Made beforehand: a look-up by label takes a lock.
    counts: [Counter; Act::ALL.len()],
    tokens: bool,
}

impl Default for Audit {
    fn default() -> Self {
        Self::new(false)
    }
}

impl Audit {
    /// With `tokens`, every token that is issued and every introspection has a line as well. That costs throughput.
    pub fn new(tokens: bool) -> Self {
        let events = Family::<Label, Counter>::default();
        let count = |act: Act| {
            let event = act.as_str();
            events.get_or_create_owned(&Label { event })
        };
        Self {
            counts: Act::ALL.map(count),
            events,
            tokens,
        }
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
    }

    /// Records an act.
    pub fn record(&self, act: Act, line: &Line<'_>) {
        self.counts[act as usize].inc();
        if act.is_alarming() {
            line!(warn, act, line);
        } else {
            line!(info, act, line);
        }
    }
}
