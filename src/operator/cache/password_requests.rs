//! What is to be done about passwords: Secrets to read once more, plaintexts to hash.

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::passwords::Job;

/// A Secret by namespace and name.
pub type SecretName = (String, String);

/// Where it is asked for.
pub struct PasswordRequests {
    jobs: UnboundedSender<Job>,
    reads: UnboundedSender<SecretName>,
}

/// Where it is read.
pub struct PasswordWork {
    /// Plaintexts to hash.
    pub jobs: UnboundedReceiver<Job>,
    /// Secrets with passwords to read once more.
    pub reads: UnboundedReceiver<SecretName>,
}

impl PasswordRequests {
    /// Both ends.
    pub fn new() -> (Self, PasswordWork) {
        let (jobs, job_receiver) = unbounded_channel();
        let (reads, read_receiver) = unbounded_channel();
        let work = PasswordWork {
            jobs: job_receiver,
            reads: read_receiver,
        };
        (Self { jobs, reads }, work)
    }

    /// Asks for plaintexts to be hashed.
    pub fn hash_later(&self, jobs: Vec<Job>) {
        for job in jobs {
            // Fails only when the operator has stopped, and then no user signs in.
            let _ = self.jobs.send(job);
        }
    }

    /// Asks for a Secret to be read once more, because another entry of it is needed.
    pub fn read_later(&self, name: SecretName) {
        // Fails only when the operator has stopped, and then no user signs in.
        let _ = self.reads.send(name);
    }
}
