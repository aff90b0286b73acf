//! `POST /token` (RFC 6749 §3.2): parse → authenticate → grant → respond.
//!
//! A request that memory is enough for is answered without an `await` after its body. One that needs a proof or the
//! store goes on in a boxed future, which owns what the request was judged by.

mod assertion;
mod authorization_code;
mod refresh_token;

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Instant;

use axum::body::HttpBody;
use axum::http::Method;
use axum::http::request::Parts;
use axum::response::Response;
use bytes::Bytes;
use futures::future::BoxFuture;
use jiff::Timestamp;

use super::client_request::{self, authorization};
use super::cors;
use crate::App;
use crate::browser::refusals;
use crate::error_response::Refusal;
use crate::server::client_address;
use assertion::Unproven;
use clientele_oauth::client_auth::Authentication;
use clientele_oauth::endpoints::token;
use clientele_oauth::endpoints::token::{AuditSubject, Context, Outcome, Refused, TokenRequest};
use clientele_oauth::tokens::access_token::JtiRandom;
use clientele_oauth::{Client, ErrorCode, GrantType, Keyring, OAuthError, Registry, Tenant};
use clientele_telemetry::audit::{AuditEvent, AuditRecord};

/// Answers a request to a token endpoint.
pub(crate) async fn respond<B>(app: &App, parts: &Parts, body: B) -> Response
where
    B: HttpBody<Data = Bytes> + Unpin,
{
    let started = Instant::now();
    if parts.method != Method::POST {
        return cors::other_method(app, parts, "POST");
    }
    let call = Call {
        app,
        parts,
        started,
    };
    match client_request::read(app, parts, body).await {
        Ok(form) => match call.begin(&form) {
            ControlFlow::Break(response) => response,
            ControlFlow::Continue(rest) => rest.await,
        },
        Err(refusal) => {
            app.metrics
                .refused(None, ErrorCode::InvalidRequest, started);
            client_request::unread(app, parts, AuditEvent::TokenRefused, refusal)
        }
    }
}

/// The response, or what is left to do for it.
type Reply<'a> = ControlFlow<Response, BoxFuture<'a, Response>>;

/// One request, as far as HTTP goes.
#[derive(Clone, Copy)]
struct Call<'a> {
    app: &'a App,
    parts: &'a Parts,
    started: Instant,
}

/// What a request is judged by.
#[derive(Clone, Copy)]
struct Basis<'t> {
    tenant: &'t Arc<Tenant>,
    keyring: &'t Arc<Keyring>,
    now: Timestamp,
    random: JtiRandom,
}

/// The request of an authenticated client, with what it was judged by, until the store has answered.
struct Pending {
    tenant: Arc<Tenant>,
    keyring: Arc<Keyring>,
    client: Arc<Client>,
    now: Timestamp,
    random: JtiRandom,
}

impl<'t> Basis<'t> {
    fn new(app: &App, registry: &'t Registry, tenant: &'t Arc<Tenant>) -> Result<Self, OAuthError> {
        let keyring = client_request::keyring(registry)?;
        let mut random = JtiRandom::default();
        (app.random)(&mut random).ok_or(NO_RANDOMNESS)?;
        Ok(Self {
            tenant,
            keyring,
            now: (app.clock)(),
            random,
        })
    }

    fn context(self) -> Context<'t> {
        Context {
            tenant: self.tenant,
            keyring: self.keyring,
            now: self.now,
            random: self.random,
        }
    }

    fn keep(self, client: &Arc<Client>) -> Pending {
        Pending {
            tenant: self.tenant.clone(),
            keyring: self.keyring.clone(),
            client: client.clone(),
            now: self.now,
            random: self.random,
        }
    }
}

impl Pending {
    fn context(&self) -> Context<'_> {
        Context {
            tenant: &self.tenant,
            keyring: &self.keyring,
            now: self.now,
            random: self.random,
        }
    }
}

