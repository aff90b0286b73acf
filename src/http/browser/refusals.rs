//! Refusals that an administrator can find: each has an ID, which the page shows and log and audit record.
//!
//! A caller who is not signed in is recorded singly only a few times a minute; the rest is summed up by event and address, so
//! that a flood of refusals neither fills the log nor hides what else it says. So are refusals to programs, whatever client they name.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use clientele_oauth::{Client, Endpoint, Tenant, User};
use clientele_telemetry::audit::{Audit, AuditEvent, AuditRecord};
use clientele_telemetry::trace;
use jiff::Timestamp;

use crate::App;
use crate::network::{Prefix, network};

/// How many refusals of an address are recorded singly within a minute, of each event.
const MAX_SINGLY: u32 = 10;
/// How many of all addresses together.
const MAX_SINGLY_IN_ALL: u32 = 300;
/// How many addresses are told apart within a minute.
const MAX_ADDRESSES: usize = 4_096;
const SUMMED_UP: &str = "more refusals of callers who are not signed in, within one minute";

/// Counts the refusals of callers who are not signed in, by address, for one minute at a time.
#[derive(Debug, Default)]
pub struct RefusalCounts(Mutex<CurrentMinute>);

#[derive(Debug, Default)]
struct CurrentMinute {
    minute: i64,
    singly: u32,
    /// By network: the first of its addresses, and how many refusals were not recorded.
    counts: HashMap<(Prefix, AuditEvent), Count>,
    /// Those that no address has room for, by event.
    others: HashMap<AuditEvent, u64>,
}

#[derive(Debug)]
struct Count {
    from: IpAddr,
    all: u32,
    unrecorded: u64,
}

/// How many refusals of an address were not recorded singly; without an address, of many.
#[derive(Debug, PartialEq, Eq)]
struct Sum {
    event: AuditEvent,
    from: Option<IpAddr>,
    count: u64,
}

impl RefusalCounts {
    /// Counts a refusal. Whether it is to be recorded singly, and what was summed up in the minute before.
    fn count(&self, event: AuditEvent, from: IpAddr, now: Timestamp) -> (bool, Vec<Sum>) {
        let mut current = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let sums = current.turn(now);
        (current.count(event, from), sums)
    }

    /// Records what was summed up, if the minute is over.
    pub(crate) fn record(&self, audit: &Audit, now: Timestamp) {
        record_sums(audit, self.finished(now));
    }

    /// What was summed up, if the minute is over.
    fn finished(&self, now: Timestamp) -> Vec<Sum> {
        let mut current = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        current.turn(now)
    }
}

impl CurrentMinute {
    fn turn(&mut self, now: Timestamp) -> Vec<Sum> {
        let minute = now.as_second().div_euclid(60);
        if minute == self.minute {
            return Vec::new();
        }
        let over = std::mem::replace(
            self,
            Self {
                minute,
                ..Self::default()
            },
        );
        let others = over.others.into_iter().map(|(event, count)| Sum {
            event,
            from: None,
            count,
        });
        let sums = over.counts.into_iter().map(|((_, event), count)| Sum {
            event,
            from: Some(count.from),
            count: count.unrecorded,
        });
        sums.chain(others).filter(|sum| sum.count > 0).collect()
    }

    fn count(&mut self, event: AuditEvent, from: IpAddr) -> bool {
        let key = (network(from), event);
        if self.counts.len() >= MAX_ADDRESSES && !self.counts.contains_key(&key) {
            *self.others.entry(event).or_default() += 1;
            return false;
        }
        let count = self.counts.entry(key).or_insert(Count {
            from,
            all: 0,
            unrecorded: 0,
        });
        count.all += 1;
        let singly = count.all <= MAX_SINGLY && self.singly < MAX_SINGLY_IN_ALL;
        if singly {
            self.singly += 1;
        } else {
            count.unrecorded += 1;
        }
        singly
    }
}

fn record_sums(audit: &Audit, sums: Vec<Sum>) {
    for Sum { event, from, count } in sums {
        let line = AuditRecord {
            from,
            count: Some(count),
            reason: Some(SUMMED_UP),
            ..AuditRecord::default()
        };
        audit.record(event, &line);
    }
}

