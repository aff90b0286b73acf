//! The page of resources: the APIs for which tenants issue access tokens (RFC 8707).

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use clientele_kubectl::shared::{name, text};
use serde_json::Value;

use crate::cluster::Kind;
use crate::form::Query;
use crate::page::{Chrome, Section, html};
use crate::person::Caller;
use crate::problem::Problem;
use crate::tenants::{MOST, audience};

/// An API.
struct Resource {
    uri: String,
    tenant: String,
    issuer: String,
    about: Vec<String>,
}

#[derive(Template)]
#[template(path = "resources.html")]
struct ResourcesPage {
    chrome: Chrome,
    search: String,
    rows: Vec<Resource>,
    /// Whether there are more tenants than were looked at.
    more: bool,
}

/// `GET /resources`
pub async fn list(person: Caller, Query(fields): Query) -> Result<Response, Problem> {
    let (tenants, more) = person.cluster.first(Kind::Tenant, None, MOST).await?;
    let search = fields.get("q").trim().to_owned();
    let page = ResourcesPage {
        chrome: Chrome::new(&person, Section::Resources),
        rows: resources(&tenants, &search),
        search,
        more,
    };
    html(StatusCode::OK, &page)
}

/// The APIs of these tenants in which each word occurs, by address.
fn resources(tenants: &[Value], search: &str) -> Vec<Resource> {
    let words: Vec<String> = search.split_whitespace().map(str::to_lowercase).collect();
    let all = tenants.iter().flat_map(|tenant| {
        let entries = tenant["spec"]["audiences"].as_array();
        entries.into_iter().flatten().map(|entry| Resource {
            uri: text(entry, "/uri").to_owned(),
            tenant: name(tenant).to_owned(),
            issuer: text(tenant, "/status/issuer").to_owned(),
            about: audience(entry),
        })
    });
    let mut found: Vec<Resource> = all
        .filter(|one| {
            let text = format!("{} {} {}", one.uri, one.tenant, one.about.join(" ")).to_lowercase();
            words.iter().all(|word| text.contains(word))
        })
        .collect();
    found.sort_by(|one, other| (&one.uri, &one.tenant).cmp(&(&other.uri, &other.tenant)));
    found
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn apis_of_all_tenants_are_found_by_each_word() {
        let tenant = |name: &str, uri: &str| {
            json!({
                "metadata": { "name": name },
                "spec": { "audiences": [{ "uri": uri, "scopes": ["orders.read"] }] },
            })
        };
        let tenants = [
            tenant("shop", "https://orders.example/"),
            tenant("acme", "https://api.example/"),
            json!({ "metadata": { "name": "bare" } }),
        ];
        let found = |search: &str| -> Vec<String> {
            let found = resources(&tenants, search).into_iter();
            found.map(|one| one.uri).collect()
        };
        assert_eq!(
            found(""),
            ["https://api.example/", "https://orders.example/"]
        );
        assert_eq!(found("SHOP orders"), ["https://orders.example/"]);
        assert!(found("absent").is_empty());
    }
}
