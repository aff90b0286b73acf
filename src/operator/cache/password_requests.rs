//! What is to be done about passwords: Secrets to read once more, plaintexts to hash.

use std::sync::Arc;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::hash_queue::HashQueue;
use super::passwords::Job;

/// A Secret by namespace and name.
pub type SecretName = (String, String);

/// Where it is asked for.
pub struct PasswordRequests {
    jobs: Arc<HashQueue>,
    reads: UnboundedSender<SecretName>,
}

/// Where it is read.
pub struct PasswordWork {
    /// Plaintexts to hash.
    pub jobs: Arc<HashQueue>,
    /// Secrets with passwords to read once more.
    pub reads: UnboundedReceiver<SecretName>,
}

impl PasswordRequests {
    /// Both ends.
    pub fn new() -> (Self, PasswordWork) {
        let jobs = Arc::new(HashQueue::default());
        let (reads, read_receiver) = unbounded_channel();
        let work = PasswordWork {
            jobs: jobs.clone(),
            reads: read_receiver,
        };
        (Self { jobs, reads }, work)
    }

    /// Asks for plaintexts to be hashed.
    pub fn hash_later(&self, jobs: Vec<Job>) {
        for job in jobs {
            self.jobs.push(job);
        }
    }

    /// Tenants admit other people than before.
    pub fn admitted_others(&self) {
        self.jobs.look_again();
    }

    /// Asks for a Secret to be read once more, because another entry of it is needed.
    pub fn read_later(&self, name: SecretName) {
        // Fails only when the operator has stopped, and then no user signs in.
        let _ = self.reads.send(name);
    }
}
