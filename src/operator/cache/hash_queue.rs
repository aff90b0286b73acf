//! The plaintexts that wait to be hashed. Namespaces take turns, so that none waits for the thousands of another; a newer
//! value takes the place of one that waits; and only the passwords of people whom a tenant admits are hashed.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::passwords::{Job, Wanted};
use crate::domain::secret_entry::SecretEntry;

/// The queue.
#[derive(Default)]
pub struct HashQueue {
    waiting: Mutex<Waiting>,
    changed: Notify,
}

/// At most one plaintext for each entry that an OAuthUser refers to.
#[derive(Default)]
struct Waiting {
    jobs: HashMap<SecretEntry, Job>,
    /// The entries of each namespace, in the order in which they came.
    namespaces: HashMap<String, VecDeque<SecretEntry>>,
    /// Every namespace of `namespaces` once; the first has the next turn.
    order: VecDeque<String>,
}

impl HashQueue {
    /// Lets a plaintext wait, in place of an earlier one of the same entry.
    pub fn push(&self, job: Job) {
        let mut waiting = self.waiting();
        let entry = job.entry.clone();
        if waiting.jobs.insert(entry.clone(), job).is_none() {
            let Waiting {
                namespaces, order, ..
            } = &mut *waiting;
            let entries = namespaces.entry(entry.namespace.clone()).or_default();
            if entries.is_empty() {
                order.push_back(entry.namespace.clone());
            }
            entries.push_back(entry);
        }
        drop(waiting);
        self.changed.notify_waiters();
    }

    /// What is wanted has changed.
    pub fn look_again(&self) {
        self.changed.notify_waiters();
    }

    /// The plaintext whose turn it is, once there is one.
    pub async fn next(&self, wanted: impl Fn(&SecretEntry) -> Wanted) -> Job {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            let next = self.waiting().next(&wanted);
            match next {
                Some(job) => return job,
                None => changed.await,
            }
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    fn next(&mut self, wanted: impl Fn(&SecretEntry) -> Wanted) -> Option<Job> {
        for _ in 0..self.order.len() {
            let namespace = self.order.pop_front()?;
            let mut entries = self.namespaces.remove(&namespace)?;
            let found = self.take(&mut entries, &wanted);
            if !entries.is_empty() {
                self.namespaces.insert(namespace.clone(), entries);
                self.order.push_back(namespace);
            }
            if found.is_some() {
                return found;
            }
        }
        None
    }

    /// The first that is wanted now; without those that are not wanted any more.
    fn take(
        &mut self,
        entries: &mut VecDeque<SecretEntry>,
        wanted: impl Fn(&SecretEntry) -> Wanted,
    ) -> Option<Job> {
        let mut at = 0;
        while let Some(entry) = entries.get(at) {
            match wanted(entry) {
                Wanted::Later => at += 1,
                now_or_never => {
                    let job = self.jobs.remove(entry);
                    entries.remove(at);
                    if now_or_never == Wanted::Now && job.is_some() {
                        return job;
                    }
                }
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::user::password::fingerprint;
    use futures::FutureExt;
    use zeroize::Zeroizing;

    fn job(namespace: &str, secret: &str, plaintext: &str) -> Job {
        Job {
            entry: SecretEntry {
                namespace: namespace.into(),
                secret: secret.into(),
                key: "password".into(),
            },
            fingerprint: fingerprint(plaintext.as_bytes()),
            plaintext: Zeroizing::new(plaintext.to_owned()),
        }
    }

    fn next(queue: &HashQueue, wanted: impl Fn(&SecretEntry) -> Wanted) -> Option<String> {
        let job = queue.next(wanted).now_or_never()?;
        Some(job.plaintext.to_string())
    }

    #[test]
    fn q06_a_namespace_does_not_wait_for_the_hundreds_of_another() {
        let queue = HashQueue::default();
        for number in 0..100 {
            queue.push(job("busy", &number.to_string(), &format!("busy {number}")));
        }
        let now = |_: &SecretEntry| Wanted::Now;
        assert_eq!(next(&queue, now).as_deref(), Some("busy 0"));
        queue.push(job("quiet", "alice", "quiet"));
        let second = [next(&queue, now), next(&queue, now)];
        assert!(second.contains(&Some("quiet".into())), "{second:?}");
    }

    #[test]
    fn q06_a_newer_value_takes_the_place_of_one_that_waits() {
        let queue = HashQueue::default();
        queue.push(job("a", "alice", "first value"));
        queue.push(job("a", "bob", "of bob"));
        for number in 0..1000 {
            queue.push(job("a", "alice", &format!("value {number}")));
        }
        let now = |_: &SecretEntry| Wanted::Now;
        assert_eq!(next(&queue, now).as_deref(), Some("value 999"));
        assert_eq!(next(&queue, now).as_deref(), Some("of bob"));
        assert_eq!(next(&queue, now), None);
        let waiting = queue.waiting();
        assert!(
            waiting.jobs.is_empty() && waiting.namespaces.is_empty() && waiting.order.is_empty()
        );
    }

    #[test]
    fn q06_only_admitted_people_are_hashed_and_nobody_else_waits_for_them() {
        let queue = HashQueue::default();
        queue.push(job("stranger", "mallory", "not admitted"));
        queue.push(job("stranger", "gone", "gone"));
        queue.push(job("a", "alice", "of alice"));
        let wanted = |entry: &SecretEntry| match &*entry.secret {
            "mallory" => Wanted::Later,
            "gone" => Wanted::Never,
            _ => Wanted::Now,
        };
        assert_eq!(next(&queue, wanted).as_deref(), Some("of alice"));
        assert_eq!(next(&queue, wanted), None);
        assert_eq!(
            queue.waiting().jobs.len(),
            1,
            "a removed entry takes no room"
        );
        assert_eq!(
            next(&queue, |_| Wanted::Now).as_deref(),
            Some("not admitted")
        );
    }
}
