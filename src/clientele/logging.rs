//! Logging: to standard error as text or JSON; and the destination of the audit log. Secrets are never logged.

use std::fs::OpenOptions;
use std::io::{IsTerminal, Write};

use anyhow::Context;
use tracing::Subscriber;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::{FilterExt, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

use crate::config::{AuditLog, LogFormat};
use crate::traces::TraceLayer;
use clientele_telemetry::trace;

/// The highest levels of targets, whatever the filter allows: of those that may print secrets, and of the spans of traces, which
/// are no lines.
///
/// kube's client prints the whole body of a response that it cannot parse, at WARN, and such a body may be a list of
/// Secrets that contains the root key. Nothing is lost: the operator receives the same error and logs it without the
/// body. The records of kube's client builder contain methods and paths only.
const CAPS: [(&str, LevelFilter); 3] = [
    ("kube_client::client", LevelFilter::OFF),
    ("kube_client::client::builder", LevelFilter::DEBUG),
    (trace::TARGET, LevelFilter::OFF),
];

/// Starts the log on standard error, and the traces if there are any.
pub fn start(format: LogFormat, filter: &str, traces: Option<TraceLayer>) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(filter)?;
    let registry = tracing_subscriber::registry();
    match traces {
        Some(traces) => registry
            .with(traces)
            .with(log(format).with_filter(filter.and(caps())))
            .init(),
        None => registry
            .with(log(format).with_filter(filter.and(caps())))
            .init(),
    }
    Ok(())
}

fn log<S>(format: LogFormat) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let log = tracing_subscriber::fmt::layer()
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    match format {
        LogFormat::Text => log.boxed(),
        LogFormat::Json => log.json().flatten_event(true).boxed(),
    }
}

fn caps() -> Targets {
    Targets::new()
        .with_default(LevelFilter::TRACE)
        .with_targets(CAPS)
}

/// The destination of the audit log, opened.
///
/// # Errors
///
/// The file cannot be written.
pub fn open(audit_log: &AuditLog) -> anyhow::Result<Box<dyn Write + Send>> {
    let path = match audit_log {
        AuditLog::Output => return Ok(Box::new(std::io::stdout())),
        AuditLog::File(path) => path,
    };
    let mut options = OpenOptions::new();
    let file = options.create(true).append(true).open(path);
    let file = file.with_context(|| {
        let path = path.display();
        format!("the audit log {path} cannot be written; give another file with --audit-log")
    })?;
    Ok(Box::new(file))
}
