//! The public endpoints of an issuer, as an application sees them.

use std::path::Path;
use std::time::Duration;

use clientele_oauth::digest::digest_of;
use reqwest::{Certificate, Client, Response, redirect};
use serde_json::Value;
use url::Url;

use crate::args::TestFlags;
use crate::connect::chain;
use crate::failure::Failure;
use crate::objects::text;

/// The timeout of a request.
const ANSWER: Duration = Duration::from_secs(20);

/// A client of the issuer that follows no redirect.
pub fn http(flags: &TestFlags) -> Result<Client, Failure> {
    let builder = Client::builder()
        .timeout(ANSWER)
        .redirect(redirect::Policy::none())
        .user_agent("kubectl-clientele");
    let builder = match &flags.ca_file {
        Some(path) => builder.tls_certs_merge(certificates(path)?),
        None => builder,
    };
    builder
        .build()
        .map_err(|error| Failure::new(format!("no HTTPS client can be made: {}", chain(&error))))
}

fn certificates(path: &Path) -> Result<Vec<Certificate>, Failure> {
    let bad = |error: String| {
        Failure::new(format!(
            "--ca-file {} is no PEM file of certificates: {error}",
            path.display()
        ))
    };
    let pem = std::fs::read(path).map_err(|error| bad(error.to_string()))?;
    let found = Certificate::from_pem_bundle(&pem).map_err(|error| bad(error.to_string()))?;
    if found.is_empty() {
        return Err(bad("there is none in it".to_owned()));
    }
    Ok(found)
}

/// What keeps an answer from arriving.
pub fn unreachable_url(url: &str, error: &reqwest::Error) -> Failure {
    let said = chain(error);
    let lower = said.to_lowercase();
    let remedy = if lower.contains("certificate") {
        "the certificate is not trusted here: name its authority with --ca-file, or correct the certificate"
    } else if lower.contains("dns") || lower.contains("lookup") {
        "its name is not known here: correct the public URL of the operator or the DNS"
    } else {
        "does the Ingress or Gateway lead to the Service of Clientele, and may this machine reach it?"
    };
    Failure::new(format!("{url} cannot be reached ({said}); {remedy}"))
}

/// The discovery document of an issuer, checked to be about it.
pub async fn discover(http: &Client, issuer: &str) -> Result<Value, Failure> {
    if issuer.is_empty() {
        return Err(Failure::new(
            "the status names no issuer yet; see `kubectl clientele status`",
        ));
    }
    let url = format!(
        "{}/.well-known/openid-configuration",
        issuer.trim_end_matches('/')
    );
    let answer = http.get(&url).send().await;
    let answer = answer.map_err(|error| unreachable_url(&url, &error))?;
    let status = answer.status();
    let document: Value = if status.is_success() {
        answer.json().await.unwrap_or_default()
    } else {
        Value::Null
    };
    let named = text(&document, "/issuer");
    if named == issuer {
        return Ok(document);
    }
    Err(Failure::new(if document.is_null() {
        format!(
            "{url} answered {status} and no JSON; the Ingress or Gateway must lead {issuer} to the Service of Clientele, with its path"
        )
    } else {
        format!(
            "{url} says it is {named:?}; --public-url of the operator must be the address that applications use"
        )
    }))
}

/// How a machine proves itself.
pub enum Proof<'a> {
    /// ID and secret.
    Secret(&'a str),
    /// A client assertion, such as the token of a ServiceAccount.
    Assertion(&'a str),
    /// A Public client has no proof.
    Nothing,
}

/// An authorization request of a client with PKCE (RFC 6749 section 4.1.1, RFC 7636 section 4.3).
pub struct AuthorizationRequest<'a> {
    /// The client.
    pub client_id: &'a str,
    /// Where the answer goes.
    pub redirect_uri: &'a str,
    /// The scopes.
    pub scope: &'a str,
    /// Ties the answer to the request.
    pub state: &'a str,
    /// What the ID token must have as `nonce`.
    pub nonce: &'a str,
    /// The PKCE verifier.
    pub verifier: &'a str,
}

