//! The connections of this replica to PostgreSQL.
//!
//! sqlx's own pool pings every connection that is given back, without a limit of time, and a network that drops packets so takes
//! all its permits; and it keeps connections to a server that is no longer the primary. Here every wait has a limit, and
//! connections belong to a generation: when one reports that its server has gone, all of that generation are closed.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use sqlx::{AnyConnection, Connection};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout};

use super::outage::Outage;
use super::session;
use crate::error::StoreError;
use crate::metrics::StoreMetrics;
use crate::source::UrlSource;

/// How many connections a replica holds at most.
const CONNECTIONS: u32 = 16;
/// How long an operation may wait for a connection.
const WAIT: Duration = Duration::from_secs(5);
/// A connection that has been idle for longer is asked whether it still lives, and has this long to answer.
const FRESH: Duration = Duration::from_millis(200);
const PING: Duration = Duration::from_millis(500);
/// A connection that was idle for this time is closed.
const IDLE: Duration = Duration::from_mins(10);
/// The longest life of a connection. Up to a quarter less, so that they do not all end together.
const LIFETIME: Duration = Duration::from_mins(30);
/// Pauses between tries to connect to a server that starts.
const PAUSES: (Duration, Duration) = (Duration::from_millis(50), Duration::from_millis(500));
/// How long the end waits for operations in flight, and for the server to be told.
const END: Duration = Duration::from_secs(10);
const FAREWELL: Duration = Duration::from_secs(1);

/// The connections.
#[derive(Debug)]
pub struct Pool {
    source: UrlSource,
    permits: Arc<Semaphore>,
    idle: Mutex<Vec<Idle>>,
    generation: AtomicU64,
    closed: AtomicBool,
    outage: Outage,
    metrics: Arc<StoreMetrics>,
}

#[derive(Debug)]
struct Idle {
    session: Session,
    since: Instant,
}

#[derive(Debug)]
struct Session {
    db: AnyConnection,
    generation: u64,
    ends: Instant,
}

/// A connection in use. It is closed when this is dropped, unless it was given back.
pub struct Borrowed {
    session: Session,
    pool: Arc<Pool>,
    permit: OwnedSemaphorePermit,
}

impl Borrowed {
    /// The connection.
    pub fn db(&mut self) -> &mut AnyConnection {
        &mut self.session.db
    }

    /// The connection can be used again.
    pub fn give_back(self) {
        let Self {
            session,
            pool,
            permit,
        } = self;
        pool.keep(session);
        drop(permit);
    }

    /// The server of this connection has gone: every connection that is as old is closed.
    pub fn lose(self) {
        self.pool.renew(self.session.generation);
    }
}

impl Pool {
    /// No connection is made yet.
    pub fn new(source: UrlSource, metrics: Arc<StoreMetrics>) -> Arc<Self> {
        let permits = usize::try_from(CONNECTIONS).unwrap_or(usize::MAX);
        Arc::new(Self {
            source,
            permits: Arc::new(Semaphore::new(permits)),
            idle: Mutex::default(),
            generation: AtomicU64::new(0),
            closed: AtomicBool::new(false),
            outage: Outage::default(),
            metrics,
        })
    }

    /// A connection that lives, within [`WAIT`].
    pub async fn acquire(self: &Arc<Self>) -> Result<Borrowed, StoreError> {
        let acquired = timeout(WAIT, self.acquire_at_leisure()).await;
        acquired.unwrap_or_else(|_| Err(self.outage.why(Instant::now())))
    }

    async fn acquire_at_leisure(self: &Arc<Self>) -> Result<Borrowed, StoreError> {
        let permit = self.permits.clone().acquire_owned().await;
        let permit = permit.map_err(|_| StoreError::Closed)?;
        if self.closed.load(SeqCst) {
            return Err(StoreError::Closed);
        }
        let session = match self.idle_session().await {
            Some(session) => session,
            None => self.connect().await?,
        };
        Ok(Borrowed {
            session,
            pool: self.clone(),
            permit,
        })
    }

