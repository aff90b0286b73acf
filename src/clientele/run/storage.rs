//! Opens the store, purges it, and checks its health.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use arc_swap::ArcSwap;
use jiff::Timestamp;
use prometheus_client::registry::Registry;
use tokio::time::error::Elapsed;
use tokio::time::timeout;

use crate::config::Run;
use clientele_store::tables::purge::purge_forever;
use clientele_store::{Store, StoreError};
use clientele_telemetry::supervisor::Supervisor;

/// The interval of the health check.
const CHECK_EVERY: Duration = Duration::from_secs(5);
/// The timeout of a health check.
const TIMEOUT: Duration = Duration::from_secs(3);

/// Opens the store of the settings.
pub async fn open(settings: &Run) -> anyhow::Result<Store> {
    let url = match &settings.database_url_file {
        Some(path) => tokio::fs::read_to_string(path)
            .await
            .with_context(|| {
                format!(
                    "cannot read the database URL from {}; give a file with --database-url-file",
                    path.display()
                )
            })?
            .trim()
            .to_owned(),
        None => settings.database_url.expose().to_owned(),
    };
    Store::open(&url)
        .await
        .context("the database cannot be used; give another one with --database-url")
}

/// Registers the metrics of the store, and purges expired rows until the shutdown.
pub fn maintain(store: &Store, metrics: &mut Registry, supervisor: &Supervisor) {
    store.metrics().register(metrics);
    let shutdown = supervisor.shutdown().clone();
    let purge = purge_forever(store.clone(), Timestamp::now, shutdown);
    tokio::spawn(supervisor.guard(purge));
}

/// The outcome of the last health check of the store: the problem, if there is one.
#[derive(Clone)]
pub struct Health(Arc<ArcSwap<Option<String>>>);

impl Health {
    /// Checks until the shutdown. A store that closes before has lost its writer.
    pub fn watch(store: Store, supervisor: &Supervisor) -> Self {
        let health = Self(Arc::new(ArcSwap::from_pointee(None)));
        let (watched, ending) = (health.clone(), supervisor.clone());
        let checking = async move {
            loop {
                match timeout(TIMEOUT, store.check()).await {
                    Ok(Err(StoreError::Closed)) => ending.fail("the store closed by itself"),
                    answer => watched.note(problem(answer)),
                }
                tokio::time::sleep(CHECK_EVERY).await;
            }
        };
        let shutdown = supervisor.shutdown().clone();
        let checking = async move {
            shutdown.run_until_cancelled(checking).await;
        };
        tokio::spawn(supervisor.guard(checking));
        health
    }

    fn note(&self, problem: Option<String>) {
        let before = self.0.swap(Arc::new(problem.clone()));
        match (&*before, problem) {
            (before, Some(problem)) if before.as_ref() != Some(&problem) => {
                tracing::error!("{problem}");
            }
            (Some(_), None) => tracing::info!("the database is available again"),
            _ => {}
        }
    }

    /// Whether the last check succeeded.
    pub fn check(&self) -> Result<(), String> {
        match &**self.0.load() {
            None => Ok(()),
            Some(problem) => Err(problem.clone()),
        }
    }
}

fn problem(answer: Result<Result<(), StoreError>, Elapsed>) -> Option<String> {
    match answer {
        Ok(Ok(())) => None,
        Ok(Err(error)) => Some(format!("the database does not answer: {error}")),
        Err(_) => Some(format!("the database does not answer within {TIMEOUT:?}")),
    }
}
