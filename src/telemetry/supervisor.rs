//! Supervises the tasks that run as long as the process. When one panics or fails, the process shuts down: no other task
//! replaces it, and a process that serves a stale state would look healthy.

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex};

use futures::FutureExt;
use tokio_util::sync::CancellationToken;

/// Shared by all supervised tasks. Clones share the shutdown and the failure.
#[derive(Clone, Debug, Default)]
pub struct Supervisor {
    shutdown: CancellationToken,
    failure: Arc<Mutex<Option<String>>>,
}

impl Supervisor {
    /// Nothing has failed yet; when something does, the shutdown begins.
    pub fn new(shutdown: &CancellationToken) -> Self {
        Self {
            shutdown: shutdown.clone(),
            ..Self::default()
        }
    }

    /// The same task; a panic in it shuts the process down.
    pub fn guard(
        &self,
        task: impl Future<Output = ()> + Send + 'static,
    ) -> impl Future<Output = ()> + Send + 'static {
        let (supervisor, task) = (self.clone(), AssertUnwindSafe(task).catch_unwind());
        async move {
            if task.await.is_err() {
                supervisor.fail("a task panicked; see the log");
            }
        }
    }

    /// Shuts the process down, so that Kubernetes restarts it.
    pub fn fail(&self, why: &str) {
        tracing::error!("fatal: {why}; exiting");
        let mut failure = self.failure.lock().expect("no holder of this lock panics");
        // What fails later may only follow from what failed first.
        failure.get_or_insert_with(|| why.to_owned());
        self.shutdown.cancel();
    }

    /// The first failure, if a failure began the shutdown.
    pub fn failure(&self) -> Option<String> {
        let failure = self.failure.lock().expect("no holder of this lock panics");
        failure.clone()
    }

    /// Cancelled when the process is to end.
    pub fn shutdown(&self) -> &CancellationToken {
        &self.shutdown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_task_that_panics_ends_the_process_and_one_that_is_done_does_not() {
        let supervisor = Supervisor::default();
        supervisor.guard(async {}).await;
        assert!(supervisor.failure().is_none() && !supervisor.shutdown().is_cancelled());
        let task = supervisor.guard(async { panic!("of this test") });
        tokio::spawn(task).await.unwrap();
        assert!(supervisor.shutdown().is_cancelled());
        let first = Some("a task panicked; see the log".to_owned());
        assert_eq!(supervisor.failure(), first);
        supervisor.fail("something else, which followed from it");
        assert_eq!(supervisor.failure(), first);
    }
}
