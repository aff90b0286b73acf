//! Q05: failures of an account are counted once for all replicas.

use std::time::Duration;

use clientele_oauth::user::login_throttle::{Rate, Throttle, key};
use clientele_store::Store;

use super::database::{TestDatabase, at_once, over_both_stores};
use super::samples::at;

const RATE: Rate = Rate {
    burst: 10,
    every: Duration::from_secs(6),
};

over_both_stores![
    q05_the_store_counts_failures_as_memory_does,
    q05_replicas_together_have_the_tries_of_one,
    failures_that_are_forgotten_are_purged,
];

async fn fail(store: &Store, who: &str, second: i64) -> Result<(), Duration> {
    let charged = store.charge_login(key(&[who]), RATE, at(second)).await;
    charged.unwrap()
}

async fn q05_the_store_counts_failures_as_memory_does(database: TestDatabase) {
    let store = database.open().await;
    let mut memory = Throttle::new(RATE, 100);
    // Quick failures, a pause, successes between them, a clock that goes back, and a long rest.
    let times = [0; 12]
        .into_iter()
        .chain([3, 6, 6, 7, 30, 30, -500, -500, 31, 5000, 5000]);
    for (number, second) in times.enumerate() {
        let expected = memory.charge(key(&["alice"]), at(second));
        assert_eq!(fail(&store, "alice", second).await, expected, "{number}");
        if number % 5 == 4 && expected.is_ok() {
            memory.refund(key(&["alice"]));
            store.refund_login(key(&["alice"]), RATE).await.unwrap();
        }
    }
    assert_eq!(fail(&store, "bob", 0).await, Ok(()));
}

async fn q05_replicas_together_have_the_tries_of_one(database: TestDatabase) {
    let replicas = [
        database.open().await,
        database.open().await,
        database.open().await,
    ];
    let passed = at_once(60, |number| {
        let store = replicas[number % 3].clone();
        async move { fail(&store, "alice", 0).await.is_ok() }
    })
    .await;
    assert_eq!(passed.into_iter().filter(|passed| *passed).count(), 10);
}

async fn failures_that_are_forgotten_are_purged(database: TestDatabase) {
    let store = database.open().await;
    fail(&store, "alice", 0).await.unwrap();
    assert_eq!(store.purge(at(6), 100).await, Ok(0));
    assert_eq!(store.purge(at(7), 100).await, Ok(1));
}
