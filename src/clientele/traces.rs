//! Traces: the spans of HTTP requests and reconciles, of what they do in the store, and of every write to Kubernetes, sent to a
//! collector by OTLP. [`clientele_telemetry::trace`] says what a span is; this room decides which are recorded, and sends them.
//!
//! A collector that is away, slow or hostile costs spans and nothing else: what waits for it is bounded, and so are the time and the
//! bytes of each exchange (`queue`, `sender`).

pub mod counts;
#[cfg(feature = "otlp")]
mod pipeline;
#[cfg(feature = "otlp")]
mod queue;
#[cfg(feature = "otlp")]
pub mod requests;
#[cfg(feature = "otlp")]
mod sampling;
#[cfg(feature = "otlp")]
mod sender;
#[cfg(not(feature = "otlp"))]
mod without;
pub mod writes;

use tokio::runtime::Handle;
use tracing_subscriber::{Layer, Registry};

use clientele_telemetry::audit::CurrentTrace;
use counts::TraceCounts;
use pipeline::Pipeline;
#[cfg(not(feature = "otlp"))]
use without as pipeline;
use writes::WriteSpans;

/// The part of the subscriber that records spans.
pub type TraceLayer = Box<dyn Layer<Registry> + Send + Sync>;

/// Which traces there are, and where they go.
#[derive(Clone, Debug)]
pub struct TraceSettings {
    /// The URL that receives them.
    pub endpoint: String,
    /// The share of requests, reconciles and writes to the API server that begin a trace, from 0 to 1.
    pub ratio: f64,
    /// The version of the program.
    pub version: String,
    /// Tells this process from its replicas.
    pub instance: String,
}

/// The traces of this process, or none.
#[derive(Debug, Default)]
pub struct Traces {
    pipeline: Option<Pipeline>,
    counts: TraceCounts,
}

impl Traces {
    /// Starts the thread that exports; it sends on this runtime. Without settings there are no traces.
    ///
    /// # Errors
    ///
    /// The endpoint cannot be used, or this program was built without traces.
    pub fn start(settings: Option<&TraceSettings>, runtime: &Handle) -> anyhow::Result<Self> {
        let counts = TraceCounts::default();
        let start = |settings| Pipeline::start(settings, runtime, counts.clone());
        let pipeline = settings.map(start).transpose()?;
        Ok(Self { pipeline, counts })
    }

    /// Whether there are traces.
    pub fn are_on(&self) -> bool {
        self.pipeline.is_some()
    }

    /// What makes spans of the writes to the API server. Without traces they go the way of every request.
    pub fn of_writes(&self) -> Option<WriteSpans> {
        self.are_on().then_some(WriteSpans)
    }

    /// What the subscriber needs.
    pub fn layer(&self) -> Option<TraceLayer> {
        self.pipeline.as_ref().map(Pipeline::layer)
    }

    /// What lines of the log are told of the trace that they belong to.
    pub fn current(&self) -> Option<CurrentTrace> {
        self.pipeline.as_ref().map(|_| pipeline::CURRENT)
    }

    /// What became of the spans.
    pub fn counts(&self) -> &TraceCounts {
        &self.counts
    }

    /// Exports what waits, for at most three seconds.
    pub async fn end(self) {
        if let Some(pipeline) = self.pipeline {
            pipeline.end().await;
        }
    }
}
