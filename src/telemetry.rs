//! Logging. A line reads alone, its fields can be queried, and no secret is ever among them.

use std::io::IsTerminal;

use tracing::Subscriber;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::{FilterExt, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

use crate::config::LogFormat;

/// The highest level of targets that print what a log must never hold, whatever the filter asks for.
///
/// kube's client prints the whole body of an answer that it cannot read, at WARN, and such a body may be a list of
/// Secrets with the root key among them. Nothing is lost: the same error is returned to us, and we log it without
/// the body. What its builder says of requests names methods and paths only.
const CAPS: [(&str, LevelFilter); 2] = [
    ("kube_client::client", LevelFilter::OFF),
    ("kube_client::client::builder", LevelFilter::DEBUG),
];

/// Starts logging to standard error.
pub fn start(format: LogFormat, filter: &str) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(filter)?;
    tracing_subscriber::registry()
        .with(log(format).with_filter(filter.and(caps())))
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

fn caps() -> Targets {
    Targets::new()
        .with_default(LevelFilter::TRACE)
        .with_targets(CAPS)
}
