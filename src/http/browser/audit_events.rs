//! What people do, for the audit log: who signed in, who agreed to what, who left.

use super::refusals;
use super::request::BrowserRequest;
use clientele_oauth::{Client, User};
use clientele_telemetry::audit::{AuditEvent, AuditRecord};

/// No person has the name that was typed, and it is not written down.
const UNKNOWN: &str = "(unknown)";

/// A person acted, for a client or in the account page.
pub(super) fn done(
    browser_request: &BrowserRequest<'_>,
    act: AuditEvent,
    client_id: Option<&str>,
    user: &User,
) {
    let line = AuditRecord {
        tenant: Some(&browser_request.tenant.name),
        client_id,
        username: Some(&user.username),
        subject: Some(&user.subject),
        from: Some(browser_request.address),
        ..AuditRecord::default()
    };
    browser_request.app.audit.record(act, &line);
}

/// A sign-in failed. Of one address only a few a minute have a line of their own.
pub(super) fn sign_in_failed(
    browser_request: &BrowserRequest<'_>,
    client: Option<&Client>,
    user: Option<&User>,
    reason: &'static str,
) {
    let (app, event) = (browser_request.app, AuditEvent::SignInFailed);
    if !refusals::is_recorded(app, event, browser_request.address) {
        return;
    }
    let line = AuditRecord {
        tenant: Some(&browser_request.tenant.name),
        client_id: client.map(|client| &*client.id),
        username: Some(user.map_or(UNKNOWN, |user| &user.username)),
        subject: user.map(|user| &*user.subject),
        from: Some(browser_request.address),
        reason: Some(reason),
        ..AuditRecord::default()
    };
    app.audit.record(event, &line);
}
