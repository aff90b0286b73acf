//! What happens on a connection, and when that is too little.
//!
//! The HTTP library times the head of a request, but neither a connection that never says anything, nor one that is idle by
//! a rule of its own, nor one whose peer does not read what it asked for. So requests, reads, writes and answers are
//! counted here, without a clock, and one timer per connection looks at the counters.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering::Relaxed};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use hyper::Version;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::Limits;

/// How many turns an answer may wait for its peer: a turn is half of `Limits::stall`.
const TURNS: u32 = 2;
/// One more than the turns that can be told apart.
const BUCKETS: usize = TURNS as usize + 2;

/// The counters of one connection.
#[derive(Debug)]
pub struct Activity {
    opened: Instant,
    begun: AtomicU32,
    in_flight: AtomicU32,
    reads: AtomicU32,
    writes: AtomicU32,
    blocked: AtomicBool,
    http2: AtomicBool,
    /// Milliseconds after `opened` at which the number of requests in flight last became or left zero.
    changed: AtomicU32,
    /// Bytes of answers that wait for the peer.
    owed: AtomicUsize,
    turn: AtomicU32,
    /// How many answers moved last in each turn.
    waiting: [AtomicU32; BUCKETS],
}

impl Default for Activity {
    fn default() -> Self {
        Self {
            opened: Instant::now(),
            begun: AtomicU32::default(),
            in_flight: AtomicU32::default(),
            reads: AtomicU32::default(),
            writes: AtomicU32::default(),
            blocked: AtomicBool::default(),
            http2: AtomicBool::default(),
            changed: AtomicU32::default(),
            owed: AtomicUsize::default(),
            turn: AtomicU32::default(),
            waiting: Default::default(),
        }
    }
}

/// A request in flight, from its head until the body of the answer has left, or until it is dropped.
#[derive(Debug)]
pub struct InFlight(Arc<Activity>);

impl InFlight {
    /// The answer is ready: it waits for the peer from now on.
    pub fn answered(self, bytes: usize) -> Unsent {
        self.0.owed.fetch_add(bytes, Relaxed);
        let bucket = self.0.bucket();
        self.0.waiting[bucket].fetch_add(1, Relaxed);
        Unsent {
            bytes,
            bucket,
            in_flight: self,
        }
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.reads.store(0, Relaxed);
        if self.0.in_flight.fetch_sub(1, Relaxed) == 1 {
            self.0.changes();
        }
    }
}

/// An answer that has not left.
#[derive(Debug)]
pub struct Unsent {
    bytes: usize,
    bucket: usize,
    in_flight: InFlight,
}

impl Unsent {
    /// The peer has taken a part of it.
    pub fn moved(&mut self) {
        let activity = &self.in_flight.0;
        let bucket = activity.bucket();
        if bucket != self.bucket {
            activity.waiting[bucket].fetch_add(1, Relaxed);
            activity.waiting[self.bucket].fetch_sub(1, Relaxed);
            self.bucket = bucket;
        }
    }
}

impl Drop for Unsent {
    fn drop(&mut self) {
        let activity = &self.in_flight.0;
        activity.waiting[self.bucket].fetch_sub(1, Relaxed);
        activity.owed.fetch_sub(self.bytes, Relaxed);
    }
}

/// Why a connection is not worth keeping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// No first request within the timeout of a head, a later head that stays incomplete, or nothing for the idle timeout.
    Abandoned,
    /// The peer does not read what it asked for.
    Stalled,
}

impl Activity {
    /// A request begins.
    pub fn begin(self: &Arc<Self>, version: Version) -> InFlight {
        if version == Version::HTTP_2 {
            self.http2.store(true, Relaxed);
        }
        self.begun.fetch_add(1, Relaxed);
        if self.in_flight.fetch_add(1, Relaxed) == 0 {
            self.changes();
        }
        InFlight(self.clone())
    }

    /// How long nothing has been in flight by now; `None` while something is.
    pub fn idle(&self, now: Instant) -> Option<Duration> {
        (self.in_flight.load(Relaxed) == 0).then(|| self.unchanged(now))
    }

    /// The bytes that the peer has not read, times how long it has owed us to.
    pub fn debt(&self) -> u128 {
        self.owed.load(Relaxed) as u128 * (self.unchanged(Instant::now()).as_millis() + 1)
    }

    fn unchanged(&self, now: Instant) -> Duration {
        let since = Duration::from_millis(self.changed.load(Relaxed).into());
        now.saturating_duration_since(self.opened)
            .saturating_sub(since)
    }

    fn changes(&self) {
        let now = u32::try_from(self.opened.elapsed().as_millis());
        self.changed.store(now.unwrap_or(u32::MAX), Relaxed);
    }

