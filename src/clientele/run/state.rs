//! The state of this replica as metrics, read whenever they are asked for.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;

use clientele_http::admin::Readiness;

/// When the TLS certificate that is served ends; `None` where none is served, or where it cannot be read.
pub type CertificateEnd = Arc<dyn Fn() -> Option<Timestamp> + Send + Sync>;

/// Registers whether the replica is ready, and when its certificate ends.
pub fn register(registry: &mut Registry, ready: &Readiness, certificate: CertificateEnd) {
    let ready = ready.clone();
    registry.register_collector(Box::new(State { ready, certificate }));
}

struct State {
    ready: Readiness,
    certificate: CertificateEnd,
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("State")
    }
}

impl Collector for State {
    fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
        let ready: ConstGauge<i64> = ConstGauge::new(i64::from((self.ready)().is_ok()));
        let help = "1 while this replica is ready, 0 while /readyz says what is missing";
        ready.encode(encoder.encode_descriptor(
            "clientele_ready",
            help,
            None,
            MetricType::Gauge,
        )?)?;
        if let Some(end) = (self.certificate)() {
            let end: ConstGauge<i64> = ConstGauge::new(end.as_second());
            let name = "clientele_tls_certificate_expiry_timestamp_seconds";
            let help = "When the TLS certificate of the public listener ends, since 1970";
            end.encode(encoder.encode_descriptor(name, help, None, MetricType::Gauge)?)?;
        }
        Ok(())
    }
}
