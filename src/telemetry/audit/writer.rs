//! The destination of the audit log: lines wait in one bounded buffer, and one thread writes them.
//!
//! A line counts as recorded once it is in the buffer. A request is answered after that, and never waits for the disk
//! while there is room.

use std::io::Write;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Duration;

use prometheus_client::metrics::counter::Counter;

/// Bytes that may wait.
pub const MAX_BUFFERED_BYTES: usize = 8 << 20;

/// From here on new requests are refused: the rest is for the lines of those that are being answered.
const REFUSE_FROM_BYTES: usize = MAX_BUFFERED_BYTES / 2;

/// How long the thread gathers lines before it writes them together. A crash of the process loses at most these.
const GATHER: Duration = Duration::from_millis(2);

/// How long after a failed write the thread tries again.
const RETRY: Duration = Duration::from_secs(1);

/// How long the end waits for the last lines.
const END: Duration = Duration::from_secs(5);

/// What happens when the destination does not take lines and the buffer is full.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WhenFull {
    /// No request is answered without its line.
    #[default]
    Refuse,
    /// Requests are answered, and lines are lost and counted.
    Drop,
}

/// Where lines go.
#[derive(Debug)]
pub struct AuditWriter {
    shared: Arc<SharedBuffer>,
    when_full: WhenFull,
    /// Lines that were lost.
    pub(super) lost: Counter,
}

#[derive(Debug, Default)]
struct SharedBuffer {
    buffer: Mutex<Buffer>,
    /// Lines came, or the end.
    work: Condvar,
    /// The thread took the lines, or wrote them.
    progress: Condvar,
    /// The length of the buffer, for those that only want to know whether there is room.
    bytes: AtomicUsize,
}

#[derive(Debug, Default)]
struct Buffer {
    lines: Vec<u8>,
    /// The thread waits for work.
    idle: bool,
    /// The thread writes what it took.
    writing: bool,
    closed: bool,
}

impl AuditWriter {
    /// Starts the thread.
    ///
    /// # Errors
    ///
    /// The operating system has no thread left.
    pub fn start(
        destination: impl Write + Send + 'static,
        when_full: WhenFull,
    ) -> std::io::Result<Self> {
        let shared = Arc::new(SharedBuffer::default());
        let writer = Thread {
            shared: shared.clone(),
            destination,
        };
        std::thread::Builder::new()
            .name("audit-log".into())
            .spawn(move || writer.run())?;
        Ok(Self {
            shared,
            when_full,
            lost: Counter::default(),
        })
    }

    /// Whether a request that would be recorded may be answered.
    pub fn has_room(&self) -> bool {
        self.when_full == WhenFull::Drop
            || self.shared.bytes.load(Ordering::Relaxed) < REFUSE_FROM_BYTES
    }

    /// Hands a line over. With [`WhenFull::Refuse`] it waits for room, which [`Self::has_room`] makes rare.
    pub(super) fn append(&self, line: &[u8]) {
        let mut buffer = self.shared.lock();
        while buffer.lines.len() + line.len() > MAX_BUFFERED_BYTES && !buffer.closed {
            if self.when_full == WhenFull::Drop {
                self.lost.inc();
                return;
            }
            buffer = wait(&self.shared.progress, buffer);
        }
        if buffer.closed {
            self.lost.inc();
            return;
        }
        buffer.lines.extend_from_slice(line);
        self.shared
            .bytes
            .store(buffer.lines.len(), Ordering::Relaxed);
        if std::mem::take(&mut buffer.idle) {
            self.shared.work.notify_one();
        }
    }

    /// Waits until every line that was handed over is written.
    pub fn flush(&self) {
        let mut buffer = self.shared.lock();
        while !buffer.closed && (buffer.writing || !buffer.lines.is_empty()) {
            buffer = wait(&self.shared.progress, buffer);
        }
    }

    /// Ends the thread after it has written what waits. A destination that fails gets one more try, and one that hangs
    /// is given up after five seconds.
    pub fn close(&self) {
        let mut buffer = self.shared.lock();
        buffer.closed = true;
        self.shared.work.notify_one();
        self.shared.progress.notify_all();
        let waited = self
            .shared
            .progress
            .wait_timeout_while(buffer, END, |buffer| {
                buffer.writing || !buffer.lines.is_empty()
            });
        if waited.expect("no holder of this lock panics").1.timed_out() {
            tracing::error!("stopped without having written the last lines of the audit log");
        }
    }
}

impl Drop for AuditWriter {
    fn drop(&mut self) {
        self.close();
    }
}

impl SharedBuffer {
    fn lock(&self) -> MutexGuard<'_, Buffer> {
        self.buffer.lock().expect("no holder of this lock panics")
    }

    /// Waits for the end, at most for this time.
    fn until_closed<'a>(
        &self,
        buffer: MutexGuard<'a, Buffer>,
        at_most: Duration,
    ) -> MutexGuard<'a, Buffer> {
        let waited = self
            .work
            .wait_timeout_while(buffer, at_most, |buffer| !buffer.closed);
        waited.expect("no holder of this lock panics").0
    }
}

fn wait<'a>(condition: &Condvar, buffer: MutexGuard<'a, Buffer>) -> MutexGuard<'a, Buffer> {
    condition
        .wait(buffer)
        .expect("no holder of this lock panics")
}

struct Thread<W> {
    shared: Arc<SharedBuffer>,
    destination: W,
}

impl<W: Write> Thread<W> {
    fn run(mut self) {
        let mut lines = Vec::new();
        while self.take(&mut lines) {
            self.write(&lines);
            lines.clear();
            self.shared.lock().writing = false;
            self.shared.progress.notify_all();
        }
    }

    /// Swaps the waiting lines for the empty buffer. False at the end.
    fn take(&self, empty: &mut Vec<u8>) -> bool {
        let mut buffer = self.shared.lock();
        while buffer.lines.is_empty() && !buffer.closed {
            buffer.idle = true;
            buffer = wait(&self.shared.work, buffer);
        }
        let mut buffer = self.shared.until_closed(buffer, GATHER);
        std::mem::swap(&mut buffer.lines, empty);
        self.shared.bytes.store(0, Ordering::Relaxed);
        buffer.writing = !empty.is_empty();
        buffer.writing
    }

    /// Writes all of it, and tries until it succeeds or the end has come.
    fn write(&mut self, mut lines: &[u8]) {
        let mut failing = false;
        while !lines.is_empty() {
            match self.destination.write(lines) {
                Ok(written) if written > 0 => lines = &lines[written..],
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                failed => {
                    if !std::mem::replace(&mut failing, true) {
                        let error = failed.map_or_else(
                            |error| error.to_string(),
                            |_| "no bytes are accepted".into(),
                        );
                        tracing::error!(%error, "cannot write the audit log, will retry every second; free space or correct --audit-log");
                    }
                    let buffer = self.shared.until_closed(self.shared.lock(), RETRY);
                    if buffer.closed {
                        tracing::error!(
                            bytes = lines.len(),
                            "stopped without having written the last lines of the audit log"
                        );
                        return;
                    }
                }
            }
        }
        if failing {
            tracing::info!("writing the audit log again");
        }
    }
}

#[cfg(test)]
mod tests;
