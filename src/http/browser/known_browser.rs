//! The browsers in which a person has signed in before, by a cookie for each person.

use axum::http::HeaderValue;

use super::cookies;
use super::error_page::ErrorPage;
use super::request::BrowserRequest;
use clientele_oauth::User;
use clientele_oauth::user::known_browser::{KnownBrowser, mark, read};

/// The browser, if this person has signed in with it.
pub(super) fn of(
    browser_request: &BrowserRequest<'_>,
    user: Option<&User>,
) -> Option<KnownBrowser> {
    let (tenant, user) = (&browser_request.tenant, user?);
    let value = cookies::known_browser(&browser_request.headers, tenant, user)?;
    let whose = [&*tenant.uid, &*user.uid];
    read(&browser_request.keyring, whose, &value, browser_request.now)
}

/// Makes the browser known to the person who has just signed in, unless it is already.
pub(super) fn remember(
    browser_request: &BrowserRequest<'_>,
    user: &User,
) -> Result<Option<HeaderValue>, ErrorPage> {
    if of(browser_request, Some(user)).is_some_and(|known| !known.is_old) {
        return Ok(None);
    }
    let (tenant, now) = (&browser_request.tenant, browser_request.now);
    let whose = [&*tenant.uid, &*user.uid];
    let mark = mark(
        &browser_request.keyring,
        whose,
        browser_request.random()?,
        now,
    );
    let mark = mark.ok_or_else(ErrorPage::failed)?;
    Ok(Some(cookies::set_known_browser(tenant, user, &mark)))
}
