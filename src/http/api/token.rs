//! `POST /token` (RFC 6749 §3.2): extract → ask the core → respond.

pub(crate) mod assertion;
pub(crate) mod authorization_code;
pub(crate) mod refresh_token;

use std::sync::Arc;
use std::time::Instant;

use axum::body::HttpBody;
use axum::http::Method;
use axum::http::header::ORIGIN;
use axum::http::request::Parts;
use axum::response::Response;
use bytes::Bytes;
use jiff::Timestamp;

use super::client_request::{self, authorization};
use super::cors;
use crate::App;
use crate::error_response::Refusal;
use crate::server::client_address;
use assertion::Unproven;
use clientele_oauth::endpoints::token;
use clientele_oauth::endpoints::token::authorization_code::Exchange;
use clientele_oauth::endpoints::token::refresh_token::Refresh;
use clientele_oauth::endpoints::token::{Answer, Context, Named};
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
    match client_request::read(app, parts, body).await {
        Ok(form) => match decide(app, parts, &form, None, started) {
            Step::Answered(response) => response,
            Step::Asked(pending) => Box::pin(pending.finish(app, parts, started)).await,
            Step::Claimed(unproven) => Box::pin(unproven.finish(app, parts, &form, started)).await,
        },
        Err(refusal) => {
            app.metrics
                .refused(None, ErrorCode::InvalidRequest, started);
            client_request::unread(app, parts, AuditEvent::TokenRefused, refusal)
        }
    }
}

/// How far a request comes without the store.
enum Step {
    Answered(Response),
    /// Boxed, because most requests need none of it.
    Asked(Box<Pending>),
    Claimed(Box<Unproven>),
}

/// A request of an authenticated client for which the store must be asked. It keeps what it was judged by.
struct Pending {
    tenant: Arc<Tenant>,
    keyring: Arc<Keyring>,
    client: Arc<Client>,
    grant: Grant,
    now: Timestamp,
    random: JtiRandom,
}

enum Grant {
    Exchange(Exchange),
    Refresh(Refresh),
}

/// The tenant is looked up after the body has arrived: a slow request is not judged by a registry
/// from which its client has gone in the meantime.
fn decide(
    app: &App,
    parts: &Parts,
    form: &[u8],
    proven: Option<&Client>,
    started: Instant,
) -> Step {
    let registry = app.registry.load();
    let Some((tenant, _)) = registry.route(parts.uri.path()) else {
        return Step::Answered(client_request::malformed(Refusal::NOT_FOUND));
    };
    let mut response = match ask(app, &registry, tenant, parts, form, proven) {
        Ok(Asked::Done(body)) => {
            app.metrics.issued(GrantType::ClientCredentials, started);
            if app.audit.tokens() {
                let named = token::named(tenant, authorization(parts), form);
                record(app, tenant, parts, named, AuditEvent::TokenIssued, None);
            }
            client_request::json(body)
        }
        Ok(Asked::Pending(pending)) => return Step::Asked(pending),
        Ok(Asked::Claimed(unproven)) => return Step::Claimed(unproven),
        Err(error) => {
            let named = token::named(tenant, authorization(parts), form);
            refuse(app, tenant, parts, named, error, started)
        }
    };
    if parts.headers.contains_key(ORIGIN) {
        let client = token::named(tenant, authorization(parts), form).client;
        cors::expose(&mut response, &parts.headers, client.map(|c| &**c));
    }
    Step::Answered(response)
}

enum Asked {
    Done(String),
    Pending(Box<Pending>),
    Claimed(Box<Unproven>),
}

fn ask(
    app: &App,
    registry: &Registry,
    tenant: &Arc<Tenant>,
    parts: &Parts,
    form: &[u8],
    proven: Option<&Client>,
) -> Result<Asked, OAuthError> {
    let keyring = client_request::keyring(registry)?;
    let mut random = JtiRandom::default();
    (app.random)(&mut random).ok_or(OAuthError::new(
        ErrorCode::ServerError,
        "the source of randomness failed",
    ))?;
    let now = (app.clock)();
    let context = Context {
        tenant,
        keyring,
        now,
        random,
    };
    let (client, grant) = match token::answer(context, authorization(parts), form, proven)? {
        Answer::Done(body) => return Ok(Asked::Done(body)),
        Answer::Exchange(client, exchange) => (client, Grant::Exchange(exchange)),
        Answer::Refresh(client, refresh) => (client, Grant::Refresh(refresh)),
        Answer::Prove(client, evidence) => {
            return Ok(Asked::Claimed(Box::new(Unproven {
                tenant: tenant.clone(),
                client: client.clone(),
                evidence,
            })));
        }
    };
    Ok(Asked::Pending(Box::new(Pending {
        tenant: tenant.clone(),
        keyring: keyring.clone(),
        client: client.clone(),
        grant,
        now,
        random,
    })))
}

impl Pending {
    async fn finish(self, app: &App, parts: &Parts, started: Instant) -> Response {
        let context = Context {
            tenant: &self.tenant,
            keyring: &self.keyring,
            now: self.now,
            random: self.random,
        };
        let (grant, result) = match &self.grant {
            Grant::Exchange(exchange) => (
                GrantType::AuthorizationCode,
                authorization_code::answer(app, parts, context, &self.client, exchange).await,
            ),
            Grant::Refresh(refresh) => (
                GrantType::RefreshToken,
                refresh_token::answer(app, parts, context, &self.client, refresh).await,
            ),
        };
        let named = Named::of(&self.client, grant);
        let mut response = match result {
            Ok(body) => {
                app.metrics.issued(grant, started);
                if app.audit.tokens() {
                    record(
                        app,
                        &self.tenant,
                        parts,
                        named,
                        AuditEvent::TokenIssued,
                        None,
                    );
                }
                client_request::json(body)
            }
            Err(error) => refuse(app, &self.tenant, parts, named, error, started),
        };
        cors::expose(&mut response, &parts.headers, Some(&self.client));
        response
    }
}

fn refuse(
    app: &App,
    tenant: &Tenant,
    parts: &Parts,
    named: Named<'_>,
    error: OAuthError,
    started: Instant,
) -> Response {
    app.metrics.refused(named.grant, error.code, started);
    record(
        app,
        tenant,
        parts,
        named,
        AuditEvent::TokenRefused,
        Some(error),
    );
    client_request::refuse(tenant, error)
}

/// For the audit log. It names the client only if it is registered: what strangers send stays out of
/// the log. Strangers cost a line as well, so that time does not tell which client exists.
fn record(
    app: &App,
    tenant: &Tenant,
    parts: &Parts,
    named: Named<'_>,
    act: AuditEvent,
    error: Option<OAuthError>,
) {
    let line = AuditRecord {
        tenant: Some(&tenant.name),
        client_id: named.client.map(|client| &*client.id),
        from: Some(client_address::of(app, parts)),
        grant: named.grant.map(GrantType::as_str),
        error: error.map(|error| error.code.as_str()),
        reason: error.map(|error| error.reason()),
        ..AuditRecord::default()
    };
    app.audit.record(act, &line);
}
