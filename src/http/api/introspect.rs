//! `POST /introspect` (RFC 7662).

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::body::HttpBody;
use axum::http::Method;
use axum::http::request::Parts;
use axum::response::Response;
use bytes::Bytes;

use super::client_request::{self, authorization};
use super::unavailable::unavailable;
use crate::App;
use crate::behind::BEHIND;
use crate::error_response::Refusal;
use clientele_oauth::client_auth::Attempt;
use clientele_oauth::endpoints::introspection;
use clientele_oauth::endpoints::introspection::INACTIVE;
use clientele_oauth::endpoints::parameters::Parameters;
use clientele_oauth::tokens::bearer::Presented;
use clientele_oauth::user::login_throttle::{Rate, Throttle, key};
use clientele_oauth::{Client, OAuthError, Registry, Tenant};
use clientele_telemetry::audit::AuditEvent;

/// How often one client may ask about tokens that are not good. An API that is sent garbage asks about it, so there is
/// room; who goes through tokens one by one finds none.
const RATE: Rate = Rate {
    burst: 200,
    every: Duration::from_millis(50),
};
/// As many clients are counted at once. Only authenticated ones are.
const CAPACITY: usize = 10_000;

const TOO_OFTEN: &str = "too many introspection requests for invalid tokens";

/// Counts the inactive answers of each client.
#[derive(Debug)]
pub struct IntrospectionThrottle(Mutex<Throttle>);

impl Default for IntrospectionThrottle {
    fn default() -> Self {
        Self(Mutex::new(Throttle::new(RATE, CAPACITY)))
    }
}

impl IntrospectionThrottle {
    fn charge(&self, app: &App, client: &Client) -> Result<(), Duration> {
        let key = key(&[&client.uid]);
        let mut throttle = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        throttle.charge(key, (app.clock)())
    }
}

/// Answers a request to an introspection endpoint.
pub(crate) async fn respond<B>(app: &App, parts: &Parts, body: B) -> Response
where
    B: HttpBody<Data = Bytes> + Unpin,
{
    if parts.method != Method::POST {
        return Refusal::wrong_method("POST");
    }
    let form = match client_request::read(app, parts, body).await {
        Ok(form) => form,
        Err(refusal) => {
            return client_request::unread(app, parts, AuditEvent::IntrospectionRefused, refusal);
        }
    };
    let registry = app.registry.load_full();
    let Some((tenant, _)) = registry.route(parts.uri.path()) else {
        return Refusal::NOT_FOUND.into_response();
    };
    match answer(app, &registry, tenant, parts, &form).await {
        Ok(response) => response,
        Err(error) => {
            let act = AuditEvent::IntrospectionRefused;
            client_request::record(app, tenant, parts, None, act, Some(error));
            client_request::refuse(tenant, error)
        }
    }
}

async fn answer(
    app: &App,
    registry: &Registry,
    tenant: &Tenant,
    parts: &Parts,
    form: &[u8],
) -> Result<Response, OAuthError> {
    let keyring = client_request::keyring(registry)?;
    let form = Parameters::read(form)?;
    let attempt = Attempt::from_parameters(&form, authorization(parts));
    let caller = client_request::caller(app, tenant, keyring, &attempt).await?;
    introspection::admit(caller)?;
    let presented = Presented::read(tenant, keyring, client_request::token(&form)?);
    let uid = &*tenant.uid;
    // Also for a token that is not ours: the answer takes the same steps.
    let family = app.store.family(uid, presented.family()).await;
    let family = family.map_err(|error| unavailable(&error))?;
    let is_revoked = app.store.is_token_revoked(uid, presented.id()).await;
    let is_revoked = is_revoked.map_err(|error| unavailable(&error))?;
    let (family, now) = (family.as_ref(), (app.clock)());
    if app.audit.tokens() {
        let act = AuditEvent::TokenIntrospected;
        client_request::record(app, tenant, parts, Some(caller), act, None);
    }
    Ok(
        match introspection::answer(tenant, caller, &presented, family, is_revoked, now) {
            Some(body) => client_request::json(body),
            None if (app.is_behind)() => return Err(BEHIND),
            None => inactive(app, tenant, parts, caller),
        },
    )
}

fn inactive(app: &App, tenant: &Tenant, parts: &Parts, caller: &Client) -> Response {
    let Err(wait) = app.introspection_throttle.charge(app, caller) else {
        return client_request::json(INACTIVE.to_owned());
    };
    let seconds = u32::try_from(wait.as_millis().div_ceil(1000)).unwrap_or(u32::MAX);
    let error = OAuthError::too_often(TOO_OFTEN, seconds);
    let act = AuditEvent::IntrospectionRefused;
    client_request::record(app, tenant, parts, Some(caller), act, Some(error));
    client_request::malformed(Refusal::from(error))
}