    /// An idle connection that still lives.
    async fn idle_session(&self) -> Option<Session> {
        while let Some(Idle { mut session, since }) = self.pop() {
            if since.elapsed() <= FRESH {
                return Some(session);
            }
            if matches!(timeout(PING, session.db.ping()).await, Ok(Ok(()))) {
                return Some(session);
            }
            self.renew(session.generation);
        }
        None
    }

    /// The one that was used last: the others may grow old.
    fn pop(&self) -> Option<Idle> {
        let mut idle = self.idle.lock().expect("no holder of this lock panics");
        let popped = idle.pop();
        self.metrics.idle.set(count(idle.len()));
        popped
    }

    async fn connect(&self) -> Result<Session, StoreError> {
        self.outage.admit(Instant::now())?;
        let (mut pause, longest) = PAUSES;
        loop {
            let generation = self.generation.load(SeqCst);
            let refused = match session::begin(&self.source).await {
                Ok(db) => {
                    self.outage.end();
                    self.metrics.connections.inc();
                    return Ok(Session {
                        db,
                        generation,
                        ends: Instant::now() + lifetime(),
                    });
                }
                Err(refused) => refused,
            };
            let now = Instant::now();
            self.outage.note(&refused.error, now);
            if !refused.passes || self.outage.lasts(now) {
                return Err(refused.error);
            }
            sleep(pause).await;
            pause = (pause * 2).min(longest);
        }
    }

    /// Closes every connection of a generation: those that are idle now, those in use when they are given back.
    fn renew(&self, generation: u64) {
        let next = generation + 1;
        let renewed = self
            .generation
            .compare_exchange(generation, next, SeqCst, SeqCst);
        if renewed.is_ok() {
            self.metrics.renewals.inc();
            tracing::warn!(
                "a connection to the database was lost; every connection is opened again"
            );
            self.take_idle(|idle| idle.session.generation <= generation);
        }
    }

    fn keep(&self, session: Session) {
        let now = Instant::now();
        self.take_idle(|idle| idle.session.ends <= now || now > idle.since + IDLE);
        if session.ends <= now || self.closed.load(SeqCst) {
            return;
        }
        let mut idle = self.idle.lock().expect("no holder of this lock panics");
        // Under the lock: a renewal that comes now finds it among the idle ones.
        if session.generation == self.generation.load(SeqCst) {
            let since = now;
            idle.push(Idle { session, since });
        }
        self.metrics.idle.set(count(idle.len()));
    }

    /// Removes idle connections. Who drops them closes them.
    fn take_idle(&self, which: impl Fn(&Idle) -> bool) -> Vec<Idle> {
        let mut idle = self.idle.lock().expect("no holder of this lock panics");
        let (gone, left) = idle.drain(..).partition(which);
        *idle = left;
        self.metrics.idle.set(count(idle.len()));
        gone
    }

    /// Waits for the operations in flight, and closes every connection.
    pub async fn close(&self) {
        self.closed.store(true, SeqCst);
        let all = self.permits.acquire_many(CONNECTIONS);
        let ended = timeout(END, all).await;
        if ended.is_err() {
            tracing::warn!(
                "operations of the database are still in flight; what they write may or may not be there"
            );
        }
        self.permits.close();
        let farewells = self.take_idle(|_| true).into_iter();
        let farewells = farewells.map(|idle| timeout(FAREWELL, idle.session.db.close()));
        futures::future::join_all(farewells).await;
    }
}

fn count(idle: usize) -> i64 {
    i64::try_from(idle).unwrap_or(i64::MAX)
}

/// A life of a connection: not all end together.
fn lifetime() -> Duration {
    let mut byte = [0];
    // Without chance it is the shortest.
    let _ = aws_lc_rs::rand::fill(&mut byte);
    LIFETIME.mul_f64(0.75 + f64::from(byte[0]) / 1024.0)
}
