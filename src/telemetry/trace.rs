//! The spans of a trace, and the parent that a caller names. What exports them is in the binary; without it no subscriber wants
//! this target, and a span costs one comparison.
//!
//! A span names what was done to which object of ours. It has no parameter of a request, no value of a statement, and nothing
//! that an unauthenticated user sent.

use tracing::field::Empty;
use tracing::{Instrument, Span, info_span};

/// The `tracing` target of every span, and of nothing else. Filters compare the beginning of a target, so no module's path may
/// begin like this.
pub const TARGET: &str = "clientele::spans";

/// One operation of the store; `access` is `read` or `write`. Its name is that of the type, such as `RedeemCode`.
pub fn store<O>(access: &'static str) -> Span {
    info_span!(
        target: TARGET,
        "store",
        otel.kind = "client",
        otel.name = type_name::<O>(),
        otel.status_code = Empty,
        clientele.store.access = access,
    )
}

/// One reconcile of one object.
pub fn reconcile(kind: &'static str, namespace: Option<&str>, name: Option<&str>) -> Span {
    info_span!(
        target: TARGET,
        "reconcile",
        otel.kind = "internal",
        otel.name = %format_args!("reconcile {kind}"),
        otel.status_code = Empty,
        k8s.object.kind = kind,
        k8s.namespace.name = namespace,
        k8s.object.name = name,
        clientele.outcome = Empty,
    )
}

/// Notes how a reconcile or a write ended: `ok`, `conflict`, `gone` or `error`.
pub fn ended(span: &Span, outcome: &'static str) {
    span.record("clientele.outcome", outcome);
    if outcome == "error" {
        fail(span);
    }
}

/// One write to the API server. `verb` is that of Kubernetes, such as `create`; `resource` has its subresource, such as
/// `oauthclients/status`. The name of an object that is created is not known before the answer.
pub fn kubernetes_write(
    verb: &'static str,
    resource: &str,
    namespace: Option<&str>,
    name: Option<&str>,
) -> Span {
    info_span!(
        target: TARGET,
        "kubernetes write",
        otel.kind = "client",
        otel.name = %format_args!("{verb} {resource}"),
        otel.status_code = Empty,
        k8s.verb = verb,
        k8s.resource = resource,
        k8s.namespace.name = namespace,
        k8s.object.name = name,
        http.response.status_code = Empty,
        clientele.outcome = Empty,
    )
}

/// Notes the status of the API server's answer to a write, or that none came. It is no error that another writer was first,
/// or that the object was deleted meanwhile: the operator looks again.
pub fn written(span: &Span, status: Option<u16>) {
    if let Some(status) = status {
        span.record("http.response.status_code", status);
    }
    let outcome = match status {
        Some(200..=299) => "ok",
        Some(404) => "gone",
        Some(409) => "conflict",
        _ => "error",
    };
    ended(span, outcome);
}

/// Notes the ID by which a page and the audit log name the request that is being answered.
pub fn request_id(id: &str) {
    Span::current().record("clientele.request_id", id);
}

/// Does the work within a span, which an error marks as failed. The error itself is not recorded.
pub async fn within<T, E>(span: Span, work: impl Future<Output = Result<T, E>>) -> Result<T, E> {
    let outcome = work.instrument(span.clone()).await;
    if outcome.is_err() {
        fail(&span);
    }
    outcome
}

fn fail(span: &Span) {
    span.record("otel.status_code", "ERROR");
}

/// The name of a type without its modules.
fn type_name<T>() -> &'static str {
    let name = std::any::type_name::<T>();
    name.rsplit("::").next().unwrap_or(name)
}

/// Which span of a caller's trace asks, by the header `traceparent` (W3C Trace Context §3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceParent {
    /// The ID of the trace; never 0.
    pub trace_id: u128,
    /// The ID of the span that asks; never 0.
    pub span_id: u64,
    /// Whether the caller records the trace.
    pub sampled: bool,
}

