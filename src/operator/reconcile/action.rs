//! What follows a reconcile if nothing changes.

use std::time::Duration;

/// When an object is reconciled again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Action {
    /// None: when something changes.
    after: Option<Duration>,
}

impl Action {
    /// When something changes, and after this time even if nothing does.
    pub fn requeue(after: Duration) -> Self {
        Self { after: Some(after) }
    }

    /// When something changes.
    pub fn await_change() -> Self {
        Self { after: None }
    }

    /// The time after which it is reconciled even if nothing changes.
    pub fn after(self) -> Option<Duration> {
        self.after
    }
}
