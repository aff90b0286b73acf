//! Which traces are recorded: a share of those that begin here, and a few of those whose callers ask for it. A request of a stranger
//! can carry any `traceparent`, so what callers ask for is bounded.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Instant;

use opentelemetry::trace::{Link, SpanKind, TraceContextExt, TraceId, TraceState};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::{Sampler, SamplingDecision, SamplingResult, ShouldSample};

/// How many traces are recorded in a second because callers ask for it.
const MAX_ASKED_A_SECOND: u64 = 10;

/// The attribute of a write to the API server.
const WRITE: &str = "k8s.verb";

/// Decides once for a trace; what happens within it follows.
#[derive(Clone, Debug)]
pub struct Sampling {
    share: Sampler,
    asked: Arc<Asked>,
}

impl Sampling {
    /// Records this share of the traces that begin here, from 0 to 1.
    pub fn new(ratio: f64) -> Self {
        Self {
            share: Sampler::TraceIdRatioBased(ratio),
            asked: Arc::new(Asked::new()),
        }
    }

    fn is_recorded(
        &self,
        parent: &Context,
        trace: TraceId,
        kind: &SpanKind,
        is_write: bool,
    ) -> bool {
        let span = parent.span();
        let caller = span.span_context();
        if caller.is_valid() {
            return caller.is_sampled() && (!caller.is_remote() || self.asked.take());
        }
        // Work in the background begins a trace only where it writes to the API server, such as the Lease: a heartbeat in the store
        // does not.
        let begins = *kind != SpanKind::Client || is_write;
        begins && {
            let chosen = self
                .share
                .should_sample(None, trace, "", kind, &[], &[])
                .decision;
            chosen == SamplingDecision::RecordAndSample
        }
    }
}

impl ShouldSample for Sampling {
    fn should_sample(
        &self,
        parent: Option<&Context>,
        trace: TraceId,
        _: &str,
        kind: &SpanKind,
        attributes: &[KeyValue],
        _: &[Link],
    ) -> SamplingResult {
        let nothing = Context::new();
        let is_write = attributes.iter().any(|it| it.key.as_str() == WRITE);
        let decision = if self.is_recorded(parent.unwrap_or(&nothing), trace, kind, is_write) {
            SamplingDecision::RecordAndSample
        } else {
            SamplingDecision::Drop
        };
        SamplingResult {
            decision,
            attributes: Vec::new(),
            trace_state: TraceState::default(),
        }
    }
}

/// Counts what was asked for in the current second.
#[derive(Debug)]
struct Asked {
    began: Instant,
    /// The second, times 2^16, and how many there were in it.
    count: AtomicU64,
}

impl Asked {
    fn new() -> Self {
        Self {
            began: Instant::now(),
            count: AtomicU64::new(0),
        }
    }

    fn take(&self) -> bool {
        self.take_in(self.began.elapsed().as_secs())
    }

    fn take_in(&self, second: u64) -> bool {
        let taken = self.count.fetch_update(Relaxed, Relaxed, |count| {
            let (of, taken) = (count >> 16, count & 0xffff);
            match (of == second, taken) {
                (true, MAX_ASKED_A_SECOND..) => None,
                (true, _) => Some(count + 1),
                (false, _) => Some(second << 16 | 1),
            }
        });
        taken.is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use opentelemetry::trace::{SpanContext, SpanId, TraceFlags};

    fn asks(sampling: &Sampling, is_remote: bool, sampled: bool) -> bool {
        let flags = TraceFlags::default().with_sampled(sampled);
        let (trace, span) = (TraceId::from(7_u128), SpanId::from(7_u64));
        let caller = SpanContext::new(trace, span, flags, is_remote, TraceState::default());
        let parent = Context::new().with_remote_span_context(caller);
        sampling.is_recorded(&parent, trace, &SpanKind::Server, false)
    }

    #[test]
    fn callers_have_few_traces_recorded() {
        let asked = Asked::new();
        for second in [0, 1, 5] {
            let taken = (0..1000).filter(|_| asked.take_in(second)).count();
            assert_eq!(taken, 10);
        }
        let none = Sampling::new(0.0);
        assert!(asks(&none, true, true));
        assert!(!asks(&none, true, false));
        let all = Sampling::new(1.0);
        assert!(!asks(&all, true, false), "the caller decides against it");
        let recorded = (0..1000).filter(|_| asks(&all, true, true)).count();
        assert!(recorded <= 20, "{recorded} in less than two seconds");
    }

    #[test]
    fn what_happens_within_a_trace_follows_it() {
        let none = Sampling::new(0.0);
        for _ in 0..100 {
            assert!(asks(&none, false, true));
            assert!(!asks(&none, false, false));
        }
    }

    #[test]
    fn a_share_of_requests_and_writes_begins_a_trace_and_no_heartbeat() {
        let begins = |sampling: &Sampling, kind, is_write| {
            let traces =
                (0..1000_u128).map(|n| TraceId::from(n * 0x9e37_79b9_7f4a_7c15 % (1 << 64)));
            let nothing = Context::new();
            traces
                .filter(|trace| sampling.is_recorded(&nothing, *trace, &kind, is_write))
                .count()
        };
        for (kind, is_write) in [(SpanKind::Server, false), (SpanKind::Client, true)] {
            let tenth = begins(&Sampling::new(0.1), kind.clone(), is_write);
            assert!((50..200).contains(&tenth), "{tenth} of 1000");
            assert_eq!(begins(&Sampling::new(0.0), kind, is_write), 0);
        }
        let all = Sampling::new(1.0);
        assert_eq!(begins(&all, SpanKind::Internal, false), 1000);
        assert_eq!(begins(&all, SpanKind::Client, false), 0);
    }
}
