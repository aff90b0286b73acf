//! Opens the store as soon as the database answers, purges it, and watches whether it goes on answering.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use arc_swap::ArcSwap;
use jiff::Timestamp;
use prometheus_client::registry::Registry;
use tokio::time::error::Elapsed;
use tokio::time::{sleep, timeout};

use crate::config::Run;
use clientele_operator::settings::ALONE;
use clientele_store::tables::purge::purge_forever;
use clientele_store::{Store, StoreError, UrlSource};
use clientele_telemetry::supervisor::Supervisor;

/// The interval of the health check.
const CHECK_EVERY: Duration = Duration::from_secs(5);
/// The timeout of a health check.
const TIMEOUT: Duration = Duration::from_secs(3);
/// How soon a database that could not be opened is tried again.
const OPEN_EVERY: Duration = Duration::from_secs(1);

/// The store of the settings, not open yet.
pub async fn unopened(settings: &Run) -> anyhow::Result<Store> {
    let source = match &settings.database_url_file {
        Some(path) => UrlSource::File(path.clone()),
        None => UrlSource::Fixed(settings.database_url.expose().to_owned()),
    };
    let store = Store::unopened(source).await;
    store.context("the database cannot be used; give another one with --database-url")
}

/// As whom this process takes the Lease, and the lock of a SQLite file. With a file it is the same after a restart, so that it
/// goes on at once: the lock keeps every other process from the file. Replicas that share a database are told apart by their IDs.
pub fn holder(settings: &Run, store: &Store, replica: &str) -> String {
    let name = match (&settings.replica_name, store.file()) {
        _ if store.is_shared() => return replica.to_owned(),
        (Some(name), _) => name.clone(),
        (None, Some(path)) => {
            let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
            let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
            format!("{}:{}", host.trim(), path.display())
        }
        (None, None) => replica.to_owned(),
    };
    format!("{ALONE}{name}")
}

/// What the last look at the database found: the problem, if there is one. The process is ready and serves without the database;
/// what needs it is answered 503 meanwhile.
#[derive(Clone)]
pub struct Health(Arc<ArcSwap<Option<String>>>);

impl Health {
    /// Opens the database. If it is away, or in use, this goes on in the background until it succeeds; a file that cannot be used
    /// is an error. Then checks and purges it until the shutdown. A store that closes before has lost its writer.
    pub async fn begin(
        store: &Store,
        holder: &str,
        metrics: &mut Registry,
        supervisor: &Supervisor,
    ) -> anyhow::Result<Self> {
        store.metrics().register(metrics);
        let health = Self(Arc::new(ArcSwap::from_pointee(None)));
        match store.connect_as(holder).await {
            Ok(()) => store.metrics().set_up(true),
            Err(error) if store.is_shared() || matches!(error, StoreError::InUse(_)) => {
                health.note(Some(format!("the database cannot be used: {error}")));
            }
            Err(error) => Err(error)
                .context("the database cannot be used; give another one with --database-url")?,
        }
        let watching = health
            .clone()
            .watch(store.clone(), holder.to_owned(), supervisor.clone());
        let shutdown = supervisor.shutdown().clone();
        let watching = async move {
            shutdown.run_until_cancelled(watching).await;
        };
        tokio::spawn(supervisor.guard(watching));
        Ok(health)
    }

    async fn watch(self, store: Store, holder: String, supervisor: Supervisor) {
        while let Err(error) = store.connect_as(&holder).await {
            self.note(Some(format!("the database cannot be used: {error}")));
            sleep(OPEN_EVERY).await;
        }
        let shutdown = supervisor.shutdown().clone();
        let purge = purge_forever(store.clone(), Timestamp::now, shutdown);
        tokio::spawn(supervisor.guard(purge));
        loop {
            let answer = timeout(TIMEOUT, store.check()).await;
            if answer == Ok(Err(StoreError::Closed)) {
                supervisor.fail("the store closed by itself");
            }
            store.metrics().set_up(answer == Ok(Ok(())));
            self.note(problem(answer));
            sleep(CHECK_EVERY).await;
        }
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

    /// What is wrong with the database, if something is.
    pub fn problem(&self) -> Option<String> {
        (**self.0.load()).clone()
    }
}

fn problem(answer: Result<Result<(), StoreError>, Elapsed>) -> Option<String> {
    match answer {
        Ok(Ok(())) => None,
        Ok(Err(error)) => Some(format!("the database does not answer: {error}")),
        Err(_) => Some(format!("the database does not answer within {TIMEOUT:?}")),
    }
}
