//! A request of a browser, read whole: to which tenant, when, with which cookies.

use std::net::IpAddr;
use std::sync::Arc;

use axum::body::HttpBody;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method};
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use jiff::Timestamp;

use super::cookies;
use super::error_page::ErrorPage;
use super::redirect_marker::SENT_BY_US;
use super::refusals::Place;
use crate::error_response::Refusal;
use crate::pages::PageChrome;
use crate::server::client_address;
use crate::{App, form};
use clientele_oauth::digest::digest_of;
use clientele_oauth::endpoints::parameters::Parameters;
use clientele_oauth::{Endpoint, Keyring, Tenant, User};

/// The longest query that is read. The listener takes no longer head of a request than that either.
const MAX_QUERY: usize = 16 * 1024;

/// A request of a browser.
pub(super) struct BrowserRequest<'a> {
    pub app: &'a App,
    /// The tenant as it is now, after the body has arrived.
    pub tenant: Arc<Tenant>,
    /// The root keys, which seal transactions.
    pub keyring: Arc<Keyring>,
    pub now: Timestamp,
    pub headers: HeaderMap,
    /// From where, as far as it is known.
    pub address: IpAddr,
    /// [`digest_of`] each cookie that names the browser: at least one.
    pub browsers: Vec<String>,
    /// The cookie itself, if the browser came without.
    new_browser: Option<String>,
    /// What was asked for.
    pub endpoint: Endpoint,
    is_post: bool,
    query: String,
    form: Bytes,
}

impl<'a> BrowserRequest<'a> {
    /// Reads a request; if that fails, the response says why.
    pub async fn read<B>(
        app: &'a App,
        endpoint: Endpoint,
        parts: Parts,
        body: B,
    ) -> Result<Self, Response>
    where
        B: HttpBody<Data = Bytes> + Unpin,
    {
        let form = match acceptable(&parts) {
            Ok(true) => form::read(body, app.body_timeout)
                .await
                .map_err(ErrorPage::from),
            Ok(false) => Ok(Bytes::new()),
            Err(error_page) => Err(error_page),
        };
        // Only now: a slow request is not judged by a registry from which its client has gone in the meantime.
        let registry = app.registry.load_full();
        let Some((tenant, _)) = registry.route(parts.uri.path()) else {
            return Err(Refusal::NOT_FOUND.into_response());
        };
        let address = client_address::of(app, &parts);
        let place = Place {
            app,
            tenant,
            endpoint,
            address,
        };
        let keyring = registry.keyring.clone().ok_or_else(ErrorPage::unavailable);
        let browser_request = match (form, keyring) {
            (Ok(form), Ok(keyring)) => {
                Self::of(app, tenant.clone(), keyring, endpoint, parts, form)
            }
            (Err(error_page), _) | (_, Err(error_page)) => Err(error_page),
        };
        browser_request.map_err(|error_page| error_page.into_page(place, None))
    }

    fn of(
        app: &'a App,
        tenant: Arc<Tenant>,
        keyring: Arc<Keyring>,
        endpoint: Endpoint,
        parts: Parts,
        form: Bytes,
    ) -> Result<Self, ErrorPage> {
        let mut known = cookies::browsers(&parts.headers, &tenant);
        let mut new_browser = None;
        if known.is_empty() {
            let value = URL_SAFE_NO_PAD.encode(random::<32>(app)?);
            known.push(value.clone());
            new_browser = Some(value);
        }
        Ok(Self {
            now: (app.clock)(),
            address: client_address::of(app, &parts),
            browsers: known.iter().map(|value| digest_of(value)).collect(),
            new_browser,
            endpoint,
            is_post: parts.method == Method::POST,
            query: parts.uri.query().unwrap_or_default().to_owned(),
            headers: parts.headers,
            app,
            tenant,
            keyring,
            form,
        })
    }

    /// Whether it is a POST.
    pub fn is_post(&self) -> bool {
        self.is_post
    }

    /// Whether it is a POST that another site may have sent: none of our own pages says that it did. Cookies that are
    /// `SameSite=Lax` come only with what a page of ours sends, so a false word of another site gains nothing.
    pub fn is_from_elsewhere(&self) -> Result<bool, ErrorPage> {
        Ok(self.is_post && !self.parameters()?.has(SENT_BY_US))
    }

    /// Records why a request is refused, and says so on a page.
    pub fn refuse(&self, error_page: ErrorPage, user: Option<&User>) -> Response {
        let may_be_wrong = self.endpoint != Endpoint::Account && error_page.is_refusal();
        if may_be_wrong && (self.app.is_behind)() {
            return ErrorPage::unavailable().into_page(self.place(), user);
        }
        error_page.into_page(self.place(), user)
    }

    /// Where a refusal is recorded to have happened.
    pub fn place(&self) -> Place<'_> {
        Place {
            app: self.app,
            tenant: &self.tenant,
            endpoint: self.endpoint,
            address: self.address,
        }
    }

    /// The parameters as they were sent, encoded: of a POST in the form, otherwise in the query.
    pub fn encoded(&self) -> Result<&str, ErrorPage> {
        if !self.is_post {
            return Ok(&self.query);
        }
        // It becomes part of a URL of ours, so only characters of a URL.
        let form = std::str::from_utf8(&self.form).map_err(|_| ErrorPage::form())?;
        let clean = form.bytes().all(|b| b.is_ascii_graphic() && b != b'#');
        clean.then_some(form).ok_or_else(ErrorPage::form)
    }

    /// The parameters.
    pub fn parameters(&self) -> Result<Parameters, ErrorPage> {
        let encoded = if self.is_post {
            &self.form
        } else {
            self.query.as_bytes()
        };
        Parameters::read(encoded).map_err(|_| ErrorPage::form())
    }

    /// What all pages of the tenant have in common.
    pub fn chrome(&self) -> PageChrome<'_> {
        PageChrome::of(&self.tenant)
    }

    /// The address of an endpoint of the tenant.
    pub fn url(&self, endpoint: &str) -> String {
        format!("{}{endpoint}", self.tenant.issuer)
    }

    /// Fresh random bytes.
    pub fn random<const N: usize>(&self) -> Result<[u8; N], ErrorPage> {
        random(self.app)
    }

    /// Names the browser from now on, if it came without a name.
    pub fn new_browser_cookie(&self) -> Option<HeaderValue> {
        let value = self.new_browser.as_ref()?;
        Some(cookies::set_browser(&self.tenant, value))
    }
}

/// What can be judged before the body is read. Whether there is a body to read.
fn acceptable(parts: &Parts) -> Result<bool, ErrorPage> {
    let query = parts.uri.query().unwrap_or_default();
    if parts.method != Method::POST {
        let short = query.len() <= MAX_QUERY;
        return short.then_some(false).ok_or_else(ErrorPage::uri_too_long);
    }
    if !query.is_empty() {
        return Err(ErrorPage::query_and_form());
    }
    let is_form = form::is_form(&parts.headers);
    is_form.then_some(true).ok_or_else(ErrorPage::not_a_form)
}

fn random<const N: usize>(app: &App) -> Result<[u8; N], ErrorPage> {
    let mut bytes = [0; N];
    (app.random)(&mut bytes).ok_or_else(ErrorPage::failed)?;
    Ok(bytes)
}
