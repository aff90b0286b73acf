//! The pages of OAuthTenants: which there are, and what each one is and allows.

mod keys;
mod policy;
mod reliance;

use askama::Template;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use clientele_api::tenant::{Signing, SigningAlgorithm};
use clientele_kubectl::shared::{name, text};
use jiff::Timestamp;
use serde_json::Value;

use crate::client::lifetimes::words;
use crate::client::spec::texts;
use crate::client::status::{Status, conditions, summary};
use crate::client::yaml_of;
use crate::cluster::Kind;
use crate::page::{Chrome, Section, html};
use crate::person::Caller;
use crate::problem::Problem;
use keys::{SigningKey, signing_keys};
use policy::sentences;
use reliance::Reliance;

/// The most that a page shows. An installation has few.
pub const MOST: &str = "limit=500";

/// One row of the list.
struct Row {
    name: String,
    display_name: String,
    issuer: String,
    algorithm: String,
    status: Status,
}

#[derive(Template)]
#[template(path = "tenants.html")]
struct TenantsPage {
    chrome: Chrome,
    rows: Vec<Row>,
    more: bool,
}

/// `GET /tenants`
pub async fn list(person: Caller) -> Result<Response, Problem> {
    let (tenants, more) = person.cluster.first(Kind::Tenant, None, MOST).await?;
    let page = TenantsPage {
        chrome: Chrome::new(&person, Section::Tenants),
        rows: tenants.iter().map(row).collect(),
        more,
    };
    html(StatusCode::OK, &page)
}

fn row(tenant: &Value) -> Row {
    Row {
        name: name(tenant).to_owned(),
        display_name: text(tenant, "/spec/displayName").to_owned(),
        issuer: text(tenant, "/status/issuer").to_owned(),
        algorithm: algorithm(tenant),
        status: summary(tenant),
    }
}

fn algorithm(tenant: &Value) -> String {
    match text(tenant, "/spec/signing/algorithm") {
        "" => format!("{:?}", SigningAlgorithm::default()),
        algorithm => algorithm.to_owned(),
    }
}

/// A scope, or an audience.
struct Entry {
    name: String,
    about: Vec<String>,
}

#[derive(Template)]
#[template(path = "tenant.html")]
struct TenantPage {
    chrome: Chrome,
    row: Row,
    keys: Vec<SigningKey>,
    rotates: String,
    policy: Vec<String>,
    scopes: Vec<Entry>,
    audiences: Vec<Entry>,
    conditions: Vec<Status>,
    manifest: String,
}

/// `GET /tenants/{name}`
pub async fn show(person: Caller, Path(of): Path<String>) -> Result<Response, Problem> {
    let tenant = person.cluster.get(Kind::Tenant, "", &of).await?;
    let page = TenantPage {
        chrome: Chrome::new(&person, Section::Tenants),
        row: row(&tenant),
        keys: signing_keys(&tenant, Timestamp::now()),
        rotates: rotates(&tenant),
        policy: sentences(&tenant),
        scopes: entries(&tenant, "scopes", "name", scope),
        audiences: entries(&tenant, "audiences", "uri", audience),
        conditions: conditions(&tenant),
        manifest: yaml_of(&tenant),
    };
    html(StatusCode::OK, &page)
}

fn rotates(tenant: &Value) -> String {
    match text(tenant, "/spec/signing/rotateEvery") {
        "" => format!(
            "A key signs for {}, unless spec.signing.rotateEvery says otherwise.",
            words(Signing::DEFAULT_ROTATE_EVERY)
        ),
        every => format!("A key signs for {every} (spec.signing.rotateEvery)."),
    }
}

#[derive(Template)]
#[template(path = "tenant_use.html")]
struct UsePage {
    chrome: Chrome,
    name: String,
    reliance: Reliance,
    /// Whether every client was looked at.
    complete: bool,
}

/// `GET /tenants/{name}/use`
pub async fn in_use(person: Caller, Path(of): Path<String>) -> Result<Response, Problem> {
    person.cluster.get(Kind::Tenant, "", &of).await?;
    let mut reliance = Reliance::of(&of);
    let look = |client: &Value| reliance.look(client);
    let complete = person.cluster.each(Kind::Client, look).await?;
    let page = UsePage {
        chrome: Chrome::new(&person, Section::Tenants),
        name: of,
        reliance,
        complete,
    };
    html(StatusCode::OK, &page)
}

fn entries(tenant: &Value, list: &str, name: &str, about: fn(&Value) -> Vec<String>) -> Vec<Entry> {
    let listed = tenant["spec"][list].as_array().into_iter().flatten();
    let entry = |entry: &Value| Entry {
        name: entry[name].as_str().unwrap_or_default().to_owned(),
        about: about(entry),
    };
    listed.map(entry).collect()
}

fn scope(entry: &Value) -> Vec<String> {
    let mut about = Vec::new();
    let description = text(entry, "/description");
    if !description.is_empty() {
        about.push(description.to_owned());
    }
    let claims = texts(entry, "/claims");
    if !claims.is_empty() {
        about.push(format!("Claims: {}.", claims.join(", ")));
    }
    about.extend(policy::only_for(entry));
    about
}

/// What applies to an API of a tenant, as sentences.
pub fn audience(entry: &Value) -> Vec<String> {
    let mut about = Vec::new();
    let scopes = texts(entry, "/scopes");
    if !scopes.is_empty() {
        about.push(format!("Scopes: {}.", scopes.join(", ")));
    }
    let introspectors = texts(entry, "/introspectors");
    if !introspectors.is_empty() {
        about.push(format!(
            "Tokens for it may be introspected by {}.",
            introspectors.join(", ")
        ));
    }
    about.extend(policy::only_for(entry));
    about
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn scopes_and_audiences_are_described() {
        let tenant = json!({ "spec": {
            "scopes": [{ "name": "orders", "description": "Read orders", "claims": ["desk"] }],
            "audiences": [{ "uri": "https://api.example", "scopes": ["orders"], "namespaces": { "matchLabels": { "team": "a" } } }],
        } });
        let scopes = entries(&tenant, "scopes", "name", scope);
        assert_eq!(scopes[0].name, "orders");
        assert_eq!(scopes[0].about, ["Read orders", "Claims: desk."]);
        let audiences = entries(&tenant, "audiences", "uri", audience);
        assert_eq!(
            audiences[0].about,
            ["Scopes: orders.", "For namespaces with team=a."]
        );
        assert!(entries(&json!({}), "scopes", "name", scope).is_empty());
        assert_eq!(algorithm(&json!({})), "ES256");
    }

    #[test]
    fn how_long_a_key_signs_is_said_with_its_default() {
        let said = rotates(&json!({}));
        assert!(
            said.starts_with("A key signs for 90 days, unless"),
            "{said}"
        );
        let said = rotates(&json!({ "spec": { "signing": { "rotateEvery": "720h" } } }));
        assert!(said.starts_with("A key signs for 720h"), "{said}");
    }
}
