//! Captures everything this thread logs, at the lowest level there is.

use std::io::{self, Write};
use std::sync::{Arc, LazyLock, Mutex};

use clientele::traces::TraceLayer;
use clientele_telemetry::trace;
use tracing::Dispatch;
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::{Layer, Registry};

/// What was logged.
#[derive(Clone, Default)]
pub struct Logs(Arc<Mutex<Vec<u8>>>);

impl Logs {
    /// Captures until the guard is dropped.
    pub fn capture() -> (Self, DefaultGuard) {
        several_dispatchers();
        let logs = Self::default();
        let writer = logs.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(LevelFilter::TRACE)
            .with_ansi(false)
            .with_writer(move || writer.clone())
            .finish();
        (logs, tracing::subscriber::set_default(subscriber))
    }

    /// What this thread logs beside its traces, at the usual level.
    pub fn beside(traces: TraceLayer) -> (Self, DefaultGuard) {
        several_dispatchers();
        let logs = Self::default();
        let writer = logs.clone();
        let spans = (trace::TARGET, LevelFilter::OFF);
        let levels = Targets::new().with_default(LevelFilter::INFO);
        let lines = tracing_subscriber::fmt::layer()
            .with_ansi(false)
            .with_writer(move || writer.clone())
            .with_filter(levels.with_targets([spans]));
        let subscriber = Registry::default().with(traces).with(lines);
        (logs, tracing::subscriber::set_default(subscriber))
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

/// As long as there is only one, `tracing` asks the subscriber of whichever thread meets an event first whether anybody
/// wants it, and keeps the answer: a test that captures nothing could silence one that does.
fn several_dispatchers() {
    static SECOND: LazyLock<Dispatch> = LazyLock::new(|| Dispatch::new(Registry::default()));
    LazyLock::force(&SECOND);
}

impl Write for Logs {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
