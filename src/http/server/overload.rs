//! What is refused or closed for lack of room: counted by reason, and summed up in the audit log.

use std::sync::{Mutex, PoisonError};

use clientele_telemetry::audit::{Audit, AuditEvent, AuditRecord};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

/// For what there was no room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// A connection was closed so that another one finds room: it had been idle longest.
    IdleConnection,
    /// An address has its share of the connections, and uses all of them.
    ConnectionsOfAddress,
    /// A connection was closed because its peer does not read what it asked for.
    UnreadAnswer,
    /// A connection was closed because all peers together have read too little: it owed most.
    UnreadBytes,
    /// Too many requests are in flight.
    Requests,
    /// Too many requests of one address are in flight, while there are many.
    RequestsOfAddress,
    /// Too many people sign in at once.
    SignIns,
    /// Too many sign-ins of one address, one account or one tenant wait.
    SignInsOfOne,
}

impl Reason {
    const ALL: [Self; 8] = [
        Self::IdleConnection,
        Self::ConnectionsOfAddress,
        Self::UnreadAnswer,
        Self::UnreadBytes,
        Self::Requests,
        Self::RequestsOfAddress,
        Self::SignIns,
        Self::SignInsOfOne,
    ];

    /// The label of the counter.
    const fn label(self) -> &'static str {
        match self {
            Self::IdleConnection => "idle_connection",
            Self::ConnectionsOfAddress => "connections_of_address",
            Self::UnreadAnswer => "unread_answer",
            Self::UnreadBytes => "unread_bytes",
            Self::Requests => "requests",
            Self::RequestsOfAddress => "requests_of_address",
            Self::SignIns => "sign_ins",
            Self::SignInsOfOne => "sign_ins_of_one",
        }
    }

    /// The sentence of the audit log.
    const fn sentence(self) -> &'static str {
        match self {
            Self::IdleConnection => {
                "closed the connections that were idle longest, to make room for others"
            }
            Self::ConnectionsOfAddress => {
                "one address has its share of the connections and uses all of them"
            }
            Self::UnreadAnswer => "closed connections whose peer does not read the answers",
            Self::UnreadBytes => "closed the connections with the most unread bytes of answers",
            Self::Requests => "too many requests are in flight",
            Self::RequestsOfAddress => "too many requests of one address are in flight",
            Self::SignIns => "too many people sign in at once",
            Self::SignInsOfOne => "too many sign-ins of one address, account or tenant wait",
        }
    }
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Label {
    reason: &'static str,
}

/// Counts what was refused for lack of room.
#[derive(Debug)]
pub struct Overload {
    family: Family<Label, Counter>,
    counts: [Counter; Reason::ALL.len()],
    /// What the audit log says already.
    recorded: Mutex<[u64; Reason::ALL.len()]>,
}

impl Default for Overload {
    fn default() -> Self {
        let family = Family::<Label, Counter>::default();
        let count = |reason: Reason| {
            let reason = reason.label();
            family.get_or_create_owned(&Label { reason })
        };
        Self {
            counts: Reason::ALL.map(count),
            recorded: Mutex::default(),
            family,
        }
    }
}

impl Overload {
    /// Makes the counters visible.
    pub fn register(&self, registry: &mut Registry) {
        registry.register(
            "clientele_refused_for_lack_of_room",
            "What was refused or closed because there was no room for it, by reason",
            self.family.clone(),
        );
    }

    /// Something was refused.
    pub fn count(&self, reason: Reason) {
        self.counts[reason as usize].inc();
    }

    /// How often something was refused.
    pub fn counted(&self, reason: Reason) -> u64 {
        self.counts[reason as usize].get()
    }

    /// Writes into the audit log what was refused since the last time: a line for each reason.
    pub fn record(&self, audit: &Audit) {
        let mut recorded = self.recorded.lock().unwrap_or_else(PoisonError::into_inner);
        for reason in Reason::ALL {
            let all = self.counted(reason);
            let before = std::mem::replace(&mut recorded[reason as usize], all);
            if all > before {
                let line = AuditRecord {
                    error: Some(reason.label()),
                    reason: Some(reason.sentence()),
                    count: Some(all - before),
                    ..AuditRecord::default()
                };
                audit.record(AuditEvent::RefusedForLackOfRoom, &line);
            }
        }
    }
}
