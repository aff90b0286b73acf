//! Logging: to standard error as text or JSON, and the audit log where it is configured. Secrets are never logged.

use std::fs::OpenOptions;
use std::io::IsTerminal;
use std::sync::Mutex;

use anyhow::Context;
use tracing::Subscriber;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::{FilterExt, Targets};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::writer::BoxMakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

use crate::config::{AuditLog, LogFormat};
use clientele_telemetry::audit;

/// The highest levels of targets that may print secrets, whatever the filter allows.
///
/// kube's client prints the whole body of a response that it cannot parse, at WARN, and such a body may be a list of
/// Secrets that contains the root key. Nothing is lost: the operator receives the same error and logs it without the
/// body. The records of kube's client builder contain methods and paths only.
const CAPS: [(&str, LevelFilter); 2] = [
    ("kube_client::client", LevelFilter::OFF),
    ("kube_client::client::builder", LevelFilter::DEBUG),
];

/// Starts the log on standard error, and the audit log at its destination.
pub fn start(format: LogFormat, filter: &str, audit_log: Option<&AuditLog>) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(filter)?;
    let audit_log = audit_log.map(open).transpose()?;
    let here = audit_log.is_none();
    tracing_subscriber::registry()
        .with(log(format).with_filter(filter.and(caps(here))))
        .with(audit_log.map(audit_layer))
        .init();
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

/// The filter of the ordinary log. It leaves the audit log out when that has a destination of its own.
fn caps(with_audit: bool) -> Targets {
    let audit = (!with_audit).then_some((audit::TARGET, LevelFilter::OFF));
    Targets::new()
        .with_default(LevelFilter::TRACE)
        .with_targets(CAPS)
        .with_targets(audit)
}

/// Writes the audit log as lines of JSON, whatever the filter of the ordinary log.
pub fn audit_layer<S, W>(writer: W) -> impl Layer<S>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let only = Targets::new().with_target(audit::TARGET, LevelFilter::INFO);
    tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_target(false)
        .with_current_span(false)
        .with_span_list(false)
        .with_writer(writer)
        .with_filter(only)
}

fn open(audit_log: &AuditLog) -> anyhow::Result<BoxMakeWriter> {
    let path = match audit_log {
        AuditLog::Output => return Ok(BoxMakeWriter::new(std::io::stdout)),
        AuditLog::File(path) => path,
    };
    let mut options = OpenOptions::new();
    let file = options.create(true).append(true).open(path);
    let file = file.with_context(|| {
        let path = path.display();
        format!("the audit log {path} cannot be written; give another file with --audit-log")
    })?;
    Ok(BoxMakeWriter::new(Mutex::new(file)))
}
