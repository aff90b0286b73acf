//! From spans to a collector: subscriber → sampling → queue → exporter.

use std::time::Duration;

use anyhow::Context;
use opentelemetry::KeyValue;
use opentelemetry::trace::{TraceContextExt, TracerProvider};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tokio::runtime::Handle;
use tracing::Span;
use tracing::level_filters::LevelFilter;
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;

use super::counts::TraceCounts;
use super::queue::SpanQueue;
use super::sampling::Sampling;
use super::sender::{EXCHANGE, Sender};
use super::{TraceLayer, TraceSettings};
use clientele_telemetry::audit::CurrentTrace;
use clientele_telemetry::trace::TARGET;

/// How long the end waits for the last spans.
const END: Duration = Duration::from_secs(3);

/// The ID of the trace of the current span.
pub const CURRENT: CurrentTrace = || {
    let context = Span::current().context();
    let span = context.span();
    let of = span.span_context();
    of.is_valid().then(|| of.trace_id().to_string())
};

/// Records spans and exports them.
#[derive(Debug)]
pub struct Pipeline(SdkTracerProvider);

impl Pipeline {
    /// Starts the thread that exports.
    pub fn start(
        settings: &TraceSettings,
        runtime: &Handle,
        counts: TraceCounts,
    ) -> anyhow::Result<Self> {
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(Sender::new(runtime.clone(), &settings.endpoint)?)
            .with_endpoint(&settings.endpoint)
            .with_protocol(Protocol::HttpBinary)
            .with_timeout(EXCHANGE)
            .build()
            .context("traces cannot be exported; correct --otlp-endpoint")?;
        let resource = Resource::builder()
            .with_service_name("clientele")
            .with_attributes([
                KeyValue::new("service.version", settings.version.clone()),
                KeyValue::new("service.instance.id", settings.instance.clone()),
            ])
            .build();
        let provider = SdkTracerProvider::builder()
            .with_resource(resource)
            .with_sampler(Sampling::new(settings.ratio))
            .with_span_processor(SpanQueue::new(exporter, counts))
            .build();
        Ok(Self(provider))
    }

    /// Records the spans of our target, and no event.
    pub fn layer(&self) -> TraceLayer {
        tracing_opentelemetry::layer()
            .with_tracer(self.0.tracer("clientele"))
            .with_location(false)
            .with_threads(false)
            .with_tracked_inactivity(false)
            .with_context_activation(false)
            .with_filter(Targets::new().with_target(TARGET, LevelFilter::INFO))
            .boxed()
    }

    /// Exports what waits, for a bounded time.
    pub async fn end(self) {
        // The thread that exports is waited for, and it sends on this runtime.
        let end = move || self.0.shutdown_with_timeout(END);
        let ended = tokio::task::spawn_blocking(end).await;
        if !matches!(ended, Ok(Ok(()))) {
            tracing::warn!("stopped without having exported the last traces");
        }
    }
}
