//! What became of the requests of a drill: how many failed, in which way, and for how long.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::time::Duration;

/// How a request failed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Failure {
    /// There was no listener.
    Refused,
    /// No connection, or no answer, within the time that a client waits.
    TimedOut,
    /// A connection that broke, or ended before the answer.
    Broken,
    /// No route leads there: a Service without endpoints rejects.
    Unreachable,
    /// The handshake failed, for this reason.
    Handshake(String),
    /// An answer with this status.
    Status(u16),
    /// A session that the server does not know, in the words of its answer.
    Lost(String),
    /// An answer that is none.
    Nonsense,
}

impl Failure {
    /// How an error of the connection is counted.
    pub fn of(error: &std::io::Error) -> Self {
        match error.kind() {
            ErrorKind::ConnectionRefused => Self::Refused,
            ErrorKind::TimedOut => Self::TimedOut,
            ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => Self::Unreachable,
            ErrorKind::InvalidData => Self::Handshake(error.to_string()),
            _ => Self::Broken,
        }
    }

    /// How an answer is counted that should begin with this status.
    pub fn of_answer(answer: &[u8], wanted: u16) -> Result<(), Self> {
        let status = answer
            .strip_prefix(b"HTTP/1.1 ")
            .and_then(|rest| std::str::from_utf8(rest.get(..3)?).ok())
            .and_then(|code| code.parse().ok());
        match status {
            None if answer.is_empty() => Err(Self::Broken),
            None => Err(Self::Nonsense),
            Some(code) if code == wanted => Ok(()),
            Some(code) => Err(Self::Status(code)),
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Refused => "refused".into(),
            Self::TimedOut => "timed out".into(),
            Self::Broken => "broken".into(),
            Self::Unreachable => "unreachable".into(),
            Self::Handshake(why) => format!("handshake ({why})"),
            Self::Status(code) => format!("status {code}"),
            Self::Lost(answer) => format!("without a session ({answer})"),
            Self::Nonsense => "nonsense".into(),
        }
    }
}

/// The requests of a drill.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// How many there were, by what they asked for.
    pub asked: BTreeMap<&'static str, usize>,
    failed: BTreeMap<(&'static str, Failure), usize>,
    /// The same, by tenths of a second.
    times: BTreeMap<(u128, &'static str, Failure), usize>,
    span: Option<(Duration, Duration)>,
}

impl Tally {
    /// A request that began at this time of the drill.
    pub fn record(&mut self, what: &'static str, began: Duration, outcome: Result<(), Failure>) {
        *self.asked.entry(what).or_default() += 1;
        if let Err(failure) = outcome {
            let tenth = began.as_millis() / 100;
            *self
                .times
                .entry((tenth, what, failure.clone()))
                .or_default() += 1;
            *self.failed.entry((what, failure)).or_default() += 1;
            let (first, last) = self.span.unwrap_or((began, began));
            self.span = Some((first.min(began), last.max(began)));
        }
    }

    /// How many failed.
    pub fn failed(&self) -> usize {
        self.failed.values().sum()
    }

    /// From the first request that failed until the last.
    pub fn failing_for(&self) -> Duration {
        self.span
            .map_or(Duration::ZERO, |(first, last)| last.saturating_sub(first))
    }

    /// When they failed, a line for each tenth of a second: `12.3 s: token refused 2`.
    pub fn timeline(&self) -> String {
        let line = |((tenth, what, failure), count): (&(u128, &str, Failure), &usize)| {
            let (seconds, tenth) = (tenth / 10, tenth % 10);
            format!("{seconds}.{tenth} s: {what} {} {count}\n", failure.text())
        };
        self.times.iter().map(line).collect()
    }

    /// In words: `3 of 900 failed within 1.2 s: token refused 2, keys timed out 1`.
    pub fn text(&self) -> String {
        let asked: usize = self.asked.values().sum();
        if self.failed() == 0 {
            return format!("0 of {asked} failed");
        }
        let kinds: Vec<String> = self
            .failed
            .iter()
            .map(|((what, failure), count)| format!("{what} {} {count}", failure.text()))
            .collect();
        format!(
            "{} of {asked} failed within {:.1} s: {}",
            self.failed(),
            self.failing_for().as_secs_f64(),
            kinds.join(", ")
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_counted_by_kind_and_by_time() {
        let mut tally = Tally::default();
        let seconds = Duration::from_secs;
        assert_eq!(tally.text(), "0 of 0 failed");
        tally.record("token", seconds(1), Ok(()));
        tally.record("keys", seconds(5), Err(Failure::TimedOut));
        tally.record("token", seconds(3), Err(Failure::Refused));
        tally.record("token", seconds(4), Err(Failure::Refused));
        assert_eq!(tally.failing_for(), seconds(2));
        assert_eq!(
            tally.text(),
            "3 of 4 failed within 2.0 s: keys timed out 1, token refused 2"
        );
        assert_eq!(
            tally.timeline(),
            "3.0 s: token refused 1\n4.0 s: token refused 1\n5.0 s: keys timed out 1\n"
        );
    }

    #[test]
    fn an_answer_is_judged_by_its_status() {
        let judge = |answer: &str| Failure::of_answer(answer.as_bytes(), 200);
        assert_eq!(judge("HTTP/1.1 200 OK\r\n"), Ok(()));
        assert_eq!(judge("HTTP/1.1 503 \r\n"), Err(Failure::Status(503)));
        assert_eq!(judge(""), Err(Failure::Broken));
        assert_eq!(judge("SSH-2.0"), Err(Failure::Nonsense));
        assert_eq!(judge("HTTP/1.1 2"), Err(Failure::Nonsense));
    }
}
