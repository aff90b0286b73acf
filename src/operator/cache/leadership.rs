//! Whether this replica writes, and until when.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;
use tokio::sync::watch;

/// Until when this replica writes, and who else does.
#[derive(Debug)]
pub struct Leader {
    until: watch::Sender<Option<Instant>>,
    /// Whether it has ever held the Lease.
    has_held: AtomicBool,
    /// Who holds the Lease, if another process does.
    rival: ArcSwapOption<String>,
}

impl Leader {
    /// Where there is a Lease no replica writes before it is held; otherwise this replica always does.
    pub fn new(leased: bool) -> Self {
        let always = || Instant::now() + Duration::from_secs(u32::MAX.into());
        Self {
            until: watch::Sender::new((!leased).then(always)),
            has_held: AtomicBool::new(!leased),
            rival: ArcSwapOption::default(),
        }
    }

    /// Whether it has ever held the Lease.
    pub fn has_held(&self) -> bool {
        self.has_held.load(Relaxed)
    }

    /// Who holds the Lease, if another process does.
    pub fn rival(&self) -> Option<Arc<String>> {
        self.rival.load_full()
    }

    /// Takes in who else holds the Lease.
    pub fn set_rival(&self, holder: Option<&str>) {
        self.rival
            .store(holder.map(|holder| Arc::new(holder.to_owned())));
    }

    /// Whether this replica writes.
    pub fn is_ours(&self) -> bool {
        self.until
            .borrow()
            .is_some_and(|until| Instant::now() < until)
    }

    /// Tells when it begins or ends to write.
    pub fn subscribe(&self) -> watch::Receiver<Option<Instant>> {
        self.until.subscribe()
    }

    /// Sets until when this replica writes. Returns whether this is a beginning or an end. It is a beginning as well when a tenure ran out and no event said
    /// so: passes were left in between.
    pub fn set(&self, until: Option<Instant>) -> bool {
        if until.is_some() {
            self.has_held.store(true, Relaxed);
            self.set_rival(None);
        }
        self.until.send_if_modified(|known| {
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
