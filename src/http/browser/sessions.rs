//! Who is signed in in this browser.

use std::sync::Arc;

use axum::http::HeaderValue;
use jiff::Timestamp;

use super::cookies;
use super::error_page::ErrorPage;
use super::request::BrowserRequest;
use clientele_oauth::User;
use clientele_oauth::digest::digest_of;
use clientele_oauth::endpoints::authorize::interaction::SignedIn;
use clientele_oauth::grant::Session;
use clientele_oauth::grant::login_transaction::{FRESH, ShownTo, Transaction};
use clientele_oauth::grant::session;
use clientele_oauth::user::subject;
use clientele_store::SubjectClaim;

/// A signed-in person.
pub(super) struct Current {
    pub user: Arc<User>,
    pub session: Session,
}

impl Current {
    /// The name that people see.
    pub fn name(&self) -> &str {
        let name = self.user.claims.get("name").and_then(|name| name.as_str());
        name.unwrap_or(&self.user.username)
    }

    /// The person as an authorization request meets them.
    pub fn signed_in(&self, transaction: &Transaction, now: Timestamp) -> SignedIn<'_> {
        let shown_to = transaction.shown_to.as_ref();
        let for_it = shown_to.is_some_and(|shown| shown.signed_in_for_it && self.saw(transaction));
        let age = now.duration_since(self.session.auth_time);
        SignedIn {
            user: &self.user,
            session: &self.session,
            // A page that was left open does not make an old sign-in a new one.
            for_this: for_it && age.unsigned_abs() < FRESH,
        }
    }

    /// Whether the transaction was shown in this session.
    pub fn saw(&self, transaction: &Transaction) -> bool {
        let shown_to = transaction.shown_to.as_ref();
        shown_to.is_some_and(|shown| shown.sid == self.session.sid)
    }

    /// The mark of a transaction that is shown in this session.
    pub fn mark(&self, signed_in_for_it: bool) -> ShownTo {
        ShownTo {
            sid: self.session.sid.clone(),
            signed_in_for_it,
        }
    }
}

/// Whether the subject of a person who signs in belongs to this registration. A derived one cannot belong to another; of a
/// brought one the store remembers who signed in under it.
pub(super) async fn owns_subject(
    browser_request: &BrowserRequest<'_>,
    user: &User,
) -> Result<bool, ErrorPage> {
    if subject::is_derived(&user.subject) {
        return Ok(true);
    }
    let (tenant, now) = (&browser_request.tenant, browser_request.now);
    let is_reassigned = tenant.reassigned_subjects.contains(&user.subject);
    let free_before = if is_reassigned {
        Timestamp::MAX
    } else {
        now.checked_sub(subject::QUARANTINE)
            .unwrap_or(Timestamp::MIN)
    };
    let claim = SubjectClaim {
        tenant_uid: tenant.uid.to_string(),
        subject: user.subject.to_string(),
        user_uid: user.uid.to_string(),
        now,
        free_before,
    };
    let owned = browser_request.app.store.claim_subject(claim).await?;
    if !owned {
        tracing::warn!(
            tenant = %tenant.name,
            subject = %user.subject,
            "sign-in refused: another OAuthUser signed in with this subject in the last 400 days; if it is the same person, add the subject to spec.users.reassignedSubjects of the OAuthTenant"
        );
    }
    Ok(owned)
}

/// The signed-in person, in a valid session.
pub(super) async fn current(
    browser_request: &BrowserRequest<'_>,
) -> Result<Option<Current>, ErrorPage> {
    let tenant = &browser_request.tenant;
    let Some(cookie) = cookies::session(&browser_request.headers, tenant) else {
        return Ok(None);
    };
    let (store, digest) = (&browser_request.app.store, digest_of(&cookie));
    let Some(session) = store.session(&tenant.uid, &digest).await? else {
        return Ok(None);
    };
    let users = &tenant.users;
    let Some(user) = users.by_subject(&session.subject, &session.user_uid) else {
        return Ok(None);
    };
    if !session::stands(&session, user, tenant.session, browser_request.now) {
        return Ok(None);
    }
    if session::is_to_be_touched(&session, browser_request.now) {
        let touched = store.touch_session(&tenant.uid, &digest, browser_request.now);
        touched.await?;
    }
    Ok(Some(Current {
        user: user.clone(),
        session,
    }))
}

/// Signs a person in, and returns the cookie. Another person's session ends; the same person goes on in
/// the same session under a new value, so that signing out later ends what was allowed before as well.
pub(super) async fn begin(
    browser_request: &BrowserRequest<'_>,
    user: &Arc<User>,
    wants_to_stay: bool,
) -> Result<(Current, HeaderValue), ErrorPage> {
    let tenant = &browser_request.tenant;
    let stays = wants_to_stay && tenant.session.persistent;
    let stays = stays.then_some(tenant.session.absolute);
    let uid = &*tenant.uid;
    let random = browser_request.random()?;
    let mut begun = session::begin(uid, user, tenant.session, &random, browser_request.now);
    let earlier = current(browser_request)
        .await?
        .map(|earlier| earlier.session);
    let store = &browser_request.app.store;
    match earlier {
        Some(earlier) if earlier.subject == begun.kept.subject => {
            begun.kept.sid = earlier.sid;
            store.renew_session(&begun.kept).await?;
        }
        Some(earlier) => {
            store.begin_session(&begun.kept).await?;
            store
                .end_session(uid, &earlier.sid, browser_request.now)
                .await?;
        }
        None => store.begin_session(&begun.kept).await?,
    }
    let cookie = cookies::set_session(tenant, &begun.value, stays);
    let (user, session) = (user.clone(), begun.kept);
    Ok((Current { user, session }, cookie))
}

/// Signs the person out here, and returns what removes the cookie.
pub(super) async fn end(
    browser_request: &BrowserRequest<'_>,
    current: &Current,
) -> Result<HeaderValue, ErrorPage> {
    let (tenant, sid) = (&browser_request.tenant, &current.session.sid);
    let store = &browser_request.app.store;
    store
        .end_session(&tenant.uid, sid, browser_request.now)
        .await?;
    Ok(cookies::clear_session(tenant))
}
