//! Threads for work that keeps a processor busy. Each has a state that it uses for all of its work, such as memory that would
//! otherwise be taken and given back for every piece. Callers bound how much waits.

use std::collections::VecDeque;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

type Work<S> = Box<dyn FnOnce(&mut S) + Send>;

struct Queue<S> {
    work: VecDeque<Work<S>>,
    closed: bool,
}

struct WorkerQueue<S> {
    queue: Mutex<Queue<S>>,
    arrived: Condvar,
}

/// Dedicated threads. They end when it is dropped.
pub struct Workers<S> {
    shared: Arc<WorkerQueue<S>>,
}

impl<S> fmt::Debug for Workers<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Workers")
    }
}

impl<S: Default + 'static> Workers<S> {
    /// This many threads, each with a state of its own.
    pub fn new(name: &str, threads: usize) -> Self {
        let queue = Queue {
            work: VecDeque::new(),
            closed: false,
        };
        let shared = Arc::new(WorkerQueue {
            queue: Mutex::new(queue),
            arrived: Condvar::new(),
        });
        for _ in 0..threads.max(1) {
            let shared = shared.clone();
            let thread = std::thread::Builder::new().name(name.to_owned());
            if let Err(error) = thread.spawn(move || shared.work_until_closed()) {
                tracing::error!(%error, name, "could not start a thread; raise the limit of processes of this container");
            }
        }
        Self { shared }
    }

    /// Does a piece of work on one of the threads. `None` if it panicked.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut S) -> T + Send + 'static,
    ) -> Option<T> {
        let (sender, receiver) = oneshot::channel();
        let work: Work<S> = Box::new(move |state| {
            if !sender.is_closed() {
                // The caller may go meanwhile.
                let _ = sender.send(work(state));
            }
        });
        self.shared.queue().work.push_back(work);
        self.shared.arrived.notify_one();
        receiver.await.ok()
    }
}

impl<S: Default> WorkerQueue<S> {
    fn work_until_closed(&self) {
        let mut state = S::default();
        while let Some(work) = self.next() {
            // The panic is in the log; the next piece of work finds a fresh state.
            if catch_unwind(AssertUnwindSafe(|| work(&mut state))).is_err() {
                state = S::default();
            }
        }
    }

    fn next(&self) -> Option<Work<S>> {
        let mut queue = self.queue();
        loop {
            if queue.closed {
                return None;
            }
            if let Some(next) = queue.work.pop_front() {
                return Some(next);
            }
            let woken = self.arrived.wait(queue);
            queue = woken.unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl<S> WorkerQueue<S> {
    fn queue(&self) -> MutexGuard<'_, Queue<S>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S> Drop for Workers<S> {
    fn drop(&mut self) {
        self.shared.queue().closed = true;
        self.shared.arrived.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn q01_a_thread_keeps_its_state_and_survives_a_panic() {
        let workers = Workers::<u32>::new("test", 1);
        for expected in 1..=3 {
            let counted = workers.run(|state| {
                *state += 1;
                *state
            });
            assert_eq!(counted.await, Some(expected));
        }
        assert_eq!(
            workers.run(|_| -> u32 { panic!("of this test") }).await,
            None
        );
        assert_eq!(workers.run(|state| *state).await, Some(0));
    }
}
