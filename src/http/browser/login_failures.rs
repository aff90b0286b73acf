//! Failures to sign in, by account and by address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::timeout;

use crate::network::prefixes;
use clientele_oauth::user::login_throttle::{Key, Rate, Throttle};
use clientele_store::Store;

/// Failures of one account, whether it exists or not, and of one browser of an account.
const PER_ACCOUNT: Rate = Rate {
    burst: 10,
    every: Duration::from_secs(6),
};
/// Failures of one address; a whole office may share it.
const PER_ADDRESS: Rate = Rate {
    burst: 50,
    every: Duration::from_secs(1),
};
/// How many accounts and how many addresses are remembered here: a few megabytes.
const MAX_REMEMBERED: usize = 50_000;
/// So long a try waits for the store to count it.
const PATIENCE: Duration = Duration::from_secs(1);

/// Failures by account: in the store, and beside it in memory. Memory refuses without asking the store, and alone while that
/// does not answer.
#[derive(Debug)]
pub struct Accounts {
    memory: Mutex<Throttle>,
    at_once: Arc<Mutex<HashMap<Key, usize>>>,
}

impl Default for Accounts {
    fn default() -> Self {
        Self {
            memory: Mutex::new(Throttle::new(PER_ACCOUNT, MAX_REMEMBERED)),
            at_once: Arc::default(),
        }
    }
}

impl Accounts {
    /// Whether a try would be refused by what is known here.
    pub fn check(&self, account: Key, now: Timestamp) -> Result<(), Duration> {
        let mut memory = lock(&self.memory);
        memory.charge(account, now)?;
        memory.refund(account);
        Ok(())
    }

    /// Charges a try, or says how long to wait.
    pub async fn charge(
        &self,
        store: &Store,
        account: Key,
        now: Timestamp,
    ) -> Result<(), Duration> {
        lock(&self.memory).charge(account, now)?;
        let charged = timeout(PATIENCE, store.charge_login(account, PER_ACCOUNT, now)).await;
        match charged {
            Ok(Ok(charged)) => charged.inspect_err(|_| lock(&self.memory).refund(account)),
            // Memory has counted it: sign-in goes on, and each replica allows as many failures as all together otherwise.
            Ok(Err(_)) | Err(_) => Ok(()),
        }
    }

    /// Gives a try back that did not fail.
    pub async fn refund(&self, store: &Store, account: Key) {
        lock(&self.memory).refund(account);
        // Without it the account has a try less for six seconds.
        let _ = timeout(PATIENCE, store.refund_login(account, PER_ACCOUNT)).await;
    }

    /// A place among the tries of an account that are made at once; `None` if all are taken.
    pub fn place(&self, account: Key, most: usize) -> Option<AccountPlace> {
        let mut at_once = lock(&self.at_once);
        let taken = at_once.entry(account).or_default();
        (*taken < most).then(|| {
            *taken += 1;
            AccountPlace {
                account,
                at_once: self.at_once.clone(),
            }
        })
    }
}

/// A place, until it is dropped.
#[derive(Debug)]
pub struct AccountPlace {
    account: Key,
    at_once: Arc<Mutex<HashMap<Key, usize>>>,
}

impl Drop for AccountPlace {
    fn drop(&mut self) {
        let mut at_once = lock(&self.at_once);
        if let Some(taken) = at_once.get_mut(&self.account) {
            *taken -= 1;
            if *taken == 0 {
                at_once.remove(&self.account);
            }
        }
    }
}

/// Failures by address, of this replica. The holder of a wider prefix may fail a few times as often.
#[derive(Debug)]
pub struct Addresses(Vec<(u32, Throttle)>);

impl Default for Addresses {
    fn default() -> Self {
        let throttle = |times| {
            (
                times,
                Throttle::new(PER_ADDRESS.times(times), MAX_REMEMBERED),
            )
        };
        Self([1, 2, 4].map(throttle).into())
    }
}

impl Addresses {
    /// Charges a try, or says how long to wait.
    pub fn charge(&mut self, from: IpAddr, now: Timestamp) -> Result<(), Duration> {
        let mut charged = Vec::new();
        for (key, times) in keys(from) {
            let Some(throttle) = self.of(times) else {
                continue;
            };
            if let Err(wait) = throttle.charge(key, now) {
                for (key, times) in charged {
                    if let Some(throttle) = self.of(times) {
                        throttle.refund(key);
                    }
                }
                return Err(wait);
            }
            charged.push((key, times));
        }
        Ok(())
    }

    /// Gives a try back that did not fail.
    pub fn refund(&mut self, from: IpAddr) {
        for (key, times) in keys(from) {
            if let Some(throttle) = self.of(times) {
                throttle.refund(key);
            }
        }
    }

    fn of(&mut self, times: u32) -> Option<&mut Throttle> {
        let found = self.0.iter_mut().find(|(of, _)| *of == times);
        found.map(|(_, throttle)| throttle)
    }
}

fn keys(from: IpAddr) -> impl Iterator<Item = (Key, u32)> {
    prefixes(from).map(|(prefix, times)| {
        let mut key = Key::default();
        key[..17].copy_from_slice(&prefix.bytes());
        (key, times)
    })
}

/// What is locked holds nothing that a panic elsewhere could leave half done.
fn lock<T>(state: &Mutex<T>) -> MutexGuard<'_, T> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clientele_oauth::user::login_throttle::key;

    fn fail(addresses: &mut Addresses, from: &str) -> bool {
        let from = from.parse().unwrap();
        addresses.charge(from, Timestamp::UNIX_EPOCH).is_ok()
    }

    #[test]
    fn q04_the_holder_of_a_48_fails_four_times_as_often_and_no_more() {
        let mut addresses = Addresses::default();
        let mut passed = 0;
        for subnet in 0..10 {
            for host in 0..100 {
                let from = format!("2001:db8:1:{subnet:x}00::{host:x}");
                passed += u32::from(fail(&mut addresses, &from));
            }
        }
        assert_eq!(passed, 4 * PER_ADDRESS.burst);
        let near = (0..100)
            .filter(|n| fail(&mut addresses, &format!("2001:db8:2:{n:x}::1")))
            .count();
        assert_eq!(near, 100, "a /56 has twice as many");
        assert!(fail(&mut addresses, "192.0.2.1"));
        addresses.refund("192.0.2.1".parse().unwrap());
    }

    #[tokio::test]
    async fn q05_without_the_store_memory_counts() {
        let store = Store::open("sqlite::memory:").await.unwrap();
        store.close().await;
        let (accounts, alice) = (Accounts::default(), key(&["alice"]));
        let now = Timestamp::UNIX_EPOCH;
        for _ in 0..10 {
            assert_eq!(accounts.charge(&store, alice, now).await, Ok(()));
        }
        assert!(accounts.charge(&store, alice, now).await.is_err());
        assert!(accounts.check(alice, now).is_err());
        assert!(accounts.check(key(&["bob"]), now).is_ok());
    }
}
