//! Passwords are tried here: a few at a time, because hashing is slow on purpose, and not too often.
//!
//! Counters are this replica's own. With many replicas a caller may fail as often at each.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep_until};
use zeroize::Zeroizing;

use super::network::network;
use clientele_oauth::user::login_throttle::{Key, Rate, Throttle, key};
use clientele_oauth::user::password;
use clientele_oauth::user::password::work::{LONGEST_FLOOR, Speed, Work};
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
/// How many accounts and how many addresses are remembered: a few megabytes.
const CAPACITY: usize = 50_000;
/// How many wait for their turn, per worker. At some 30 milliseconds each that is half a second.
const WAITING_PER_WORKER: usize = 16;

/// Tries passwords.
#[derive(Debug)]
pub struct PasswordAuthenticator {
    workers: Arc<Semaphore>,
    places: Semaphore,
    accounts: Mutex<Throttle>,
    addresses: Mutex<Throttle>,
    speed: Mutex<Option<Speed>>,
}

/// What became of a try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tried {
    /// The password is right.
    Right,
    /// It is not, or no person of that name can sign in: one answer, and the same work.
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
    /// The person of that name.
    pub user: Option<&'a User>,
    /// What the password is verified against.
    pub hash: Option<PasswordHash>,
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
            speed: Mutex::default(),
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
        let enabled = attempt.user.is_some_and(|user| !user.disabled);
        let tried = match self.verify(attempt.hash, attempt.password).await {
            None => Tried::Full,
            Some((right, _)) if right && enabled => Tried::Right,
            Some((_, begun)) => {
                let floor = self.floor(attempt.tenant.users.costliest()).await;
                sleep_until(begun + floor).await;
                return Tried::Wrong;
            }
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

    /// Whether it is the password of the hash, and when the work began. `None` if too many wait already. A worker is busy
    /// until the hash is done, also if no request waits for it any more.
    async fn verify(
        &self,
        hash: Option<PasswordHash>,
        password: Zeroizing<String>,
    ) -> Option<(bool, Instant)> {
        let _place = self.places.try_acquire().ok()?;
        let worker = self.workers.clone().acquire_owned().await.ok()?;
        let begun = Instant::now();
        let verified = spawn_blocking(move || {
            let _worker = worker;
            password::verify(hash.as_ref(), &password)
        });
        Some((verified.await.unwrap_or(false), begun))
    }

    /// Hashes a password. `None` if it is too long.
    pub(crate) async fn hash(
        &self,
        password: Zeroizing<String>,
        salt: [u8; 16],
    ) -> Option<PasswordHash> {
        let worker = self.workers.clone().acquire_owned().await.ok()?;
        let hashed = spawn_blocking(move || {
            let _worker = worker;
            password::hash(&password, &salt)
        });
        hashed.await.ok()?
    }

    /// How long a failure takes, whichever hash was verified, and whether there was one: no answer tells by its time who
    /// exists. The speed of this machine is measured at the first failure.
    async fn floor(&self, costliest: Work) -> Duration {
        let known = *lock(&self.speed);
        let speed = match known {
            Some(speed) => Some(speed),
            None => measured().await,
        };
        *lock(&self.speed) = speed;
        speed.map_or(LONGEST_FLOOR, |speed| speed.floor(costliest))
    }
}

/// What is locked holds nothing that a panic elsewhere could leave half done.
fn lock<T>(state: &Mutex<T>) -> MutexGuard<'_, T> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The speed of this machine. `None` if the work could not be done.
async fn measured() -> Option<Speed> {
    let measure = || {
        Speed::measure(|work| {
            let begun = Instant::now();
            work();
            begun.elapsed()
        })
    };
    spawn_blocking(measure).await.ok()
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
        let verified = password_authenticator.verify(None, password()).await;
        assert_eq!(verified, None);
        drop((worker, places));
        let verified = password_authenticator.verify(None, password()).await;
        assert!(verified.is_some_and(|(right, _)| !right));
    }

    #[tokio::test]
    async fn n07_no_failure_is_answered_before_the_floor() {
        let authenticator = PasswordAuthenticator::new(2);
        let tenant = Tenant::new("default".into(), "uid".into(), "https://id.example".into());
        let hash = |hash: &str| Some(PasswordHash(hash.into()));
        let bcrypt = "$2b$08$abcdefghijklmnopqrstuuABCDEFGHIJKLMNOPQRSTUVWXYZ01234";
        let floor = authenticator.floor(tenant.users.costliest()).await;
        assert!(floor > Duration::ZERO && floor <= LONGEST_FLOOR);
        for hash in [None, hash(bcrypt), hash("not a hash")] {
            let begun = Instant::now();
            let attempt = PasswordAttempt {
                tenant: &tenant,
                username: "alice",
                user: None,
                hash,
                password: Zeroizing::new("wrong".to_owned()),
                address: "192.0.2.1".parse().unwrap(),
                now: Timestamp::UNIX_EPOCH,
            };
            assert_eq!(authenticator.attempt(attempt).await, Tried::Wrong);
            assert!(begun.elapsed() >= floor);
        }
    }
}
