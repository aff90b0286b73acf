//! Which build of Clientele runs, as a metric.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use crate::config::CommandLine;

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Labels {
    version: String,
}

/// Registers a gauge that is always 1; its labels say what `clientele --version` prints.
pub fn register(registry: &mut Registry) {
    let version = CommandLine::version();
    let build = Family::<Labels, Gauge>::default();
    build.get_or_create_owned(&Labels { version }).set(1);
    registry.register(
        "clientele_build_info",
        "The version of Clientele that runs; always 1",
        build,
    );
}
