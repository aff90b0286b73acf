//! When what failed is tried again: each soon, and all of them together not too often.

use std::sync::Mutex;
use std::time::{Duration, Instant};

/// The first pause.
const FIRST: Duration = Duration::from_millis(200);
/// The longest one: what happens while the API server is away is seen at most this long after it is back.
const LONGEST: Duration = Duration::from_millis(1500);
/// After this time without a failure the first pause is next.
const FORGOTTEN: Duration = Duration::from_secs(10);

/// The pauses of one that tries again, without an end.
#[derive(Debug, Default)]
pub struct Backoff {
    tries: u32,
    last: Option<Instant>,
}

impl Backoff {
    /// The pause after a failure: twice the last one, and between half and all of it by chance (0 to 1), so that those
    /// who failed together do not come back together.
    pub fn next(&mut self, now: Instant, chance: f64) -> Duration {
        let since = self.last.map(|last| now.duration_since(last));
        if since.is_some_and(|since| since > FORGOTTEN) {
            self.tries = 0;
        }
        self.last = Some(now);
        let whole = FIRST.saturating_mul(1 << self.tries.min(10)).min(LONGEST);
        self.tries = self.tries.saturating_add(1);
        whole.mul_f64(0.5 + 0.5 * chance.clamp(0.0, 1.0))
    }
}

/// How many tries of all together begin in a second, and how many at once: thousands of namespaces are thousands of
/// watches, and all of them fail when the API server does.
const IN_A_SECOND: u32 = 200;
const AT_ONCE: u32 = 50;

/// The limit of the process.
#[derive(Debug, Default)]
pub struct RetryLimit(Mutex<Option<Instant>>);

impl RetryLimit {
    /// Takes a turn; returns how long to wait for it.
    pub fn turn(&self, now: Instant) -> Duration {
        let each = Duration::from_secs(1) / IN_A_SECOND;
        let mut next = self.0.lock().expect("no holder of this lock panics");
        let turn = next.map_or(now, |next| next.max(now));
        *next = Some(turn + each);
        turn.duration_since(now).saturating_sub(each * AT_ONCE)
    }
}

/// A number from 0 to 1.
pub fn chance() -> f64 {
    let mut bytes = [0; 4];
    // Without chance all wait for equally long, which is no error.
    let _ = aws_lc_rs::rand::fill(&mut bytes);
    f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest_and_never_end() {
        let (mut backoff, now) = (Backoff::default(), Instant::now());
        let pauses: Vec<u128> = (0..6).map(|_| backoff.next(now, 1.0).as_millis()).collect();
        assert_eq!(pauses, [200, 400, 800, 1500, 1500, 1500]);
        for _ in 0..1000 {
            assert_eq!(backoff.next(now, 0.0), LONGEST / 2);
        }
    }

    #[test]
    fn who_went_on_for_a_while_has_the_first_pause() {
        let (mut backoff, mut now) = (Backoff::default(), Instant::now());
        for _ in 0..5 {
            backoff.next(now, 1.0);
            now += Duration::from_secs(2);
        }
        assert_eq!(
            backoff.next(now, 1.0),
            LONGEST,
            "a success between counts for nothing"
        );
        now += FORGOTTEN + Duration::from_secs(1);
        assert_eq!(backoff.next(now, 1.0), FIRST);
    }

    #[test]
    fn many_come_back_one_after_the_other_and_few_at_once() {
        let (limit, now) = (RetryLimit::default(), Instant::now());
        let turns: Vec<Duration> = (0..30_000).map(|_| limit.turn(now)).collect();
        let at_once = turns.iter().filter(|turn| turn.is_zero()).count();
        assert_eq!(at_once, AT_ONCE as usize + 1);
        let last = turns.last().unwrap().as_secs();
        assert_eq!(last, u64::from(30_000 / IN_A_SECOND) - 1);
        assert_eq!(limit.turn(now + Duration::from_mins(5)), Duration::ZERO);
    }

    #[test]
    fn chance_lies_between_zero_and_one() {
        let drawn: Vec<f64> = (0..100).map(|_| chance()).collect();
        assert!(drawn.iter().all(|chance| (0.0..=1.0).contains(chance)));
        assert!(
            drawn
                .iter()
                .any(|chance| (*chance - drawn[0]).abs() > f64::EPSILON)
        );
    }
}
