//! An authorization request goes on: the core decides, and here the browser gets the page or is sent to the client.

use axum::response::Response;

use super::consent_page::Question;
use super::error_page::ErrorPage;
use super::redirect::ToClient;
use super::request::BrowserRequest;
use super::sessions::Current;
use super::{audit_events, consent_page, login_transaction, sign_in_page};
use clientele_oauth::endpoints::authorize::Asked;
use clientele_oauth::endpoints::authorize::interaction::{Decision, SignedIn, Situation, decide};
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
            Err(refused) => {
                let to_client = ToClient {
                    browser_request,
                    destination,
                    current,
                };
                return Ok(Err(to_client.send(Answer::Refused(refused))));
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
            signed_in: current.map(|current| self.signed_in(current)),
            consent: self.consent.as_ref(),
            agreed,
            now: self.browser_request.now,
        })
    }

    /// Sends the person to where the request leads now.
    pub async fn go_on(self, agreed: bool) -> Result<Response, ErrorPage> {
        match (self.decide(agreed), self.current) {
            (Decision::Issue, Some(current)) => self.issue(current, agreed).await,
            (
                decision @ (Decision::Consent | Decision::Proceed | Decision::NotAllowed),
                Some(current),
            ) => self.ask(decision, current),
            (Decision::Refuse(error), _) => Ok(self.answer(Answer::Error(error))),
            _ => self.ask_login(),
        }
    }

    /// Answers the client.
    pub fn answer(&self, answer: Answer<'_>) -> Response {
        let to_client = ToClient {
            browser_request: self.browser_request,
            destination: self.destination,
            current: self.current,
        };
        to_client.send(answer)
    }

    fn signed_in<'c>(&self, current: &'c Current) -> SignedIn<'c> {
        current.signed_in(&self.transaction, self.browser_request.now)
    }

    /// Records what a person did with the request.
    pub fn record(&self, act: AuditEvent, current: &Current) {
        let client = &self.destination.client;
        audit_events::done(self.browser_request, act, Some(&client.id), &current.user);
    }

    /// Asks the person to sign in, even if a person is signed in.
    pub fn ask_login(mut self) -> Result<Response, ErrorPage> {
        self.transaction.shown_to = None;
        let (browser_request, transaction) = (self.browser_request, &self.transaction);
        let sent = login_transaction::send_after_form(browser_request, "/login", transaction)?;
        if let Some(sent) = sent {
            return Ok(sent);
        }
        let hint = self.request.login_hint.as_deref().unwrap_or_default();
        let destination = Some(self.destination);
        sign_in_page::show(
            self.browser_request,
            destination,
            &self.transaction,
            hint,
            None,
        )
    }

    fn ask(mut self, decision: Decision, current: &Current) -> Result<Response, ErrorPage> {
        let for_this = self.signed_in(current).for_this;
        self.transaction.shown_to = Some(current.mark(for_this));
        let (browser_request, transaction) = (self.browser_request, &self.transaction);
        let sent = login_transaction::send_after_form(browser_request, "/consent", transaction)?;
        if let Some(sent) = sent {
            return Ok(sent);
        }
        let question = Question {
            browser_request: self.browser_request,
            destination: self.destination,
            request: self.request,
            current,
            transaction: &self.transaction,
        };
        consent_page::show(&question, decision)
    }

    /// Issues a code. What was agreed to is kept before the code leaves. Nor does a code leave that rests on what had ended before it was
    /// kept: it was not redeemed.
    async fn issue(&self, current: &Current, agreed: bool) -> Result<Response, ErrorPage> {
        let (browser_request, store) = (self.browser_request, &self.browser_request.app.store);
        let granted = Granted {
            tenant: &browser_request.tenant,
            destination: self.destination,
            request: self.request,
            signed_in: self.signed_in(current),
            transaction: &self.transaction.id,
        };
        let code = issue_code::code(granted, &browser_request.random()?, browser_request.now);
        if !store.insert_code(&code.kept).await? {
            // Cannot be: no two codes have a digest in common.
            return Err(ErrorPage::failed().of(&self.destination.client));
        }
        if !self.still_stands(current).await? {
            return login_transaction::start_again(browser_request, &self.transaction);
        }
        if agreed && self.decide(false) == Decision::Consent {
            let consent = issue_code::consent(granted, self.consent.as_ref(), browser_request.now);
            store.keep_consent(&consent).await?;
            self.record(AuditEvent::ConsentGiven, current);
        }
        if code.kept.code_challenge.is_none() {
            let metrics = &browser_request.app.metrics;
            metrics.code_without_challenge(&self.destination.client.id);
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
