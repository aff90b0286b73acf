//! A clock that a test moves. Every test has its own, because it runs on a thread of its own.

use std::cell::Cell;
use std::time::Duration;

use jiff::Timestamp;

/// When tests begin, in milliseconds since 1970.
const START: i64 = 1_800_000_000_000;

thread_local! {
    static NOW: Cell<i64> = const { Cell::new(START) };
}

/// The time, for `App.clock`.
pub fn now() -> Timestamp {
    Timestamp::from_millisecond(NOW.get()).unwrap()
}

/// Time passes.
pub fn advance(by: Duration) {
    NOW.set(NOW.get() + i64::try_from(by.as_millis()).unwrap());
}

/// Time goes back.
pub fn rewind(by: Duration) {
    NOW.set(NOW.get() - i64::try_from(by.as_millis()).unwrap());
}
