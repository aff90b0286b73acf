//! The tab *Overview*: what an application team needs, and what is wrong.

use std::fmt::Write;

use askama::Template;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use clientele_kubectl::shared::{reason, text};
use serde_json::Value;

use super::frame::{ClientHeader, Tab, read};
use super::secret::{Entries, Source, entries, source};
use super::secret_block::SecretBlock;
use super::spec;
use super::status::{Status, conditions};
use super::usage::Usage;
use crate::page::{Chrome, Section, html};
use crate::person::Caller;
use crate::problem::Problem;

#[derive(Template)]
#[template(path = "client_overview.html")]
struct OverviewPage {
    chrome: Chrome,
    frame: ClientHeader,
    secret: SecretBlock,
    view: Overview,
    usage: Usage,
}

/// What the page shows beside heading and secret. It is made from the OAuthClient alone, which holds no secret.
struct Overview {
    client_id: String,
    issuer: String,
    endpoints: Vec<(&'static str, String)>,
    env: String,
    lists: Vec<List>,
    facts: Vec<(&'static str, String)>,
    conditions: Vec<Status>,
    /// Whether the operator has not seen this version yet, so that the page asks again.
    pending: bool,
}

/// A list of texts with its heading.
struct List {
    label: &'static str,
    entries: Vec<String>,
    none: &'static str,
}

/// The page.
pub async fn show(person: Caller, Path(of): Path<(String, String)>) -> Result<Response, Problem> {
    let client = read(&person, &of).await?;
    let secret = SecretBlock::masked(&person, &client).await;
    page(&person, &client, secret).await
}

/// The page with this block about the secret.
pub async fn page(
    person: &Caller,
    client: &Value,
    secret: SecretBlock,
) -> Result<Response, Problem> {
    let (frame, usage) = futures::join!(
        ClientHeader::new(person, client, Tab::Overview),
        Usage::read(person, client),
    );
    let page = OverviewPage {
        chrome: Chrome::new(person, Section::Clients),
        frame,
        usage,
        secret,
        view: overview(client),
    };
    html(StatusCode::OK, &page)
}

fn overview(client: &Value) -> Overview {
    let issuer = text(client, "/status/issuer");
    Overview {
        client_id: text(client, "/status/clientId").to_owned(),
        issuer: issuer.to_owned(),
        endpoints: endpoints(issuer),
        env: env(client),
        lists: lists(client),
        facts: facts(client),
        conditions: conditions(client),
        pending: matches!(reason(client), "Pending" | "TenantPending"),
    }
}

/// The endpoints of an issuer.
fn endpoints(issuer: &str) -> Vec<(&'static str, String)> {
    if issuer.is_empty() {
        return Vec::new();
    }
    let endpoint = |(label, path): (&'static str, &str)| (label, format!("{issuer}{path}"));
    [
        ("Discovery", "/.well-known/openid-configuration"),
        ("Authorization", "/authorize"),
        ("Token", "/token"),
        ("Userinfo", "/userinfo"),
        ("JWK Set", "/jwks"),
        ("Introspection", "/introspect"),
        ("Revocation", "/revoke"),
        ("Sign-out", "/logout"),
    ]
    .map(endpoint)
    .into()
}

/// Lines for a `.env` file: the values that are not secret, and where the secret is.
fn env(client: &Value) -> String {
    let issuer = text(client, "/status/issuer");
    let (namespace, name) = (
        text(client, "/metadata/namespace"),
        text(client, "/metadata/name"),
    );
    let Entries { id, secret } = entries(client);
    let mut lines = format!(
        "{}={}\nISSUER={issuer}\n",
        id.as_deref().unwrap_or("CLIENT_ID"),
        text(client, "/status/clientId"),
    );
    if let Source::Derived { secret: object, .. } = source(client) {
        let entry = secret.as_deref().unwrap_or("CLIENT_SECRET");
        let _ = write!(
            lines,
            "# {entry}: in Secret {object} of namespace {namespace}. With its value:\n# kubectl clientele env {name} --namespace {namespace} --for dotenv > .env\n"
        );
    }
    lines
}

fn lists(client: &Value) -> Vec<List> {
    let list = |label, entries: Vec<String>, none| List {
        label,
        entries,
        none,
    };
    let of_spec = |field: &str| spec::texts(client, &format!("/spec/{field}"));
    let mut lists = vec![
        list(
            "Redirect URIs",
            of_spec("redirectUris"),
            "None: no person signs in through this client.",
        ),
        list("Grants", spec::grants(client), "None."),
        list("Scopes", spec::scopes(client), "None."),
        list(
            "Audiences",
            of_spec("audiences"),
            "None: the audience of its tokens is the issuer.",
        ),
    ];
    for (label, field) in [
        ("Redirect URIs after sign-out", "postLogoutRedirectUris"),
        ("Origins of its scripts (CORS)", "allowedOrigins"),
        ("Groups that may sign in", "allowedGroups"),
    ] {
        let entries = of_spec(field);
        if !entries.is_empty() {
            lists.push(list(label, entries, ""));
        }
    }
    lists
}

fn facts(client: &Value) -> Vec<(&'static str, String)> {
    let secret = text(client, "/status/secretName");
    let facts = [
        (
            "Type",
            if spec::is_public(client) {
                "Public"
            } else {
                "Confidential"
            },
        ),
        ("Tenant", spec::tenant(client)),
        ("Namespace", text(client, "/metadata/namespace")),
        ("Secret", secret),
        ("Created", text(client, "/metadata/creationTimestamp")),
        ("Last used", text(client, "/status/lastUsedAt")),
        ("No use known since", text(client, "/status/unusedSince")),
    ];
    let facts = facts.into_iter().filter(|(_, value)| !value.is_empty());
    facts.map(|(label, value)| (label, day(value))).collect()
}

/// The day of a time, such as `2026-11-30`; any other text as it is.
fn day(value: &str) -> String {
    let is_time = value.parse::<jiff::Timestamp>().is_ok();
    let shown = value.split('T').next().filter(|_| is_time);
    shown.unwrap_or(value).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn client(spec: &Value) -> Value {
        json!({
            "metadata": { "name": "web", "namespace": "apps", "generation": 1 },
            "spec": spec,
            "status": { "clientId": "apps.web", "issuer": "https://id.example", "secretName": "web-oauth" },
        })
    }

    #[test]
    fn the_env_file_refers_to_the_secret() {
        let said = env(&client(&json!({})));
        assert!(
            said.starts_with("CLIENT_ID=apps.web\nISSUER=https://id.example\n"),
            "{said}"
        );
        assert!(
            said.contains("CLIENT_SECRET: in Secret web-oauth of namespace apps"),
            "{said}"
        );
        let public = env(&client(&json!({ "type": "Public" })));
        assert!(!public.contains("CLIENT_SECRET"), "{public}");
    }

    #[test]
    fn what_is_empty_is_said_or_left_out() {
        let view = overview(&client(&json!({})));
        assert_eq!(view.lists.len(), 4);
        assert!(view.lists[0].entries.is_empty() && !view.lists[0].none.is_empty());
        assert_eq!(view.lists[1].entries, ["client_credentials"]);
        assert_eq!(view.endpoints[2].1, "https://id.example/token");
        assert!(view.pending, "no condition yet");
        let unseen = overview(&json!({ "metadata": { "name": "web" }, "spec": {} }));
        assert!(unseen.endpoints.is_empty() && unseen.client_id.is_empty());
    }
}
