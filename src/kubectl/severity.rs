//! How bad a reason is, for lists in which the worst comes first.

use crate::remedies::{Actor, remedy};

/// The worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Every tenant is concerned.
    Installation,
    /// Everything of a tenant is concerned.
    Tenant,
    /// The platform team must act.
    Platform,
    /// The author of the object must act, or the reason is not known here.
    Team,
    /// It passes by itself.
    Wait,
}

/// How bad a reason is.
pub fn severity(reason: &str) -> Severity {
    match (reason, remedy(reason).map(|found| found.act)) {
        ("RootKeyUnavailable", _) => Severity::Installation,
        ("SigningKeysUnavailable" | "TenantNotReady", _) => Severity::Tenant,
        (_, Some(Actor::Platform)) => Severity::Platform,
        (_, Some(Actor::Wait | Actor::Nothing)) => Severity::Wait,
        (_, Some(Actor::Team) | None) => Severity::Team,
    }
}