impl TraceParent {
    /// Reads the value of the header. `None` if it is malformed: then the request begins a trace of its own.
    pub fn parse(value: &[u8]) -> Option<Self> {
        // Later versions may append fields.
        let (value, rest) = value.split_at_checked(55)?;
        let version = hex(&value[..2])?;
        let dashes = [2, 35, 52].iter().all(|at| value[*at] == b'-');
        let complete = rest.is_empty() || version != 0 && rest[0] == b'-';
        if version == 0xff || !dashes || !complete {
            return None;
        }
        let trace_id = hex(&value[3..35])?;
        let span_id = u64::try_from(hex(&value[36..52])?).ok()?;
        let flags = hex(&value[53..])?;
        (trace_id != 0 && span_id != 0).then_some(Self {
            trace_id,
            span_id,
            sampled: flags & 1 == 1,
        })
    }
}

/// At most 32 lower-case digits.
fn hex(digits: &[u8]) -> Option<u128> {
    digits.iter().try_fold(0, |number, digit| {
        let digit = match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            _ => return None,
        };
        Some(number << 4 | u128::from(digit))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const EXAMPLE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn a_parent_is_read_as_the_specification_writes_it() {
        let parent = TraceParent::parse(EXAMPLE.as_bytes()).unwrap();
        assert_eq!(parent.trace_id, 0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736);
        assert_eq!(parent.span_id, 0x00f0_67aa_0ba9_02b7);
        assert!(parent.sampled);
        let unsampled = EXAMPLE.replace("-01", "-fe");
        assert!(!TraceParent::parse(unsampled.as_bytes()).unwrap().sampled);
        let later = EXAMPLE.replacen("00", "cc", 1) + "-what-the-future-will-be-like";
        assert_eq!(TraceParent::parse(later.as_bytes()), Some(parent));
    }

    #[test]
    fn whatever_else_a_caller_sends_is_no_parent() {
        let long = format!("{EXAMPLE}-01");
        let later = EXAMPLE.replacen("00", "cc", 1) + "01";
        let zero_trace = EXAMPLE.replace("4bf92f3577b34da6a3ce929d0e0e4736", &"0".repeat(32));
        let zero_span = EXAMPLE.replace("00f067aa0ba902b7", &"0".repeat(16));
        for value in [
            "",
            "00-",
            &long,
            &later,
            &zero_trace,
            &zero_span,
            &EXAMPLE[..54],
            &EXAMPLE.to_uppercase(),
            &EXAMPLE.replacen("00", "ff", 1),
            &EXAMPLE.replace('-', "_"),
            &EXAMPLE.replace("4b", "+b"),
            &EXAMPLE.replace("4b", "ä"),
        ] {
            assert_eq!(TraceParent::parse(value.as_bytes()), None, "{value}");
        }
    }

    #[test]
    fn every_byte_of_a_parent_counts_and_none_is_too_odd() {
        let example = TraceParent::parse(EXAMPLE.as_bytes());
        for at in 0..EXAMPLE.len() {
            for byte in 0..=u8::MAX {
                let mut value = EXAMPLE.as_bytes().to_vec();
                let is_same = std::mem::replace(&mut value[at], byte) == byte;
                let parent = TraceParent::parse(&value);
                assert!(!is_same || parent == example);
                let is_digit = matches!(byte, b'0'..=b'9' | b'a'..=b'f');
                assert!(parent.is_none() || is_digit || is_same, "{byte} at {at}");
            }
            assert_eq!(TraceParent::parse(&EXAMPLE.as_bytes()[..at]), None);
        }
    }

    proptest! {
        /// Of any bytes, and of texts that are nearly a parent.
        #[test]
        fn o17_any_traceparent_is_read_or_ignored(
            bytes: Vec<u8>,
            text in "[0-9a-f-]{0,70}",
            nearly in "[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}(-.{0,10})?",
        ) {
            for value in [&*bytes, text.as_bytes(), nearly.as_bytes()] {
                let parent = TraceParent::parse(value);
                prop_assert!(parent.is_none_or(|it| it.trace_id != 0 && it.span_id != 0));
            }
        }

        #[test]
        fn o17_the_parent_that_a_caller_writes_is_read(
            trace_id in 1_u128..,
            span_id in 1_u64..,
            flags: u8,
        ) {
            let value = format!("00-{trace_id:032x}-{span_id:016x}-{flags:02x}");
            let sampled = flags & 1 == 1;
            let written = TraceParent { trace_id, span_id, sampled };
            prop_assert_eq!(TraceParent::parse(value.as_bytes()), Some(written));
        }
    }

    #[test]
    fn an_operation_is_named_without_its_modules() {
        assert_eq!(type_name::<TraceParent>(), "TraceParent");
    }
}
