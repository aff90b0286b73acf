//! Whether anything happens on a connection.
//!
//! The HTTP library times the head of a request, but neither a connection that never says anything nor
//! one that is idle by a rule of its own. So requests and reads are counted here, without a clock, and
//! one timer per connection looks at the counters.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::Version;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::Limits;

/// The counters of one connection.
#[derive(Debug, Default)]
pub struct Activity {
    begun: AtomicU32,
    in_flight: AtomicU32,
    reads: AtomicU32,
    http2: AtomicBool,
}

/// A request in flight, until it is dropped.
pub struct InFlight(Arc<Activity>);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.reads.store(0, Relaxed);
        self.0.in_flight.fetch_sub(1, Relaxed);
    }
}

impl Activity {
    /// A request begins.
    pub fn begin(self: &Arc<Self>, version: Version) -> InFlight {
        if version == Version::HTTP_2 {
            self.http2.store(true, Relaxed);
        }
        self.begun.fetch_add(1, Relaxed);
        self.in_flight.fetch_add(1, Relaxed);
        InFlight(self.clone())
    }

    /// Ends when the connection is not worth keeping: no first request within the timeout of a head, a
    /// later head that stays incomplete, or nothing for the idle timeout.
    pub async fn abandoned(&self, limits: Limits) {
        let (mut begun, mut half_read, mut idle) = (0, false, Duration::ZERO);
        loop {
            tokio::time::sleep(limits.header).await;
            let before = std::mem::replace(&mut begun, self.begun.load(Relaxed));
            if self.in_flight.load(Relaxed) > 0 || before != begun {
                (half_read, idle) = (false, Duration::ZERO);
                continue;
            }
            idle += limits.header;
            let was_half_read = std::mem::replace(&mut half_read, self.is_half_read());
            if begun == 0 || (half_read && was_half_read) || idle >= limits.idle {
                return;
            }
        }
    }

    /// Bytes came after the last answer, but no request. (HTTP/2 has frames that belong to none.)
    fn is_half_read(&self) -> bool {
        self.reads.load(Relaxed) > 0 && !self.http2.load(Relaxed)
    }
}

/// A stream whose reads are counted.
pub struct Watched<T> {
    pub stream: T,
    pub activity: Arc<Activity>,
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
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
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
