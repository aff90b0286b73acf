//! A client's server may end a session without its browser: by an ID token of that session, and a few times a minute.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::http::HeaderMap;
use axum::http::header::{ORIGIN, RETRY_AFTER};
use axum::response::Response;
use clientele_oauth::Client;
use clientele_oauth::endpoints::end_session::LogoutRequest;
use clientele_oauth::grant::Session;
use clientele_oauth::user::login_throttle::{Rate, Throttle, key};
use clientele_telemetry::audit::{AuditEvent, AuditRecord};
use jiff::Timestamp;

use super::error_page::ErrorPage;
use super::request::BrowserRequest;
use crate::pages::{self, SignedOut};

/// Ten a minute for a client.
const RATE: Rate = Rate {
    burst: 10,
    every: Duration::from_secs(6),
};
/// As many clients are counted at once.
const CAPACITY: usize = 10_000;
const BY_SERVER: &str = "by a call of the client's server";

/// Counts the calls of each client's servers.
#[derive(Debug)]
pub struct ServerSignOutThrottle(Mutex<Throttle>);

impl Default for ServerSignOutThrottle {
    fn default() -> Self {
        Self(Mutex::new(Throttle::new(RATE, CAPACITY)))
    }
}

impl ServerSignOutThrottle {
    fn charge(&self, client: &Client, now: Timestamp) -> Result<(), Duration> {
        let mut throttle = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        throttle.charge(key(&[&client.uid]), now)
    }
}

/// Whether no browser sent the request: each says with it from where it comes (Fetch Metadata §2, RFC 6454 §7).
pub(super) fn is_of_a_server(headers: &HeaderMap) -> bool {
    let mut names = headers.keys();
    names.all(|name| *name != ORIGIN && !name.as_str().starts_with("sec-fetch-"))
}

/// Ends the session that the hint names, if it lives; none if there is nothing to end in this way.
pub(super) async fn end(
    browser_request: &BrowserRequest<'_>,
    request: &LogoutRequest,
) -> Result<Option<Response>, ErrorPage> {
    let (Some(client), Some(hint)) = (&request.client, &request.hint) else {
        return Ok(None);
    };
    let (app, tenant) = (browser_request.app, &browser_request.tenant);
    let Some(sid) = &hint.sid else {
        return Ok(None);
    };
    if let Err(wait) = app
        .server_sign_out_throttle
        .charge(client, browser_request.now)
    {
        let page = ErrorPage::too_many().of(client);
        let mut response = browser_request.refuse(page, None);
        let seconds = wait.as_millis().div_ceil(1000);
        if let Ok(seconds) = seconds.to_string().parse() {
            response.headers_mut().insert(RETRY_AFTER, seconds);
        }
        return Ok(Some(response));
    }
    let session = app.store.session_by_sid(&tenant.uid, sid).await?;
    let proved = |session: &Session| session.subject == hint.subject;
    let lives = |session: &Session| browser_request.now < session.expires_at;
    let Some(session) = session.filter(proved).filter(lives) else {
        return Ok(None);
    };
    let ended = app.store.end_session(&tenant.uid, sid, browser_request.now);
    ended.await?;
    let user = tenant.users.by_subject(&session.subject, &session.user_uid);
    let line = AuditRecord {
        tenant: Some(&tenant.name),
        client_id: Some(&client.id),
        username: user.map(|user| &*user.username),
        subject: Some(&session.subject),
        from: Some(browser_request.address),
        reason: Some(BY_SERVER),
        ..AuditRecord::default()
    };
    app.audit.record(AuditEvent::SignOut, &line);
    Ok(Some(pages::signed_out(
        &browser_request.chrome(),
        SignedOut::Done,
    )))
}
