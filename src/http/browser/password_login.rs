//! Passwords are tried here: a few at a time, because hashing is slow on purpose, in turns that are fair, and not too often.
//!
//! Failures of an account are counted in the store, over all replicas, and here while the store does not answer; those of an
//! address are counted here. A browser in which the person has signed in before has counters and turns of its own.

use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::{Instant, sleep_until};
use zeroize::Zeroizing;

use super::login_failures::{Accounts, Addresses};
use crate::network::network;
use clientele_oauth::user::known_browser::KnownBrowser;
use clientele_oauth::user::login_throttle::{Key, key};
use clientele_oauth::user::password;
use clientele_oauth::user::password::memory::HashingMemory;
use clientele_oauth::user::password::work::{LONGEST_FLOOR, Speed, Work};
use clientele_oauth::user::{PasswordHash, normal};
use clientele_oauth::{Tenant, User};
use clientele_store::Store;
use clientele_telemetry::fair_queue::{Bounds, Full, Member};
use clientele_telemetry::gate::{Gate, Permit};
use clientele_telemetry::workers::Workers;

/// The most threads that hash: each keeps 19 MiB.
const MAX_THREADS: usize = 4;
/// How many wait for their turn, per thread. At some 30 milliseconds each that is two seconds.
const MAX_WAITING: usize = 64;
/// How many of them for one tenant: there are others.
const MAX_WAITING_OF_TENANT: usize = 48;
/// How many of one address, or of one known browser.
const MAX_WAITING_OF_ADDRESS: usize = 16;
/// How many are tried at once for one account, from browsers that are not known.
const MAX_AT_ONCE_OF_ACCOUNT: usize = 4;

/// What a hash is expected to take if the speed of this machine is not known.
const EXPECTED: Duration = Duration::from_millis(50);

/// Tries passwords.
#[derive(Debug)]
pub struct PasswordAuthenticator {
    workers: Workers<HashingMemory>,
    gate: Gate,
    accounts: Accounts,
    addresses: Mutex<Addresses>,
    /// Measured before the first try.
    speed: tokio::sync::Mutex<Option<Speed>>,
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
    /// Too many people sign in at once, or too many of one address, account or tenant.
    Full(Full),
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
    /// The browser, if the person has signed in with it before.
    pub browser: Option<KnownBrowser>,
    /// When.
    pub now: Timestamp,
}

impl PasswordAttempt<'_> {
    /// One account, one counter, whichever of its names is typed; a known browser has another.
    fn account(&self) -> Account {
        let typed = normal(self.username);
        let username = self.user.map_or(&*typed, |user| &*user.username);
        let tenant = &*self.tenant.uid;
        let key = match &self.browser {
            Some(browser) => key(&[tenant, username, &browser.id]),
            None => key(&[tenant, username]),
        };
        Account {
            key,
            is_known: self.browser.is_some(),
        }
    }

    fn turn(&self) -> Member {
        let tenant = &self.tenant.uid;
        match &self.browser {
            Some(browser) => Member {
                group: format!("{tenant} known"),
                member: browser.id.clone(),
            },
            None => Member {
                group: format!("{tenant} new"),
                member: format!("{:?}", network(self.address)),
            },
        }
    }
}

/// For whom a failure is counted.
struct Account {
    key: Key,
    is_known: bool,
}

impl PasswordAuthenticator {
    /// Tries at most `threads` passwords at once.
    pub fn new(threads: usize) -> Self {
        let threads = threads.clamp(1, MAX_THREADS);
        let bounds = Bounds {
            all: threads * MAX_WAITING,
            group: threads * MAX_WAITING_OF_TENANT,
            member: MAX_WAITING_OF_ADDRESS,
        };
        Self {
            workers: Workers::new("sign-in", threads),
            // One more, so that a thread hashes while the store counts.
            gate: Gate::new(threads + 1, bounds),
            accounts: Accounts::default(),
            addresses: Mutex::default(),
            speed: tokio::sync::Mutex::default(),
        }
    }

    /// Tries a password. Only failures count; they are charged beforehand, so that many tries at once are no way around.
    pub(crate) async fn attempt(&self, store: &Store, attempt: PasswordAttempt<'_>) -> Tried {
        let (account, turn) = (attempt.account(), attempt.turn());
        let (address, now) = (attempt.address, attempt.now);
        // Strangers who share the address do not count against a browser that is known.
        if !account.is_known
            && let Err(wait) = lock(&self.addresses).charge(address, now)
        {
            return Tried::Wait(wait);
        }
        let enabled = attempt.user.is_some_and(|user| !user.disabled);
        let floor = attempt.tenant.users.costliest();
        let tried = self.try_once(store, &account, &turn, attempt).await;
        let (failed, tried) = match tried {
            Ok((right, _)) if right && enabled => (false, Tried::Right),
            Ok((_, begun)) => {
                let floor = self.floor(floor).await;
                sleep_until(begun + floor).await;
                (true, Tried::Wrong)
            }
            Err(tried) => (false, tried),
        };
        if !failed && !account.is_known {
            lock(&self.addresses).refund(address);
        }
        tried
    }

