//! The pages of OAuthUsers: who can sign in, and why someone cannot.

pub mod password;

use askama::Template;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use clientele_kubectl::shared::{name, namespace, password_secret_of, text};
use serde_json::Value;

use crate::client::frame::Right;
use crate::client::spec::{flag, tenant, texts};
use crate::client::status::{Status, conditions, summary};
use crate::client::yaml_of;
use crate::cluster::Kind;
use crate::form::Query;
use crate::page::{Chrome, Section, html, object_path};
use crate::person::Caller;
use crate::problem::Problem;
use password::PasswordView;

/// The most that a page shows.
const MOST: &str = "limit=500";

struct Row {
    path: String,
    name: String,
    namespace: String,
    username: String,
    full_name: String,
    email: String,
    tenant: String,
    disabled: bool,
    status: Status,
}

#[derive(Template)]
#[template(path = "users.html")]
struct UsersPage {
    chrome: Chrome,
    search: String,
    /// The namespace that is asked for; empty: all.
    asked: String,
    rows: Vec<Row>,
    /// Whether there are more than were looked at.
    more: bool,
    /// Why they are not shown.
    refused: Option<Problem>,
}

/// `GET /users`
pub async fn list(person: Caller, Query(fields): Query) -> Result<Response, Problem> {
    let (search, asked) = (fields.get("q").trim(), fields.get("ns").trim());
    let own = Some(person.namespace.as_str()).filter(|own| !own.is_empty());
    let mut place = Some(asked).filter(|asked| !asked.is_empty());
    let mut listed = person.cluster.first(Kind::User, place, MOST).await;
    // A person with a Role in one namespace sees that one.
    if let (Err(problem), None, Some(own)) = (&listed, place, own)
        && problem.status == StatusCode::FORBIDDEN
    {
        place = Some(own);
        listed = person.cluster.first(Kind::User, place, MOST).await;
    }
    let (users, more, refused) = match listed {
        Ok((users, more)) => (users, more, None),
        Err(problem) if problem.status == StatusCode::FORBIDDEN => {
            (Vec::new(), false, Some(problem))
        }
        Err(problem) => return Err(problem),
    };
    let words: Vec<String> = search.split_whitespace().map(str::to_lowercase).collect();
    let rows = users.iter().filter(|user| matches(user, &words)).map(row);
    let page = UsersPage {
        chrome: Chrome::new(&person, Section::Users),
        search: search.to_owned(),
        asked: place.unwrap_or_default().to_owned(),
        rows: rows.collect(),
        more,
        refused,
    };
    html(StatusCode::OK, &page)
}

fn matches(user: &Value, words: &[String]) -> bool {
    let fields = [
        "/metadata/name",
        "/metadata/namespace",
        "/spec/username",
        "/spec/name",
        "/spec/email",
        "/spec/tenant",
    ];
    let all = fields
        .map(|field| text(user, field).to_lowercase())
        .join(" ");
    words.iter().all(|word| all.contains(word))
}

fn row(user: &Value) -> Row {
    Row {
        path: object_path("users", namespace(user), name(user), ""),
        name: name(user).to_owned(),
        namespace: namespace(user).to_owned(),
        username: text(user, "/spec/username").to_owned(),
        full_name: text(user, "/spec/name").to_owned(),
        email: text(user, "/spec/email").to_owned(),
        tenant: tenant(user).to_owned(),
        disabled: flag(user, "/spec/disabled"),
        status: summary(user),
    }
}

#[derive(Template)]
#[template(path = "user.html")]
struct UserPage {
    chrome: Chrome,
    row: Row,
    groups: Vec<String>,
    subject: String,
    /// Where the password is; its value is on no page.
    password: String,
    /// Whether the person may set it.
    set: Right,
    /// What became of a new one.
    view: PasswordView,
    conditions: Vec<Status>,
    manifest: String,
}

/// `GET /users/{namespace}/{name}`
pub async fn show(person: Caller, Path(of): Path<(String, String)>) -> Result<Response, Problem> {
    let user = person.cluster.get(Kind::User, &of.0, &of.1).await?;
    page(&person, &user, PasswordView::default()).await
}

/// The page, with what became of a new password.
async fn page(person: &Caller, user: &Value, view: PasswordView) -> Result<Response, Problem> {
    let (secret, _) = password_secret_of(user);
    let set = Right::ask(person, "patch", Kind::Secret, (namespace(user), &secret)).await;
    let status = if view.wrong.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    };
    let page = UserPage {
        chrome: Chrome::new(person, Section::Users),
        row: row(user),
        groups: texts(user, "/spec/groups"),
        subject: text(user, "/status/subject").to_owned(),
        password: text(user, "/spec/passwordSecretRef/name").to_owned(),
        set,
        view,
        conditions: conditions(user),
        manifest: yaml_of(user),
    };
    html(status, &page)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn people_are_found_by_each_word() {
        let ada = json!({
            "metadata": { "name": "ada", "namespace": "people" },
            "spec": { "username": "ada.l", "name": "Ada Lovelace", "email": "ada@example.com", "disabled": true },
        });
        let found = |words: &str| {
            let words: Vec<String> = words.split_whitespace().map(str::to_lowercase).collect();
            matches(&ada, &words)
        };
        assert!(found("") && found("LOVELACE people") && found("@example"));
        assert!(!found("ada bob"));
        let row = row(&ada);
        assert!(row.disabled && row.tenant == "default");
        assert_eq!(row.path, "/users/people/ada");
    }
}
