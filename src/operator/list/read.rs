//! The body of an answer, read within bounds of time.

use std::pin::Pin;
use std::time::Duration;

use futures::{AsyncBufRead, AsyncBufReadExt};
use kube::api::{ListParams, WatchParams};
use tokio::time::{Instant, timeout, timeout_at};

use super::cutter::Malformed;

/// Why a list or a watch could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The API server refused, or could not be reached.
    #[error("{0}")]
    Api(#[source] kube::Error),
    /// The answer did not begin.
    #[error("the API server did not begin to answer within {0:?}")]
    NoAnswer(Duration),
    /// The answer began and stopped.
    #[error("the answer of the API server stopped: nothing came for {0:?}")]
    Stalled(Duration),
    /// The answer came too slowly.
    #[error("the answer of the API server did not end within {0:?}")]
    Endless(Duration),
    /// The connection ended first.
    #[error("the connection to the API server was cut: {0}")]
    Cut(#[source] std::io::Error),
    /// The answer is not what was asked for.
    #[error("the answer of the API server is not what was asked for: {0}")]
    Malformed(#[from] Malformed),
    /// A list or an object without a version cannot be watched from there.
    #[error("the answer of the API server has no metadata.resourceVersion")]
    NoVersion,
    /// An error within a watch.
    #[error("the API server ended the watch: {0}")]
    Ended(#[source] Box<kube::core::Status>),
    /// A watch that ends at once would be started all the time.
    #[error("the API server ended the watch as soon as it began")]
    TooShort,
}

impl ReadError {
    fn status(&self) -> Option<&kube::core::Status> {
        match self {
            Self::Api(kube::Error::Api(status)) | Self::Ended(status) => Some(status),
            _ => None,
        }
    }

    /// Whether what was asked for has expired (410): it is read again from the beginning, and nothing is wrong.
    pub fn is_gone(&self) -> bool {
        self.status().is_some_and(|status| status.code == 410)
    }

    /// Whether a right is missing.
    pub fn is_forbidden(&self) -> bool {
        self.status().is_some_and(kube::core::Status::is_forbidden)
    }

    /// How long the API server wants to be left alone.
    pub fn retry_after(&self) -> Option<Duration> {
        let details = self.status()?.details.as_ref()?;
        let seconds = u64::from(details.retry_after_seconds);
        (seconds > 0).then(|| Duration::from_secs(seconds))
    }
}

/// What the API server is asked for.
#[derive(Clone, Copy, Debug)]
pub enum Question<'a> {
    /// A page of a list.
    Page(&'a ListParams),
    /// What happens from a version on.
    Watch(&'a WatchParams, &'a str),
}

/// An answer that is being read.
pub struct Body {
    stream: Pin<Box<dyn AsyncBufRead + Send>>,
    /// How long nothing may come.
    silence: Duration,
    /// When all of it must have come, and how long that is after its beginning.
    end: Option<(Instant, Duration)>,
}

impl Body {
    /// Asks, and waits until the answer begins: at most the first time for that, and at most the second for each part of it.
    pub async fn open(
        kube: &kube::Client,
        path: &str,
        question: Question<'_>,
        (answer, silence): (Duration, Duration),
    ) -> Result<Self, ReadError> {
        let request = kube::core::Request::new(path);
        let request = match question {
            Question::Page(params) => request.list(params),
            Question::Watch(params, version) => request.watch(params, version),
        };
        let build = |error| ReadError::Api(kube::Error::BuildRequest(error));
        let mut request = request.map_err(build)?;
        // What is compressed comes when its block is full, and not when it happens.
        let identity = "identity".parse().expect("a word is a value of a header");
        request.headers_mut().insert("accept-encoding", identity);
        let opened = timeout(answer, kube.request_stream(request)).await;
        let stream = opened.map_err(|_| ReadError::NoAnswer(answer))?;
        Ok(Self {
            stream: Box::pin(stream.map_err(ReadError::Api)?),
            silence,
            end: None,
        })
    }

    /// The same, which must end within a time.
    #[must_use]
    pub fn ending_within(mut self, longest: Duration) -> Self {
        self.end = Some((Instant::now() + longest, longest));
        self
    }

    /// What has come and was not taken; empty at the end.
    pub async fn bytes(&mut self) -> Result<&[u8], ReadError> {
        let silent = Instant::now() + self.silence;
        let (until, error) = match self.end {
            Some((end, longest)) if end < silent => (end, ReadError::Endless(longest)),
            _ => (silent, ReadError::Stalled(self.silence)),
        };
        match timeout_at(until, self.stream.fill_buf()).await {
            Ok(bytes) => bytes.map_err(ReadError::Cut),
            Err(_) => Err(error),
        }
    }

    /// Takes this number of them.
    pub fn take(&mut self, count: usize) {
        self.stream.as_mut().consume(count);
    }
}