    fn bucket(&self) -> usize {
        self.turn.load(Relaxed) as usize % BUCKETS
    }

    /// Ends when the connection is not worth keeping.
    pub async fn ended(&self, limits: Limits) -> Ending {
        let tick = (limits.header.min(limits.stall) / 2).max(Duration::from_millis(1));
        let mut seen = Seen::default();
        loop {
            tokio::time::sleep(tick).await;
            if let Some(ending) = seen.judge(self, tick, limits) {
                return ending;
            }
        }
    }

    /// Begins a new turn. Whether an answer has not moved for more than the allowed ones.
    fn next_turn(&self) -> bool {
        let turn = self.turn.fetch_add(1, Relaxed).wrapping_add(1) as usize;
        // The oldest bucket is the one that becomes the current one next.
        self.waiting[(turn + 1) % BUCKETS].load(Relaxed) > 0
    }

    /// Bytes came after the last answer, but no request. (HTTP/2 has frames that belong to none.)
    fn is_half_read(&self) -> bool {
        self.reads.load(Relaxed) > 0 && !self.http2.load(Relaxed)
    }
}

/// What the timer saw when it looked last, and for how long it has been so.
#[derive(Default)]
struct Seen {
    begun: u32,
    writes: u32,
    quiet: Duration,
    half_read: Duration,
    blocked: Duration,
    turn: Duration,
}

impl Seen {
    fn judge(&mut self, activity: &Activity, tick: Duration, limits: Limits) -> Option<Ending> {
        if self.is_stalled(activity, tick, limits.stall) {
            return Some(Ending::Stalled);
        }
        let begun = activity.begun.load(Relaxed);
        let before = std::mem::replace(&mut self.begun, begun);
        if activity.in_flight.load(Relaxed) > 0 || before != begun {
            (self.half_read, self.quiet) = (Duration::ZERO, Duration::ZERO);
            return None;
        }
        self.quiet += tick;
        self.half_read = if activity.is_half_read() {
            self.half_read + tick
        } else {
            Duration::ZERO
        };
        let silent = begun == 0 && self.quiet >= limits.header;
        let abandoned = silent || self.half_read > limits.header || self.quiet >= limits.idle;
        abandoned.then_some(Ending::Abandoned)
    }

    fn is_stalled(&mut self, activity: &Activity, tick: Duration, stall: Duration) -> bool {
        let writes = activity.writes.load(Relaxed);
        let moved = std::mem::replace(&mut self.writes, writes) != writes;
        self.blocked = if moved || !activity.blocked.load(Relaxed) {
            Duration::ZERO
        } else {
            self.blocked + tick
        };
        self.turn += tick;
        let turns = self.turn >= stall / TURNS;
        if turns {
            self.turn = Duration::ZERO;
        }
        self.blocked >= stall || (turns && activity.next_turn())
    }
}

/// A stream whose reads and writes are counted.
pub struct Watched<T> {
    pub stream: T,
    pub activity: Arc<Activity>,
}

impl<T> Watched<T> {
    fn written(&self, polled: &Poll<io::Result<usize>>) {
        let blocked = polled.is_pending();
        // Mostly nothing changes, and the line stays shared.
        if self.activity.blocked.load(Relaxed) != blocked {
            self.activity.blocked.store(blocked, Relaxed);
        }
        if !blocked {
            self.activity.writes.fetch_add(1, Relaxed);
        }
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Watched<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if buffer.filled().len() > before {
            self.activity.reads.fetch_add(1, Relaxed);
        }
        polled
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Watched<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.written(&polled);
        polled
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.written(&polled);
        polled
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn q02_an_answer_that_does_not_move_is_found_beside_those_that_do() {
        let activity = Arc::new(Activity::default());
        let begin = || activity.begin(Version::HTTP_2);
        let stuck = begin().answered(10);
        for _ in 0..20 {
            drop(begin().answered(1));
        }
        let mut moving = begin().answered(5);
        assert_eq!(activity.owed.load(Relaxed), 15);
        assert!(!activity.next_turn());
        moving.moved();
        assert!(!activity.next_turn());
        moving.moved();
        assert!(activity.next_turn(), "the stuck one waited for three turns");
        drop(stuck);
        assert!(activity.idle(Instant::now()).is_none(), "one has not left");
        for _ in 0..20 {
            moving.moved();
            assert!(!activity.next_turn());
        }
        drop(moving);
        assert!(activity.idle(Instant::now()).is_some());
        assert_eq!(activity.debt(), 0);
        assert!((0..9).all(|_| !activity.next_turn()));
    }
}
