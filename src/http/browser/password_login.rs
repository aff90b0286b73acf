//! Passwords are tried here: a few at a time, because hashing is slow on purpose, and not too often.
//!
//! Counters are this replica's own. With many replicas somebody may fail as often at each.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use zeroize::Zeroizing;

use super::network::network;
use clientele_oauth::user::login_throttle::{Key, Rate, Throttle, key};
use clientele_oauth::user::password;
use clientele_oauth::user::{PasswordHash, normal};
use clientele_oauth::{Tenant, User};

/// Failures of one account, whether it exists or not.
const PER_ACCOUNT: Rate = Rate {
    burst: 10,
    every: Duration::from_secs(6),
};
/// Failures of one address; a whole office may share it.
const PER_ADDRESS: Rate = Rate {
    burst: 50,
    every: Duration::from_secs(1),
};
/// So many accounts and so many addresses are remembered: a few megabytes.
const CAPACITY: usize = 50_000;
/// So many wait for their turn, per worker. At some 30 milliseconds each that is half a second.
const WAITING_PER_WORKER: usize = 16;

/// Tries passwords.
#[derive(Debug)]
pub struct PasswordAuthenticator {
    workers: Arc<Semaphore>,
    places: Semaphore,
    accounts: Mutex<Throttle>,
    addresses: Mutex<Throttle>,
}

/// What became of a try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tried {
    /// The password is right.
    Right,
    /// It is not, or nobody of that name can sign in: one answer, and the same work.
    Wrong,
    /// There were too many failures.
    Wait(Duration),
    /// Too many people sign in at once.
    Full,
}

/// A try to sign in.
pub(crate) struct PasswordAttempt<'a> {
    /// Where.
    pub tenant: &'a Tenant,
    /// Who, as it was typed.
    pub username: &'a str,
    /// Whoever has that name.
    pub user: Option<&'a User>,
    /// What was typed.
    pub password: Zeroizing<String>,
    /// From where.
    pub address: IpAddr,
    /// When.
    pub now: Timestamp,
}

impl PasswordAuthenticator {
    /// Tries at most `workers` passwords at once.
    pub fn new(workers: usize) -> Self {
        Self {
            workers: Arc::new(Semaphore::new(workers)),
            places: Semaphore::new(workers * WAITING_PER_WORKER),
            accounts: Mutex::new(Throttle::new(PER_ACCOUNT, CAPACITY)),
            addresses: Mutex::new(Throttle::new(PER_ADDRESS, CAPACITY)),
        }
    }

    /// Tries a password. Only failures count; they are charged beforehand, so that many tries at once are no way around.
    pub(crate) async fn attempt(&self, attempt: PasswordAttempt<'_>) -> Tried {
        // One account, one counter, whichever of its names is typed.
        let typed = normal(attempt.username);
        let username = attempt.user.map_or(&*typed, |user| &*user.username);
        let account = [&*attempt.tenant.uid, username];
        let (account, address) = (key(&account), key(&[&network(attempt.address)]));
        if let Err(wait) = self.charge(account, address, attempt.now) {
            return Tried::Wait(wait);
        }
        let hash = attempt.user.and_then(|user| user.password.clone());
        let enabled = attempt.user.is_some_and(|user| !user.disabled);
        let tried = match self.verify(hash, attempt.password).await {
            None => Tried::Full,
            Some(right) if right && enabled => Tried::Right,
            Some(_) => return Tried::Wrong,
        };
        lock(&self.accounts).refund(account);
        lock(&self.addresses).refund(address);
        tried
    }

    fn charge(&self, account: Key, address: Key, now: Timestamp) -> Result<(), Duration> {
        lock(&self.addresses).charge(address, now)?;
        lock(&self.accounts)
            .charge(account, now)
            .inspect_err(|_| lock(&self.addresses).refund(address))
    }

    /// `None` if too many wait already. A worker is busy until the hash is done, also if nobody waits for it any more.
    async fn verify(
        &self,
        hash: Option<PasswordHash>,
        password: Zeroizing<String>,
    ) -> Option<bool> {
        let _place = self.places.try_acquire().ok()?;
        let worker = self.workers.clone().acquire_owned().await.ok()?;
        let verified = spawn_blocking(move || {
            let _worker = worker;
            password::verify(hash.as_ref(), &password)
        });
        Some(verified.await.unwrap_or(false))
    }
}

/// The throttle holds nothing that a panic elsewhere could leave half done.
fn lock(throttle: &Mutex<Throttle>) -> MutexGuard<'_, Throttle> {
    throttle.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn when_too_many_wait_nobody_else_does() {
        let password_authenticator = PasswordAuthenticator::new(1);
        let worker = password_authenticator
            .workers
            .clone()
            .acquire_owned()
            .await
            .unwrap();
        let places = password_authenticator.places.try_acquire_many(16).unwrap();
        let password = || Zeroizing::new(String::new());
        assert_eq!(password_authenticator.verify(None, password()).await, None);
        drop((worker, places));
        assert_eq!(
            password_authenticator.verify(None, password()).await,
            Some(false)
        );
    }
}
