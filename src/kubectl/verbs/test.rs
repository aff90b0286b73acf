//! `test`: a client from end to end through the public URL, step by step.

use std::fmt::Write;

use reqwest::Client;
use serde_json::{Value, json};

use super::token::{HeldProof, claims, proof, scopes};
use crate::args::TestArgs;
use crate::connect::Session;
use crate::failure::{Answer, Failure, Outcome};
use crate::issuer::{discover, http, machine_token, unreachable_url};
use crate::objects::{Kind, is_ready, name, reason, text};
use crate::output::{Color, Output};
use crate::remedies::remedy;

/// The PKCE challenge of RFC 7636 appendix B: this code is never redeemed.
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// A step, and what came of it.
pub struct Step {
    /// What was tried.
    pub name: &'static str,
    /// What was seen, or what is wrong with its remedy.
    pub result: Result<Seen, Failure>,
}

/// What was seen of a step that did not fail.
#[derive(Debug, PartialEq, Eq)]
pub enum Seen {
    /// It works.
    Works(String),
    /// It cannot be tried from here; the sentence says why.
    Skipped(String),
}

impl Step {
    /// A step that was tried.
    pub fn tried(name: &'static str, result: Result<String, Failure>) -> Self {
        Self {
            name,
            result: result.map(Seen::Works),
        }
    }

    /// A step that cannot be tried from here.
    pub fn skipped(name: &'static str, why: String) -> Self {
        Self {
            name,
            result: Ok(Seen::Skipped(why)),
        }
    }
}

/// What came of all steps.
pub struct Tried {
    /// The steps, in order.
    pub steps: Vec<Step>,
    /// The claims of the machine token; `None` without one.
    pub claims: Option<Value>,
}

/// Prints the steps; answers no if one fails.
pub async fn run(session: &Session, args: &TestArgs, output: &mut Output<'_>) -> Answer {
    let http = http(&args.http)?;
    let object = session.get(Kind::Client, &args.name).await?;
    let tried = steps(&http, &object, proof(session, &object, None), &[]).await;
    print(&tried.steps, output)
}

/// Tries everything that the client may do. `held` is asked for only if it may have tokens of its own; `parameters` are those of the token request.
pub async fn steps(
    http: &Client,
    object: &Value,
    held: impl Future<Output = Result<HeldProof, Failure>>,
    parameters: &[(&str, &str)],
) -> Tried {
    let mut steps = vec![Step::tried("ready", readiness(object))];
    let issuer = text(object, "/status/issuer");
    let document = discover(http, issuer).await;
    let seen = document.as_ref().map(|_| format!("{issuer} is served"));
    let seen = seen.map_err(|failure| Failure::new(failure.to_string()));
    steps.push(Step::tried("discovery", seen));
    let mut claims = None;
    if let Ok(document) = document {
        steps.push(Step::tried("keys", keys(http, &document).await));
        if has_grant(object, "authorization_code", true) {
            let page = sign_in(http, &document, object).await;
            steps.push(Step::tried("sign-in page", page));
        }
        if has_grant(object, "client_credentials", false) {
            const NAME: &str = "machine token";
            steps.push(match held.await {
                Ok(HeldProof::Elsewhere(why)) => Step::skipped(NAME, why),
                Err(failure) => Step::tried(NAME, Err(failure)),
                Ok(held) => {
                    let token = token(http, &document, object, &held, parameters).await;
                    let said = token.map(|seen| {
                        let said = format!("sub {}, aud {}", text(&seen, "/sub"), seen["aud"]);
                        claims = Some(seen);
                        said
                    });
                    Step::tried(NAME, said)
                }
            });
        }
    }
    Tried { steps, claims }
}

/// Prints steps; answers no if one failed.
pub fn print(steps: &[Step], output: &mut Output<'_>) -> Answer {
    let (mut shown, mut values) = (String::new(), Vec::new());
    for step in steps {
        let (mark, said) = match &step.result {
            Ok(Seen::Works(seen)) => (output.paint(Color::Green, "ok"), seen.clone()),
            Ok(Seen::Skipped(why)) => (output.paint(Color::Yellow, "skipped"), why.clone()),
            Err(failure) => (output.paint(Color::Red, "FAILED"), failure.to_string()),
        };
        let skipped = matches!(&step.result, Ok(Seen::Skipped(_)));
        let _ = writeln!(shown, "{mark:<6} {}: {said}", step.name);
        values.push(json!({
            "step": step.name, "ok": step.result.is_ok(), "skipped": skipped, "message": said,
        }));
    }
    let failed: Vec<String> = steps
        .iter()
        .filter(|step| step.result.is_err())
        .map(|step| step.name.to_owned())
        .collect();
    output.value(&json!({ "steps": values }), &failed, &shown)?;
    Ok(Outcome::of(failed.is_empty()))
}

