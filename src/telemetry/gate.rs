//! A gate that lets a few in at once, in the order of a [`FairQueue`]: a member who waits in great number, or stays for long, lets
//! others go first.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use crate::fair_queue::{Bounds, FairQueue, Full, Granted, Member};

/// The gate. Clones are the same gate.
#[derive(Clone)]
pub struct Gate(Arc<Mutex<State>>);

struct State {
    free: usize,
    queue: FairQueue<oneshot::Sender<Permit>>,
}

/// Who is in, until this is dropped. The time until then is charged.
pub struct Permit {
    gate: Gate,
    turn: Granted,
    begun: Instant,
}

type Grants = Vec<(oneshot::Sender<Permit>, Permit)>;

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Gate")
    }
}

impl Gate {
    /// Lets this many in at once.
    pub fn new(permits: usize, bounds: Bounds) -> Self {
        Self(Arc::new(Mutex::new(State {
            free: permits,
            queue: FairQueue::new(bounds),
        })))
    }

    /// Waits for a turn that is expected to take this long.
    ///
    /// # Errors
    /// If there is no room to wait, or another member takes it who has less waiting.
    pub async fn enter(&self, turn: &Member, expected: Duration) -> Result<Permit, Full> {
        let (sender, receiver) = oneshot::channel();
        let grants = {
            let mut state = self.state();
            // Who is displaced learns of it as its sender is dropped.
            drop(state.queue.push(turn, expected, sender)?);
            self.grants(&mut state)
        };
        give(grants);
        receiver.await.map_err(|_| Full::All)
    }

    fn grants(&self, state: &mut State) -> Grants {
        let mut grants = Vec::new();
        while state.free > 0 {
            let Some((turn, sender)) = state.queue.pop() else {
                break;
            };
            if sender.is_closed() {
                state.queue.done(&turn, Duration::ZERO);
                continue;
            }
            state.free -= 1;
            let permit = Permit {
                gate: self.clone(),
                turn,
                begun: Instant::now(),
            };
            grants.push((sender, permit));
        }
        grants
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Without the lock: a permit that is not taken is dropped, and takes the lock itself.
fn give(grants: Grants) {
    for (sender, permit) in grants {
        drop(sender.send(permit));
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let grants = {
            let mut state = self.gate.state();
            state.free += 1;
            state.queue.done(&self.turn, self.begun.elapsed());
            self.gate.grants(&mut state)
        };
        give(grants);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::{FutureExt, poll};

    const EXPECTED: Duration = Duration::from_millis(50);
    const BOUNDS: Bounds = Bounds {
        all: 3,
        group: 3,
        member: 2,
    };

    fn turn(member: &str) -> Member {
        Member {
            group: "g".into(),
            member: member.into(),
        }
    }

    #[tokio::test]
    async fn q04_who_sends_many_makes_room_for_who_sends_one() {
        let gate = Gate::new(1, BOUNDS);
        let (many, one, other) = (turn("many"), turn("one"), turn("other"));
        let inside = gate.enter(&many, EXPECTED).await.ok().unwrap();
        let mut first = Box::pin(gate.enter(&many, EXPECTED));
        let mut second = Box::pin(gate.enter(&many, EXPECTED));
        assert!(poll!(first.as_mut()).is_pending() && poll!(second.as_mut()).is_pending());
        assert_eq!(gate.enter(&many, EXPECTED).await.err(), Some(Full::One));
        let mut single = Box::pin(gate.enter(&one, EXPECTED));
        assert!(poll!(single.as_mut()).is_pending());
        let mut late = Box::pin(gate.enter(&other, EXPECTED));
        assert!(poll!(late.as_mut()).is_pending());
        assert_eq!(second.await.err(), Some(Full::All), "it made room");
        drop(inside);
        let single = single.await.expect("before the second of many");
        assert!(poll!(first.as_mut()).is_pending());
        drop(single);
        drop(late.await.ok().unwrap());
        assert!(first.await.is_ok());
    }

    #[tokio::test]
    async fn who_gives_up_holds_nothing() {
        let gate = Gate::new(1, BOUNDS);
        let turn = turn("a");
        let inside = gate.enter(&turn, EXPECTED).await.ok().unwrap();
        let mut gone = Box::pin(gate.enter(&turn, EXPECTED));
        assert!(poll!(gone.as_mut()).is_pending());
        drop(gone);
        drop(inside);
        assert!(
            gate.enter(&turn, EXPECTED)
                .now_or_never()
                .is_some_and(|entered| entered.is_ok())
        );
        let inside = gate.enter(&turn, EXPECTED).await.ok().unwrap();
        let mut granted = Box::pin(gate.enter(&turn, EXPECTED));
        assert!(poll!(granted.as_mut()).is_pending());
        drop(inside);
        drop(granted);
        assert!(
            gate.enter(&turn, EXPECTED)
                .now_or_never()
                .is_some_and(|entered| entered.is_ok())
        );
    }
}
