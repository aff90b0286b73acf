//! `/login`: a person proves who they are, for an authorization request or to see their account.

use axum::http::header::{RETRY_AFTER, SET_COOKIE};
use axum::response::Response;
use zeroize::Zeroizing;

use super::authorization::Progress;
use super::error_page::Stop;
use super::request::Visit;
use super::{audit_events, login_transaction, redirect, same_origin, sessions};
use crate::browser::password_login::{Attempt, Tried};
use crate::pages::{self, SignIn, SignInProblem};
use clientele_oauth::client::redirect_uri::returns_to;
use clientele_oauth::endpoints::authorize::Asked;
use clientele_oauth::endpoints::parameters::Parameters;
use clientele_oauth::grant::login_transaction::{Transaction, Waiting};
use clientele_oauth::{Client, Person};
use clientele_telemetry::audit::AuditEvent;

/// A longer name is nobody's; the page does not give it back.
const MAX_USERNAME: usize = 256;

/// Answers `GET` with the page and `POST` with what follows.
pub(super) async fn respond(visit: &Visit<'_>) -> Result<Response, Stop> {
    if visit.is_post() {
        same_origin::check(&visit.headers, &visit.tenant.issuer)?;
    }
    let parameters = visit.parameters()?;
    let transaction = login_transaction::open(visit, &parameters)?;
    if matches!(transaction.waiting, Waiting::SignOut { .. }) {
        return Err(Stop::form());
    }
    let login = Login {
        visit,
        asked: login_transaction::asked(visit, &transaction)?,
        transaction,
    };
    if visit.is_post() {
        login.attempt(&parameters).await
    } else {
        login.page(login.hint(), None)
    }
}

struct Login<'a> {
    visit: &'a Visit<'a>,
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

    fn page(&self, username: &str, problem: Option<SignInProblem>) -> Result<Response, Stop> {
        let transaction = login_transaction::seal(self.visit, &self.transaction)?;
        let asked = self.asked.as_ref();
        let view = SignIn {
            client: self.client().map(|client| &*client.display_name),
            returns_to: asked.map(|asked| returns_to(&asked.destination.redirect_uri)),
            transaction: &transaction,
            username,
            problem,
        };
        Ok(pages::sign_in(&self.visit.frame(), &view))
    }

    async fn attempt(self, parameters: &Parameters) -> Result<Response, Stop> {
        let (username, password) = credentials(parameters)?;
        let visit = self.visit;
        let person = visit.tenant.people.by_username(username);
        let attempt = Attempt {
            tenant: &visit.tenant,
            person: person.map(|person| &**person),
            address: visit.address,
            now: visit.now,
            username,
            password,
        };
        let tried = visit.app.logins.attempt(attempt).await;
        match (tried, person) {
            (Tried::Right, Some(person)) => self.go_on(person).await,
            (Tried::Full, _) => Err(Stop::busy()),
            (Tried::Wait(wait), person) => {
                self.failed(person.map(|p| &**p), "too many failures");
                let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
                let mut page = self.page(username, Some(SignInProblem::Wait { seconds }))?;
                page.headers_mut().insert(RETRY_AFTER, seconds.into());
                Ok(page)
            }
            (_, person) => {
                self.failed(
                    person.map(|p| &**p),
                    "wrong password, or nobody who can sign in",
                );
                self.page(username, Some(SignInProblem::Wrong))
            }
        }
    }

    fn failed(&self, person: Option<&Person>, reason: &'static str) {
        audit_events::sign_in_failed(self.visit, self.client(), person, reason);
    }

    /// The person is who they say. Where they go is answered by a redirect, so that no reload posts a password again.
    async fn go_on(mut self, person: &std::sync::Arc<Person>) -> Result<Response, Stop> {
        let visit = self.visit;
        let (current, cookie) = sessions::begin(visit, person).await?;
        let client = self.client().map(|client| &*client.id);
        audit_events::done(visit, AuditEvent::SignIn, client, person);
        self.transaction.shown_to = Some(current.mark(true));
        let went = match &self.asked {
            None => Ok(redirect::see_other(&visit.url("/account"))),
            Some(asked) => {
                match Progress::of(visit, asked, self.transaction, Some(&current)).await? {
                    Ok(progress) => progress.go_on(false).await,
                    Err(answered) => Ok(answered),
                }
            }
        };
        let mut response = went.unwrap_or_else(|stop| stop.into_page(&visit.tenant));
        response.headers_mut().append(SET_COOKIE, cookie);
        Ok(response)
    }
}

/// What was typed. A field that cannot be read is a form that is not ours; an empty one is a wrong password.
fn credentials(parameters: &Parameters) -> Result<(&str, Zeroizing<String>), Stop> {
    let field = |name| parameters.one(name).map_err(|_| Stop::form());
    let username = field("username")?.unwrap_or_default();
    let username = if username.len() > MAX_USERNAME {
        ""
    } else {
        username
    };
    let password = field("password")?.unwrap_or_default();
    Ok((username, Zeroizing::new(password.to_owned())))
}
