//! Whether this replica writes, and until when.

use std::time::{Duration, Instant};

use tokio::sync::watch;

/// Until when this replica writes.
#[derive(Debug)]
pub struct Leader(watch::Sender<Option<Instant>>);

impl Leader {
    /// Where there is a Lease no replica writes before it is held; otherwise this replica always does.
    pub fn new(leased: bool) -> Self {
        let always = || Instant::now() + Duration::from_secs(u32::MAX.into());
        Self(watch::Sender::new((!leased).then(always)))
    }

    /// Whether this replica writes.
    pub fn is_ours(&self) -> bool {
        self.0.borrow().is_some_and(|until| Instant::now() < until)
    }

    /// Tells when it begins or ends to write.
    pub fn subscribe(&self) -> watch::Receiver<Option<Instant>> {
        self.0.subscribe()
    }

    /// Sets until when this replica writes. Returns whether this is a beginning or an end. It is a beginning as well when a tenure ran out and no event said
    /// so: passes were left in between.
    pub fn set(&self, until: Option<Instant>) -> bool {
        self.0.send_if_modified(|known| {
            let turns = match until {
                Some(_) => known.is_none_or(|known| known <= Instant::now()),
                None => known.is_some(),
            };
            *known = until;
            turns
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn f26_who_renews_too_late_begins_anew() {
        let lead = Leader::new(true);
        let (long, short) = (Instant::now() + Duration::from_secs(10), Instant::now());
        assert!(lead.set(Some(long)), "it begins");
        assert!(!lead.set(Some(long)), "it is renewed in time");
        lead.set(Some(short));
        assert!(!lead.is_ours(), "passes are left");
        assert!(
            lead.set(Some(long)),
            "who left them is asked for them again"
        );
        assert!(lead.set(None) && !lead.set(None), "it ends once");
    }
}
