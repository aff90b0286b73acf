//! The mark of a form that a page of ours sends on behalf of another site.

/// The name of the field. A request that has it is not sent once more.
pub(super) const SENT_BY_US: &str = "sent_by_us";