/// Whether the refusal of a caller who has proved nothing is to be recorded singly. Otherwise it is counted, and summed up.
pub(crate) fn is_recorded(app: &App, event: AuditEvent, from: IpAddr) -> bool {
    let (singly, sums) = app.refusal_counts.count(event, from, (app.clock)());
    record_sums(&app.audit, sums);
    if !singly {
        app.metrics.refusals_summed_up.inc();
    }
    singly
}

/// Where a request is refused.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub app: &'a App,
    pub tenant: &'a Tenant,
    pub endpoint: Endpoint,
    pub address: IpAddr,
}

/// Why, and to whom.
#[derive(Clone, Copy, Default)]
pub(super) struct Why<'a> {
    /// The client, if it is registered.
    pub client: Option<&'a Client>,
    /// Who is signed in, if that is known.
    pub user: Option<&'a User>,
    /// The error code.
    pub error: &'static str,
    /// The rule, as a constant sentence.
    pub rule: &'static str,
}

/// Records a refusal, and returns its ID.
pub(super) fn record(place: Place<'_>, why: Why<'_>) -> String {
    let app = place.app;
    let request_id = request_id(app);
    trace::request_id(&request_id);
    let client_id = why.client.map(|client| &*client.id);
    app.metrics
        .authorization_refused(place.endpoint, why.error, client_id);
    let event = AuditEvent::AuthorizationRefused;
    let singly = why.user.is_some() || is_recorded(app, event, place.address);
    if singly {
        let line = AuditRecord {
            tenant: Some(&place.tenant.name),
            client_id,
            username: why.user.map(|user| &*user.username),
            subject: why.user.map(|user| &*user.subject),
            from: Some(place.address),
            error: Some(why.error),
            reason: Some(why.rule),
            request_id: Some(&request_id),
            ..AuditRecord::default()
        };
        app.audit.record(AuditEvent::AuthorizationRefused, &line);
        let endpoint = crate::metrics::label(place.endpoint);
        let Why { error, rule, .. } = why;
        tracing::info!(
            tenant = &*place.tenant.name,
            endpoint,
            client_id,
            error,
            rule,
            request_id,
            trace_id = app.audit.trace_id(),
            "browser request refused"
        );
    }
    request_id
}

/// 48 random bits, to be read aloud.
fn request_id(app: &App) -> String {
    let mut bytes = [0; 6];
    // Without randomness the page says what is wrong all the same.
    if (app.random)(&mut bytes).is_none() {
        return "none".to_owned();
    }
    let number = bytes
        .iter()
        .fold(0, |number, byte| (number << 8) | u64::from(*byte));
    format!("{number:012x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENT: AuditEvent = AuditEvent::TokenRefused;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(6_000_000 + second).unwrap()
    }

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn an_address_is_recorded_ten_times_a_minute_then_summed_up() {
        let counts = RefusalCounts::default();
        let (one, other) = (address("192.0.2.1"), address("192.0.2.2"));
        for number in 0..25 {
            let (singly, sums) = counts.count(EVENT, one, at(number));
            assert_eq!((singly, sums), (number < 10, vec![]));
        }
        assert!(counts.count(EVENT, other, at(30)).0);
        let (singly, _) = counts.count(AuditEvent::SignInFailed, one, at(30));
        assert!(singly, "another event has lines of its own");
        assert_eq!(counts.finished(at(59)), []);
        let sum = Sum {
            event: EVENT,
            from: Some(one),
            count: 15,
        };
        assert_eq!(counts.count(EVENT, one, at(60)), (true, vec![sum]));
        assert_eq!(counts.finished(at(120)), [], "nothing is left over");
    }

    #[test]
    fn a32_many_addresses_take_bounded_room_and_few_lines() {
        let counts = RefusalCounts::default();
        let mut singly = 0;
        for number in 0..10_000_u32 {
            let from = IpAddr::from(number.to_be_bytes());
            singly += u32::from(counts.count(EVENT, from, at(0)).0);
        }
        assert_eq!(singly, MAX_SINGLY_IN_ALL);
        let sums = counts.finished(at(60));
        assert!(sums.len() <= MAX_ADDRESSES + 1);
        let unrecorded: u64 = sums.iter().map(|sum| sum.count).sum();
        assert_eq!(unrecorded + u64::from(singly), 10_000);
    }
}