impl AuthorizationRequest<'_> {
    /// Its address. `None` if the endpoint is not a URL.
    pub fn address(&self, endpoint: &str) -> Option<Url> {
        let mut url = Url::parse(endpoint).ok()?;
        url.query_pairs_mut().extend_pairs([
            ("response_type", "code"),
            ("client_id", self.client_id),
            ("redirect_uri", self.redirect_uri),
            ("scope", self.scope),
            ("state", self.state),
            ("nonce", self.nonce),
            ("code_challenge", &digest_of(self.verifier)),
            ("code_challenge_method", "S256"),
        ]);
        Some(url)
    }
}

/// What an issuer says of an error, for people: without control characters, and not endless.
pub fn plain(said: &str) -> String {
    said.chars().filter(|c| !c.is_control()).take(300).collect()
}

/// The authorization code of a person who signed in, and what belongs to it.
pub struct Redeemed<'a> {
    /// The client.
    pub client_id: &'a str,
    /// How the client proves itself.
    pub proof: Proof<'a>,
    /// The code.
    pub code: &'a str,
    /// The redirect URI of the authorization request.
    pub redirect_uri: &'a str,
    /// The PKCE verifier (RFC 7636).
    pub verifier: &'a str,
}

/// The tokens for an authorization code (RFC 6749 section 4.1.3).
pub async fn redeem(http: &Client, endpoint: &str, code: &Redeemed<'_>) -> Result<Value, Failure> {
    let form = vec![
        ("grant_type", "authorization_code"),
        ("code", code.code),
        ("redirect_uri", code.redirect_uri),
        ("code_verifier", code.verifier),
    ];
    tokens(http, endpoint, code.client_id, &code.proof, form).await
}

/// Requests a token of `client_credentials`. The error says what the server said.
pub async fn machine_token(
    http: &Client,
    endpoint: &str,
    client_id: &str,
    proof: &Proof<'_>,
    parameters: &[(&str, &str)],
) -> Result<Value, Failure> {
    let form = [&[("grant_type", "client_credentials")], parameters].concat();
    tokens(http, endpoint, client_id, proof, form).await
}

/// What the token endpoint answers to a form, of which the proof of the client becomes a part.
async fn tokens<'a>(
    http: &Client,
    endpoint: &str,
    client_id: &'a str,
    proof: &Proof<'a>,
    mut form: Vec<(&'a str, &'a str)>,
) -> Result<Value, Failure> {
    let request = match proof {
        // RFC 6749 section 2.3.1: ID and secret are form-encoded first, and an ID may have a colon.
        Proof::Secret(secret) => http
            .post(endpoint)
            .basic_auth(form_encoded(client_id), Some(form_encoded(secret))),
        Proof::Nothing => {
            form.push(("client_id", client_id));
            http.post(endpoint)
        }
        Proof::Assertion(assertion) => {
            form.extend([
                ("client_id", client_id),
                (
                    "client_assertion_type",
                    "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
                ),
                ("client_assertion", assertion),
            ]);
            http.post(endpoint)
        }
    };
    let answer = request.form(&form).send().await;
    let answer = answer.map_err(|error| unreachable_url(endpoint, &error))?;
    token_of(answer).await
}

async fn token_of(answer: Response) -> Result<Value, Failure> {
    let status = answer.status();
    let body: Value = answer.json().await.unwrap_or_default();
    if status.is_success() && !text(&body, "/access_token").is_empty() {
        return Ok(body);
    }
    let (error, description) = (text(&body, "/error"), text(&body, "/error_description"));
    let remedy = match error {
        "invalid_client" => {
            "the client ID or the secret is not the one that the server knows; `kubectl clientele why NAME` says whether the client is ready, and the log of the operator which rule failed"
        }
        "invalid_grant" => "the sign-in took too long, or its code was used before; sign in again",
        "invalid_scope" => "ask for scopes that spec.scopes lists",
        "invalid_target" => "ask for a resource that spec.audiences lists",
        "unauthorized_client" => "client_credentials is not among spec.grantTypes",
        "temporarily_unavailable" => "try again in a moment",
        _ => "see the log of the operator",
    };
    Err(Failure::new(format!(
        "the token endpoint answered {status} {error} {description}; {remedy}"
    )))
}

fn form_encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}