    /// Whether the password is right, and when the work began.
    async fn try_once(
        &self,
        store: &Store,
        account: &Account,
        turn: &Member,
        attempt: PasswordAttempt<'_>,
    ) -> Result<(bool, Instant), Tried> {
        // A sign-in that must wait takes no turn of another.
        self.accounts
            .check(account.key, attempt.now)
            .map_err(Tried::Wait)?;
        let _place = if account.is_known {
            None
        } else {
            let place = self.accounts.place(account.key, MAX_AT_ONCE_OF_ACCOUNT);
            Some(place.ok_or(Tried::Full(Full::One))?)
        };
        let expected = self.expected(attempt.hash.as_ref()).await;
        let permit = self.gate.enter(turn, expected).await;
        let permit = permit.map_err(Tried::Full)?;
        let charged = self.accounts.charge(store, account.key, attempt.now).await;
        charged.map_err(Tried::Wait)?;
        let enabled = attempt.user.is_some_and(|user| !user.disabled);
        let (right, begun) = self.verify(permit, attempt.hash, attempt.password).await;
        if right && enabled {
            self.accounts.refund(store, account.key).await;
        }
        Ok((right, begun))
    }

    /// A thread is busy until the hash is done, also if no request waits for it any more; so is its permit.
    async fn verify(
        &self,
        permit: Permit,
        hash: Option<PasswordHash>,
        password: Zeroizing<String>,
    ) -> (bool, Instant) {
        let begun = Instant::now();
        let verified = self.workers.run(move |memory| {
            let _permit = permit;
            password::verify_with(memory, hash.as_ref(), &password)
        });
        (verified.await.unwrap_or(false), begun)
    }

    /// Hashes a password that was right just now. `None` if it is too long.
    pub(crate) async fn hash(
        &self,
        password: Zeroizing<String>,
        salt: [u8; 16],
    ) -> Option<PasswordHash> {
        let hashed = self
            .workers
            .run(move |memory| password::hash_with(memory, &password, &salt));
        hashed.await?
    }

    /// How long a hash takes, so that cheap ones go first while many wait.
    async fn expected(&self, hash: Option<&PasswordHash>) -> Duration {
        let work = hash.map(Work::of).unwrap_or_default();
        let speed = self.speed().await;
        speed.map_or(EXPECTED, |speed| speed.expected(work))
    }

    /// How long a failure takes, whichever hash was verified, and whether there was one: no answer tells by its time who
    /// exists.
    async fn floor(&self, costliest: Work) -> Duration {
        let speed = self.speed().await;
        speed.map_or(LONGEST_FLOOR, |speed| speed.floor(costliest))
    }

    /// The speed of this machine; none if it cannot be measured now.
    async fn speed(&self) -> Option<Speed> {
        let mut speed = self.speed.lock().await;
        if speed.is_none() {
            *speed = self.workers.run(measured).await;
        }
        *speed
    }
}

/// What is locked holds nothing that a panic elsewhere could leave half done.
fn lock<T>(state: &Mutex<T>) -> MutexGuard<'_, T> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The speed of this machine.
fn measured(memory: &mut HashingMemory) -> Speed {
    Speed::measure(memory, |work| {
        let begun = Instant::now();
        work();
        begun.elapsed()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tenant() -> Tenant {
        Tenant::new("default".into(), "uid".into(), "https://id.example".into())
    }

    fn of<'a>(tenant: &'a Tenant, address: &str, username: &'a str) -> PasswordAttempt<'a> {
        PasswordAttempt {
            tenant,
            username,
            user: None,
            hash: None,
            password: Zeroizing::new("wrong".to_owned()),
            address: address.parse().unwrap(),
            browser: None,
            now: Timestamp::UNIX_EPOCH,
        }
    }

    async fn store() -> Store {
        Store::open("sqlite::memory:").await.unwrap()
    }

    #[tokio::test]
    async fn q04_no_account_and_no_address_takes_all_places() {
        let (authenticator, tenant, store) =
            (PasswordAuthenticator::new(1), tenant(), store().await);
        // Nothing is answered while the gate is shut.
        let turn = of(&tenant, "192.0.2.99", "x").turn();
        let enter = async || authenticator.gate.enter(&turn, EXPECTED).await;
        let _shut = [enter().await.ok().unwrap(), enter().await.ok().unwrap()];
        let mut waiting = Vec::new();
        let mut outcomes = Vec::new();
        for number in 0..6 {
            let address = format!("192.0.2.{number}");
            let attempt = of(&tenant, &address, "alice");
            let mut tried = Box::pin(authenticator.attempt(&store, attempt));
            match futures::poll!(tried.as_mut()) {
                std::task::Poll::Ready(tried) => outcomes.push(tried),
                std::task::Poll::Pending => waiting.push(tried),
            }
        }
        assert_eq!(outcomes, [Tried::Full(Full::One); 2], "four of an account");
        assert_eq!(waiting.len(), MAX_AT_ONCE_OF_ACCOUNT);
    }

    #[tokio::test]
    async fn n07_no_failure_is_answered_before_the_floor() {
        let (authenticator, tenant, store) =
            (PasswordAuthenticator::new(2), tenant(), store().await);
        let hash = |hash: &str| Some(PasswordHash(hash.into()));
        let bcrypt = "$2b$08$abcdefghijklmnopqrstuuABCDEFGHIJKLMNOPQRSTUVWXYZ01234";
        let floor = authenticator.floor(tenant.users.costliest()).await;
        assert!(floor > Duration::ZERO && floor <= LONGEST_FLOOR);
        for hash in [None, hash(bcrypt), hash("not a hash")] {
            let begun = Instant::now();
            let attempt = PasswordAttempt {
                hash,
                ..of(&tenant, "192.0.2.1", "alice")
            };
            let tried = authenticator.attempt(&store, attempt).await;
            assert_eq!(tried, Tried::Wrong);
            assert!(begun.elapsed() >= floor);
        }
    }
}
