//! The header `traceparent` of any stranger: what is read says what the header says. `tracestate` has no reader.
#![no_main]

use clientele_telemetry::trace::TraceParent;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Some(parent) = TraceParent::parse(bytes) else {
        return;
    };
    let TraceParent {
        trace_id,
        span_id,
        sampled,
    } = parent;
    assert!(trace_id != 0 && span_id != 0);
    let ids = format!("-{trace_id:032x}-{span_id:016x}-");
    assert_eq!(&bytes[2..53], ids.as_bytes());
    let flags = u8::from(sampled);
    let written = format!("00{ids}{flags:02x}");
    assert_eq!(TraceParent::parse(written.as_bytes()), Some(parent));
    // Of version 0 nothing may follow.
    assert!(bytes.len() == 55 || !bytes.starts_with(b"00"));
});