fn readiness(object: &Value) -> Result<String, Failure> {
    let reason = reason(object);
    if is_ready(object) {
        return Ok(reason.to_owned());
    }
    let remedy = remedy(reason).map_or("", |found| found.todo);
    Err(Failure::new(format!(
        "{reason}; {}",
        remedy.replace("NAME", name(object))
    )))
}

/// Whether the client has a grant; without `grantTypes`, redirect URIs decide.
fn has_grant(object: &Value, grant: &str, with_uris: bool) -> bool {
    let uris = object
        .pointer("/spec/redirectUris")
        .and_then(Value::as_array);
    let has_uris = uris.is_some_and(|uris| !uris.is_empty());
    let grants = object.pointer("/spec/grantTypes").and_then(Value::as_array);
    grants.map_or(has_uris == with_uris, |grants| {
        grants.iter().any(|g| g == grant)
    })
}

async fn keys(http: &Client, document: &Value) -> Result<String, Failure> {
    let url = text(document, "/jwks_uri");
    let answer = http.get(url).send().await;
    let answer = answer.map_err(|error| unreachable_url(url, &error))?;
    let body: Value = answer.json().await.unwrap_or_default();
    let count = body
        .pointer("/keys")
        .and_then(Value::as_array)
        .map_or(0, Vec::len);
    if count == 0 {
        return Err(Failure::new(format!(
            "{url} publishes no keys; `kubectl clientele why tenant/NAME` says why"
        )));
    }
    Ok(format!("{count} at {url}"))
}

/// The scope and the resources of a request that the server can grant: `openid`, or what the client has in its place.
fn asked(object: &Value) -> (String, Vec<&str>) {
    let scopes = scopes::of_client(object);
    if scopes.contains(&"openid") {
        return ("openid".to_owned(), Vec::new());
    }
    let audiences = object.pointer("/spec/audiences").and_then(Value::as_array);
    let audiences = audiences.into_iter().flatten().filter_map(Value::as_str);
    (scopes.join(" "), audiences.collect())
}

/// The authorization request of an application, up to the page on which people sign in.
async fn sign_in(http: &Client, document: &Value, object: &Value) -> Result<String, Failure> {
    let endpoint = text(document, "/authorization_endpoint");
    let redirect_uri = text(object, "/spec/redirectUris/0");
    let (scope, resources) = asked(object);
    let query = [
        ("response_type", "code"),
        ("client_id", text(object, "/status/clientId")),
        ("redirect_uri", redirect_uri),
        ("scope", scope.as_str()),
        ("state", "kubectl-clientele"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ];
    let mut url = url::Url::parse(endpoint).map_err(|_| {
        Failure::new(format!(
            "the authorization endpoint {endpoint:?} is not a URL"
        ))
    })?;
    let resources = resources.into_iter().map(|one| ("resource", one));
    url.query_pairs_mut()
        .extend_pairs(query)
        .extend_pairs(resources);
    let answer = http.get(url).send().await;
    let answer = answer.map_err(|error| unreachable_url(endpoint, &error))?;
    let status = answer.status().as_u16();
    let location = answer
        .headers()
        .get("location")
        .and_then(|to| to.to_str().ok());
    let location = location.unwrap_or_default().to_owned();
    if location.starts_with(redirect_uri) && location.contains("error=") {
        return Err(Failure::new(format!(
            "the server sends people back at once: {location}; correct scopes or grants of the client"
        )));
    }
    match status {
        200..=399 => Ok(format!("people who come for {redirect_uri} can sign in")),
        _ => Err(Failure::new(format!(
            "{endpoint} answered {status}: it does not accept the client or {redirect_uri}; `kubectl clientele why {}` says why",
            name(object)
        ))),
    }
}

/// The claims of a token of the client's own.
async fn token(
    http: &Client,
    document: &Value,
    object: &Value,
    held: &HeldProof,
    parameters: &[(&str, &str)],
) -> Result<Value, Failure> {
    let client_id = text(object, "/status/clientId");
    let endpoint = text(document, "/token_endpoint");
    let answer = machine_token(http, endpoint, client_id, &held.as_proof()?, parameters).await?;
    // An opaque token has none.
    let Some(claims) = claims(text(&answer, "/access_token")) else {
        return Ok(json!({ "sub": client_id, "aud": "an opaque token" }));
    };
    let issuer = text(&claims, "/iss");
    if issuer != text(document, "/issuer") {
        return Err(Failure::new(format!(
            "the token is of {issuer:?}, not of this issuer"
        )));
    }
    Ok(claims)
}
