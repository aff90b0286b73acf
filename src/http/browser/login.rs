//! `/login`: a person proves who they are, for an authorization request or to see their account.

use axum::http::header::{RETRY_AFTER, SET_COOKIE};
use axum::response::Response;
use zeroize::Zeroizing;

use super::authorization::PendingAuthorization;
use super::error_page::ErrorPage;
use super::request::BrowserRequest;
use super::{
    audit_events, known_browser, login_transaction, password_upgrade, redirect, same_origin,
    sessions, sign_in_page,
};
use crate::browser::password_login::{PasswordAttempt, Tried};
use crate::pages::SignInProblem;
use crate::server::overload::Reason;
use clientele_oauth::endpoints::authorize::Asked;
use clientele_oauth::endpoints::parameters::Parameters;
use clientele_oauth::grant::login_transaction::{Transaction, Waiting};
use clientele_oauth::user::password;
use clientele_oauth::{Client, User};
use clientele_telemetry::audit::AuditEvent;
use clientele_telemetry::fair_queue::Full;

/// No person has a longer name; the page does not give it back.
const MAX_USERNAME: usize = 256;

/// Answers `GET` with the page and `POST` with what follows.
pub(super) async fn respond(browser_request: &BrowserRequest<'_>) -> Result<Response, ErrorPage> {
    if browser_request.is_post() {
        same_origin::check(&browser_request.headers, &browser_request.tenant.issuer)?;
    }
    let parameters = browser_request.parameters()?;
    let transaction = login_transaction::open(browser_request, &parameters)?;
    if matches!(transaction.waiting, Waiting::SignOut { .. }) {
        return Err(ErrorPage::form());
    }
    let login = Login {
        browser_request,
        asked: login_transaction::asked(browser_request, &transaction)?,
        transaction,
    };
    if browser_request.is_post() {
        login.attempt(&parameters).await
    } else {
        login.page(login.hint(), None)
    }
}

struct Login<'a> {
    browser_request: &'a BrowserRequest<'a>,
    asked: Option<Asked>,
    transaction: Transaction,
}

impl Login<'_> {
    fn client(&self) -> Option<&Client> {
        let asked = self.asked.as_ref();
        asked.map(|asked| &*asked.destination.client)
    }

    fn hint(&self) -> &str {
        let request = self
            .asked
            .as_ref()
            .and_then(|asked| asked.request.as_ref().ok());
        let hint = request.and_then(|request| request.login_hint.as_deref());
        hint.unwrap_or_default()
    }

    fn page(&self, username: &str, problem: Option<SignInProblem>) -> Result<Response, ErrorPage> {
        let destination = self.asked.as_ref().map(|asked| &asked.destination);
        sign_in_page::show(
            self.browser_request,
            destination,
            &self.transaction,
            username,
            problem,
        )
    }

    async fn attempt(self, parameters: &Parameters) -> Result<Response, ErrorPage> {
        let (username, password) = credentials(parameters)?;
        let browser_request = self.browser_request;
        let tenant = &browser_request.tenant;
        let user = tenant
            .users
            .by_sign_in_name(username, tenant.signs_in_by_email);
        let hash = password_upgrade::hash_of(browser_request, user.map(|user| &**user)).await;
        let old = hash.as_ref().filter(|hash| !password::is_own(hash));
        let to_upgrade = old.map(|_| password.clone());
        let attempt = PasswordAttempt {
            tenant: &browser_request.tenant,
            user: user.map(|user| &**user),
            address: browser_request.address,
            browser: known_browser::of(browser_request, user.map(|user| &**user)),
            now: browser_request.now,
            username,
            hash,
            password,
        };
        let tried = browser_request
            .app
            .password_authenticator
            .attempt(&browser_request.app.store, attempt)
            .await;
        if let (Tried::Right, Some(user), Some(password)) = (tried, user, to_upgrade) {
            password_upgrade::upgrade(browser_request, user, password).await;
        }
        match (tried, user) {
            (Tried::Right, Some(user)) => {
                let stays = parameters.one("stay") == Ok(Some("1"));
                self.go_on(user, stays).await
            }
            (Tried::Full(full), _) => Err(self.refused_for_lack_of_room(full)),
            (Tried::Wait(wait), user) => {
                self.failed(user.map(|p| &**p), "too many failures");
                let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
                let mut page = self.page(username, Some(SignInProblem::Wait { seconds }))?;
                page.headers_mut().insert(RETRY_AFTER, seconds.into());
                Ok(page)
            }
            // The password or the person may be new.
            _ if (browser_request.app.is_behind)() => Err(ErrorPage::unavailable()),
            (_, user) => {
                self.failed(
                    user.map(|p| &**p),
                    "wrong password, or no person who can sign in",
                );
                self.page(username, Some(SignInProblem::Wrong))
            }
        }
    }

    fn refused_for_lack_of_room(&self, full: Full) -> ErrorPage {
        let (reason, page) = match full {
            Full::All => (Reason::SignIns, ErrorPage::busy()),
            Full::One => (Reason::SignInsOfOne, ErrorPage::busy_here()),
        };
        self.browser_request.app.metrics.overload.count(reason);
        page
    }

    fn failed(&self, user: Option<&User>, reason: &'static str) {
        audit_events::sign_in_failed(self.browser_request, self.client(), user, reason);
    }

    /// The person is who they say. They are sent on by a 303, so that no reload posts a password again, and no client gets it
    /// (RFC 9700 §4.12).
    async fn go_on(
        mut self,
        user: &std::sync::Arc<User>,
        stays: bool,
    ) -> Result<Response, ErrorPage> {
        let browser_request = self.browser_request;
        if !sessions::owns_subject(browser_request, user).await? {
            self.failed(Some(&**user), "the subject belonged to another OAuthUser");
            return Err(ErrorPage::subject_taken());
        }
        let (current, cookie) = sessions::begin(browser_request, user, stays).await?;
        let client = self.client().map(|client| &*client.id);
        audit_events::done(browser_request, AuditEvent::SignIn, client, user);
        self.transaction.shown_to = Some(current.mark(true));
        let went = match &self.asked {
            None => Ok(redirect::see_other(&browser_request.url("/account"))),
            Some(asked) => {
                match PendingAuthorization::of(
                    browser_request,
                    asked,
                    self.transaction,
                    Some(&current),
                )
                .await?
                {
                    Ok(pending) => pending.go_on(false).await,
                    Err(answered) => Ok(answered),
                }
            }
        };
        let mut response =
            went.unwrap_or_else(|error_page| browser_request.refuse(error_page, Some(user)));
        response.headers_mut().append(SET_COOKIE, cookie);
        let known = known_browser::remember(browser_request, user)?;
        response
            .headers_mut()
            .extend(known.map(|known| (SET_COOKIE, known)));
        Ok(response)
    }
}

/// What was typed. A field that cannot be read is a form that is not ours; an empty one is a wrong password.
fn credentials(parameters: &Parameters) -> Result<(&str, Zeroizing<String>), ErrorPage> {
    let field = |name| parameters.one(name).map_err(|_| ErrorPage::form());
    let username = field("username")?.unwrap_or_default();
    let username = if username.len() > MAX_USERNAME {
        ""
    } else {
        username
    };
    let password = field("password")?.unwrap_or_default();
    Ok((username, Zeroizing::new(password.to_owned())))
}
