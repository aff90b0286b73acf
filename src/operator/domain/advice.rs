//! What an object says that is accepted and has no effect, or not the one that was probably meant. The object works, so that a
//! stored one goes on working: its condition `Advisory` names the field and the remedy, and `kubectl apply` prints a warning
//! (admission policies `…-clients` and `…-tenants` of the chart).

use clientele_api::condition::{ADVISORY, Condition, warning};
use jiff::Timestamp;

use super::reason::Reason;

/// As many are named in a message.
const NAMED: usize = 10;

/// One such thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advice {
    /// The kind of it.
    pub reason: Reason,
    /// The field, what is the matter with it, and the remedy.
    pub message: String,
}

impl Advice {
    /// An advice about a field.
    pub fn new(reason: Reason, message: String) -> Self {
        Self { reason, message }
    }
}

/// The condition `Advisory` with the reason of the first; `None` if there is nothing to say.
pub fn advisory(
    found: &[Advice],
    previous: &[Condition],
    generation: Option<i64>,
    now: Timestamp,
) -> Option<Condition> {
    let reason = found.first()?.reason.as_str();
    let named = found.iter().take(NAMED).map(|advice| &*advice.message);
    let named = named.collect::<Vec<&str>>().join(". ");
    let message = match found.len().saturating_sub(NAMED) {
        0 => named,
        more => format!("{named}. And {more} more"),
    };
    Some(warning(
        previous, ADVISORY, reason, message, generation, now,
    ))
}
