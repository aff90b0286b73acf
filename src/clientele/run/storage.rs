//! The store: opened before anything is served, asked whether it answers, closed at the end.

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

/// How often the store is asked whether it answers.
const ASK_EVERY: Duration = Duration::from_secs(5);
/// An answer that takes longer than this is none.
const ANSWER: Duration = Duration::from_secs(3);

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

/// Shows what the store counts, and removes what has ended from it until the shutdown.
pub fn tend(store: &Store, metrics: &mut Registry, supervisor: &Supervisor) {
    store.metrics().register(metrics);
    let shutdown = supervisor.shutdown().clone();
    let purge = purge_forever(store.clone(), Timestamp::now, shutdown);
    tokio::spawn(supervisor.guard(purge));
}

/// Whether the store answered when it was last asked; what is wrong if not.
#[derive(Clone)]
pub struct Health(Arc<ArcSwap<Option<String>>>);

impl Health {
    /// Asks again and again until the shutdown. A store that is closed before has lost its writer.
    pub fn watch(store: Store, supervisor: &Supervisor) -> Self {
        let health = Self(Arc::new(ArcSwap::from_pointee(None)));
        let (watched, ending) = (health.clone(), supervisor.clone());
        let asking = async move {
            loop {
                match timeout(ANSWER, store.check()).await {
                    Ok(Err(StoreError::Closed)) => ending.fail("the store closed by itself"),
                    answer => watched.note(problem(answer)),
                }
                tokio::time::sleep(ASK_EVERY).await;
            }
        };
        let shutdown = supervisor.shutdown().clone();
        let asking = async move {
            shutdown.run_until_cancelled(asking).await;
        };
        tokio::spawn(supervisor.guard(asking));
        health
    }

    fn note(&self, problem: Option<String>) {
        let before = self.0.swap(Arc::new(problem.clone()));
        match (&*before, problem) {
            (before, Some(problem)) if before.as_ref() != Some(&problem) => {
                tracing::error!("{problem}");
            }
            (Some(_), None) => tracing::info!("the database answers again"),
            _ => {}
        }
    }

    /// Whether it answers.
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
        Err(_) => Some(format!("the database does not answer within {ANSWER:?}")),
    }
}
