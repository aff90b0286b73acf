//! The spans that wait for the collector: at most [`MAX_WAITING`], with those that are on their way. What comes then is dropped and
//! counted. The exporter's own queue drops silently, so this one is before it and never lets it fill.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use opentelemetry::Context;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, Span, SpanData, SpanExporter, SpanProcessor,
};

use super::counts::TraceCounts;

/// Spans that may wait, of about a kilobyte each.
const MAX_WAITING: usize = 2_048;
/// Spans that one exchange carries.
const BATCH: usize = 512;
/// How long spans are gathered.
const GATHER: Duration = Duration::from_secs(1);

/// A queue with a bound, and the thread that empties it.
#[derive(Debug)]
pub struct SpanQueue {
    batches: BatchSpanProcessor,
    waiting: Arc<AtomicUsize>,
    counts: TraceCounts,
}

impl SpanQueue {
    /// Starts the thread.
    pub fn new(exporter: impl SpanExporter + 'static, counts: TraceCounts) -> Self {
        let waiting = Arc::new(AtomicUsize::new(0));
        let exporter = Counting {
            exporter,
            waiting: waiting.clone(),
            counts: counts.clone(),
        };
        let config = BatchConfigBuilder::default()
            .with_max_queue_size(MAX_WAITING)
            .with_max_export_batch_size(BATCH)
            .with_scheduled_delay(GATHER)
            .build();
        let batches = BatchSpanProcessor::builder(exporter)
            .with_batch_config(config)
            .build();
        Self {
            batches,
            waiting,
            counts,
        }
    }
}

impl SpanProcessor for SpanQueue {
    fn on_start(&self, _: &mut Span, _: &Context) {}

    fn on_end(&self, span: SpanData) {
        if self.waiting.fetch_add(1, Relaxed) < MAX_WAITING {
            self.batches.on_end(span);
        } else {
            self.waiting.fetch_sub(1, Relaxed);
            self.counts.dropped.inc();
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.batches.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.batches.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.batches.set_resource(resource);
    }
}

/// Counts what becomes of spans, which makes room for others.
#[derive(Debug)]
struct Counting<E> {
    exporter: E,
    waiting: Arc<AtomicUsize>,
    counts: TraceCounts,
}

impl<E: SpanExporter> SpanExporter for Counting<E> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let spans = batch.len();
        let exported = self.exporter.export(batch).await;
        self.waiting.fetch_sub(spans, Relaxed);
        let count = match exported {
            Ok(()) => &self.counts.exported,
            Err(_) => &self.counts.failed,
        };
        count.inc_by(spans as u64);
        exported
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}
