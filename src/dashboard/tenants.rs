//! The pages of OAuthTenants: which there are, and what each one is and allows.

mod policy;

use askama::Template;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use clientele_kubectl::shared::{name, text};
use serde_json::Value;

use crate::client::spec::texts;
use crate::client::status::{Status, conditions, summary};
use crate::client::yaml_of;
use crate::cluster::Kind;
use crate::page::{Chrome, Section, html};
use crate::person::Caller;
use crate::problem::Problem;
use policy::sentences;

/// The most that a page shows. An installation has few.
const MOST: &str = "limit=500";

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
        algorithm: algorithm(tenant).to_owned(),
        status: summary(tenant),
    }
}

fn algorithm(tenant: &Value) -> &str {
    match text(tenant, "/spec/signing/algorithm") {
        "" => "RS256",
        algorithm => algorithm,
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
    keys: Vec<String>,
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
        keys: texts(&tenant, "/status/keyIds"),
        rotates: text(&tenant, "/spec/signing/rotateEvery").to_owned(),
        policy: sentences(&tenant),
        scopes: entries(&tenant, "scopes", "name", scope),
        audiences: entries(&tenant, "audiences", "uri", audience),
        conditions: conditions(&tenant),
        manifest: yaml_of(&tenant),
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

fn audience(entry: &Value) -> Vec<String> {
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
        assert_eq!(algorithm(&json!({})), "RS256");
    }
}
