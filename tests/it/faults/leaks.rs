//! Whether anything secret is said: every line that this thread logs, at the lowest level, is searched as it is written.

use std::io::{self, Write};
use std::sync::{Arc, LazyLock, Mutex};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use clientele_oauth::client::secret::PREFIX;
use tracing::Dispatch;
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::filter::LevelFilter;

use super::fault_cluster::FaultCluster;

/// What must not be said, as text, as base64 and as a debug print.
#[derive(Clone)]
pub struct Canaries(Arc<Vec<String>>);

impl Canaries {
    /// What every client secret begins with, the root keys, and a part of every private key.
    pub fn of(cluster: &FaultCluster) -> Self {
        let id = cluster.keyring.current_id();
        // Every client secret, whatever root key it comes from.
        let mut found = vec![PREFIX.to_owned()];
        add(&mut found, format!("{PREFIX}{id}").as_bytes());
        for (name, value) in cluster.root_key.data.iter().flatten() {
            if name != "current" {
                add(&mut found, &value.0[..30]);
            }
        }
        for (name, value) in cluster.signing.data.iter().flatten() {
            let middle = value.0.len() / 6 * 3;
            if name.strip_suffix(".der").is_some() {
                add(&mut found, &value.0[middle..middle + 24]);
            }
        }
        Self(Arc::new(found))
    }

    /// Whether a text says any of it.
    pub fn are_in(&self, text: &str) -> bool {
        self.0.iter().any(|canary| text.contains(&**canary))
    }
}

fn add(found: &mut Vec<String>, bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        found.push(text.to_owned());
    }
    // As it stands in a longer value: its length is a multiple of three.
    found.push(STANDARD.encode(bytes));
    found.push(format!("{bytes:?}").trim_matches(['[', ']']).to_owned());
}

/// Searches what this thread logs.
#[derive(Clone)]
pub struct Search {
    canaries: Canaries,
    found: Arc<Mutex<Vec<String>>>,
    lines: Arc<Mutex<usize>>,
}

impl Search {
    /// Searches until the guard is dropped.
    pub fn start(canaries: Canaries) -> (Self, DefaultGuard) {
        // As long as there is only one, the thread that meets an event first decides for all threads whether anybody wants it.
        static SECOND: LazyLock<Dispatch> =
            LazyLock::new(|| Dispatch::new(tracing_subscriber::Registry::default()));
        LazyLock::force(&SECOND);
        let search = Self {
            canaries,
            found: Arc::default(),
            lines: Arc::default(),
        };
        let writer = search.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(LevelFilter::TRACE)
            .with_ansi(false)
            .with_writer(move || writer.clone())
            .finish();
        (search, tracing::subscriber::set_default(subscriber))
    }

    /// The lines that said something secret; panics if there was nothing to search.
    pub fn found(&self) -> Vec<String> {
        assert!(*self.lines.lock().unwrap() > 0, "nothing was logged");
        self.found.lock().unwrap().clone()
    }
}

impl Write for Search {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        *self.lines.lock().unwrap() += 1;
        let text = String::from_utf8_lossy(bytes);
        if self.canaries.are_in(&text) {
            let start: String = text.chars().take(120).collect();
            self.found
                .lock()
                .unwrap()
                .push(format!("a secret is logged: {start}"));
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
