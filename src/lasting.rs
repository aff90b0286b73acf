//! Tasks that last as long as the process. One that panics ends the process: nothing else does what it did, and a process
//! that serves what it heard last looks well.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use futures::FutureExt;
use tokio_util::sync::CancellationToken;

/// What all of them share.
#[derive(Clone, Debug, Default)]
pub struct Lasting {
    shutdown: CancellationToken,
    failed: Arc<AtomicBool>,
}

impl Lasting {
    /// Nothing has failed yet; when something does, the shutdown begins.
    pub fn new(shutdown: &CancellationToken) -> Self {
        Self {
            shutdown: shutdown.clone(),
            ..Self::default()
        }
    }

    /// The same task, whose panic is noticed.
    pub fn guard(
        &self,
        task: impl Future<Output = ()> + Send + 'static,
    ) -> impl Future<Output = ()> + Send + 'static {
        let (lasting, task) = (self.clone(), AssertUnwindSafe(task).catch_unwind());
        async move {
            if task.await.is_err() {
                lasting.fail("a task panicked, and the line before says where");
            }
        }
    }

    /// Ends the process: whoever starts it anew has everything that works.
    pub fn fail(&self, what: &str) {
        self.failed.store(true, Relaxed);
        tracing::error!("{what}; this process ends, and is to be started anew");
        self.shutdown.cancel();
    }

    /// Whether that is why the shutdown began.
    pub fn has_failed(&self) -> bool {
        self.failed.load(Relaxed)
    }

    /// When the process ends.
    pub fn shutdown(&self) -> &CancellationToken {
        &self.shutdown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_task_that_panics_ends_the_process_and_one_that_is_done_does_not() {
        let lasting = Lasting::default();
        lasting.guard(async {}).await;
        assert!(!lasting.has_failed() && !lasting.shutdown().is_cancelled());
        let task = lasting.guard(async { panic!("of this test") });
        tokio::spawn(task).await.unwrap();
        assert!(lasting.has_failed() && lasting.shutdown().is_cancelled());
    }
}
