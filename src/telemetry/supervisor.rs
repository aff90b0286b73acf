//! Tasks that last as long as the process, and the end of the process where one cannot go on. One that panics ends it:
//! nothing else does what it did, and a process that serves what it heard last looks well.

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex};

use futures::FutureExt;
use tokio_util::sync::CancellationToken;

/// What all of them share.
#[derive(Clone, Debug, Default)]
pub struct Lasting {
    shutdown: CancellationToken,
    failure: Arc<Mutex<Option<String>>>,
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
                lasting.fail("a task panicked, and the log says where");
            }
        }
    }

    /// Ends the process: whoever starts it anew has everything that works.
    pub fn fail(&self, why: &str) {
        tracing::error!("{why}; this process ends, and is to be started anew");
        let mut failure = self.failure.lock().expect("no holder of this lock panics");
        // What fails later may only follow from what failed first.
        failure.get_or_insert_with(|| why.to_owned());
        self.shutdown.cancel();
    }

    /// What failed first, if that is why the shutdown began.
    pub fn failure(&self) -> Option<String> {
        let failure = self.failure.lock().expect("no holder of this lock panics");
        failure.clone()
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
        assert!(lasting.failure().is_none() && !lasting.shutdown().is_cancelled());
        let task = lasting.guard(async { panic!("of this test") });
        tokio::spawn(task).await.unwrap();
        assert!(lasting.shutdown().is_cancelled());
        let first = Some("a task panicked, and the log says where".to_owned());
        assert_eq!(lasting.failure(), first);
        lasting.fail("something else, which followed from it");
        assert_eq!(lasting.failure(), first);
    }
}