impl<'a> Call<'a> {
    /// The tenant is looked up after the body has arrived: a slow request is not judged by a registry
    /// from which its client has gone in the meantime.
    fn begin(self, form: &'a [u8]) -> Reply<'a> {
        let registry = self.app.registry.load();
        let Some((tenant, _)) = registry.route(self.parts.uri.path()) else {
            return ControlFlow::Break(client_request::malformed(Refusal::NOT_FOUND));
        };
        let parsed = TokenRequest::parse(form, authorization(self.parts));
        let basis = match Basis::new(self.app, &registry, tenant) {
            Ok(basis) => basis,
            Err(error) => {
                let refused = parsed.unwrap_or_default().refused(tenant, error);
                return ControlFlow::Break(self.refuse(tenant, refused));
            }
        };
        let request = match parsed {
            Ok(request) => request,
            Err(error) => {
                let subject = AuditSubject::default();
                return ControlFlow::Break(self.refuse(tenant, Refused { error, subject }));
            }
        };
        match token::authenticate(basis.context(), &request) {
            Ok(Authentication::Authenticated(client)) => self.grant(basis, client, &request),
            Ok(Authentication::NeedsProof(proof)) => {
                let unproven = Unproven {
                    tenant: tenant.clone(),
                    client: proof.client.clone(),
                    evidence: proof.evidence,
                    request,
                };
                ControlFlow::Continue(Box::pin(unproven.prove(self)))
            }
            Err(refused) => ControlFlow::Break(self.refuse(tenant, refused)),
        }
    }

    /// What an authenticated client gets.
    fn grant(
        self,
        basis: Basis<'_>,
        client: &Arc<Client>,
        request: &TokenRequest<'_>,
    ) -> Reply<'a> {
        match token::grant(basis.context(), client, request) {
            Ok(Outcome::Issued(grant, body)) => {
                ControlFlow::Break(self.issued(basis.tenant, client, grant, body))
            }
            Ok(Outcome::Exchange(exchange)) => {
                let pending = basis.keep(client);
                ControlFlow::Continue(Box::pin(authorization_code::respond(
                    self, pending, exchange,
                )))
            }
            Ok(Outcome::Refresh(refresh)) => {
                let pending = basis.keep(client);
                ControlFlow::Continue(Box::pin(refresh_token::respond(self, pending, refresh)))
            }
            Err(refused) => ControlFlow::Break(self.refuse(basis.tenant, refused)),
        }
    }

    /// The response to a request for which the store was asked.
    fn finish(
        self,
        pending: &Pending,
        grant: GrantType,
        result: Result<String, OAuthError>,
    ) -> Response {
        let (tenant, client) = (&pending.tenant, &pending.client);
        match result {
            Ok(body) => {
                client.uses.note_without_secret(pending.now);
                self.issued(tenant, client, grant, body)
            }
            Err(error) => self.refuse(tenant, Refused::of(client, grant, error)),
        }
    }

    fn issued(
        self,
        tenant: &Tenant,
        client: &Arc<Client>,
        grant: GrantType,
        body: String,
    ) -> Response {
        self.app.metrics.issued(grant, self.started);
        if self.app.audit.tokens() {
            let subject = AuditSubject::of(client, grant);
            self.record(tenant, subject, AuditEvent::TokenIssued, None);
        }
        let mut response = client_request::json(body);
        cors::expose(&mut response, &self.parts.headers, Some(client));
        response
    }

    fn refuse(self, tenant: &Tenant, refused: Refused<'_>) -> Response {
        let Refused { error, subject } = refused;
        let metrics = &self.app.metrics;
        metrics.refused(subject.grant, error.code, self.started);
        let event = AuditEvent::TokenRefused;
        let from = client_address::of(self.app, self.parts);
        if refusals::is_recorded(self.app, event, from) {
            self.record(tenant, subject, event, Some(error));
        }
        let mut response = client_request::refuse(tenant, error);
        let client = subject.client.map(|client| &**client);
        cors::expose(&mut response, &self.parts.headers, client);
        response
    }

    /// For the audit log. It names the client only if it is registered: what strangers send stays out of
    /// the log. Strangers cost a line as well, so that time does not tell which client exists.
    fn record(
        self,
        tenant: &Tenant,
        subject: AuditSubject<'_>,
        act: AuditEvent,
        error: Option<OAuthError>,
    ) {
        let line = AuditRecord {
            tenant: Some(&tenant.name),
            client_id: subject.client.map(|client| &*client.id),
            from: Some(client_address::of(self.app, self.parts)),
            grant: subject.grant.map(GrantType::as_str),
            error: error.map(|error| error.code.as_str()),
            reason: error.map(|error| error.reason()),
            ..AuditRecord::default()
        };
        self.app.audit.record(act, &line);
    }
}

const NO_RANDOMNESS: OAuthError =
    OAuthError::new(ErrorCode::ServerError, "the source of randomness failed");
