//! An authorization request goes on: the core decides, and here the browser is sent to where that leads.

use axum::response::Response;

use super::error_page::ErrorPage;
use super::request::BrowserRequest;
use super::sessions::Current;
use super::{audit_events, login_transaction, redirect};
use clientele_oauth::endpoints::authorize::Asked;
use clientele_oauth::endpoints::authorize::interaction::{Decision, Situation, decide};
use clientele_oauth::endpoints::authorize::issue_code;
use clientele_oauth::endpoints::authorize::issue_code::Granted;
use clientele_oauth::endpoints::authorize::redirect_target::Destination;
use clientele_oauth::endpoints::authorize::request::AuthorizationRequest;
use clientele_oauth::endpoints::authorize::response::Answer;
use clientele_oauth::grant::Consent;
use clientele_oauth::grant::login_transaction::Transaction;
use clientele_telemetry::audit::AuditEvent;

/// Where an authorization request stands.
pub(super) struct PendingAuthorization<'a> {
    pub browser_request: &'a BrowserRequest<'a>,
    /// Where the answer goes.
    pub destination: &'a Destination,
    /// What is asked.
    pub request: &'a AuthorizationRequest,
    /// The transaction in which it waits.
    pub transaction: Transaction,
    /// Who is signed in.
    pub current: Option<&'a Current>,
    /// What that person agreed to earlier.
    pub consent: Option<Consent>,
}

impl<'a> PendingAuthorization<'a> {
    /// Looks up what the decision depends on; a request that is wrong is answered at once.
    pub async fn of(
        browser_request: &'a BrowserRequest<'a>,
        asked: &'a Asked,
        transaction: Transaction,
        current: Option<&'a Current>,
    ) -> Result<Result<Self, Response>, ErrorPage> {
        let destination = &asked.destination;
        let request = match &asked.request {
            Ok(request) => request,
            Err(error) => {
                let error = Answer::Error(*error);
                return Ok(Err(redirect::to_client(
                    browser_request,
                    destination,
                    error,
                )));
            }
        };
        let consent = match current {
            None => None,
            Some(current) => {
                let tenant = &browser_request.tenant.uid;
                let registration = &destination.client.uid;
                let store = &browser_request.app.store;
                let consent = store.consent(tenant, &current.user.subject, registration);
                consent
                    .await?
                    .filter(|consent| consent.is_of(&current.user))
            }
        };
        Ok(Ok(Self {
            browser_request,
            destination,
            request,
            transaction,
            current,
            consent,
        }))
    }

    /// What follows, if the person has agreed or not.
    pub fn decide(&self, agreed: bool) -> Decision {
        let current = self.current;
        decide(&Situation {
            client: &self.destination.client,
            redirect_uri: &self.destination.redirect_uri,
            request: self.request,
            signed_in: current.map(|current| current.signed_in(&self.transaction)),
            consent: self.consent.as_ref(),
            agreed,
            now: self.browser_request.now,
        })
    }

    /// Sends the person to where the request leads now.
    pub async fn go_on(self, agreed: bool) -> Result<Response, ErrorPage> {
        match (self.decide(agreed), self.current) {
            (Decision::Issue, Some(current)) => self.issue(current, agreed).await,
            (Decision::Consent | Decision::Proceed, Some(current)) => self.ask_consent(current),
            (Decision::Refuse(error), _) => Ok(self.answer(Answer::Error(error))),
            _ => self.ask_login(),
        }
    }

    /// Answers the client.
    pub fn answer(&self, answer: Answer<'_>) -> Response {
        redirect::to_client(self.browser_request, self.destination, answer)
    }

    /// Records what a person did with the request.
    pub fn record(&self, act: AuditEvent, current: &Current) {
        let client = &self.destination.client;
        audit_events::done(self.browser_request, act, Some(&client.id), &current.user);
    }

    /// Sends the person to sign in, whoever is signed in.
    pub fn ask_login(mut self) -> Result<Response, ErrorPage> {
        self.transaction.shown_to = None;
        login_transaction::send_to(self.browser_request, "/login", &self.transaction)
    }

    fn ask_consent(mut self, current: &Current) -> Result<Response, ErrorPage> {
        let for_this = current.signed_in(&self.transaction).for_this;
        self.transaction.shown_to = Some(current.mark(for_this));
        login_transaction::send_to(self.browser_request, "/consent", &self.transaction)
    }

    /// Issues a code. What was agreed to is kept only after the code: a request that was answered already changes
    /// nothing. And it is kept before the code leaves. Nor does a code leave that rests on what had ended before it was
    /// kept: nobody has used it up.
    async fn issue(&self, current: &Current, agreed: bool) -> Result<Response, ErrorPage> {
        let (browser_request, store) = (self.browser_request, &self.browser_request.app.store);
        let granted = Granted {
            tenant: &browser_request.tenant,
            destination: self.destination,
            request: self.request,
            signed_in: current.signed_in(&self.transaction),
            transaction: &self.transaction.id,
        };
        let code = issue_code::code(granted, &browser_request.random()?, browser_request.now);
        if !store.insert_code(&code.kept).await? {
            return Err(ErrorPage::answered().of(&self.destination.client));
        }
        if !self.still_stands(current).await? {
            return Ok(login_transaction::start_again(
                browser_request,
                &self.transaction,
            ));
        }
        if agreed && self.decide(false) == Decision::Consent {
            let consent = issue_code::consent(granted, self.consent.as_ref(), browser_request.now);
            store.keep_consent(&consent).await?;
            self.record(AuditEvent::ConsentGiven, current);
        }
        self.record(AuditEvent::Authorized, current);
        Ok(self.answer(Answer::Code(&code.value)))
    }

    /// Whether the session and what was agreed to earlier are as they were when it was decided.
    async fn still_stands(&self, current: &Current) -> Result<bool, ErrorPage> {
        let (store, session) = (&self.browser_request.app.store, &current.session);
        let signed_in = store.is_session_still_valid(&session.tenant, &session.digest);
        if !signed_in.await? {
            return Ok(false);
        }
        match &self.consent {
            Some(consent) => Ok(store.is_consent_still_valid(consent).await?),
            None => Ok(true),
        }
    }
}
