//! The forms to create and to edit a client: what they keep, and what they change.

use reqwest::Method;
use reqwest::header::ORIGIN;
use serde_json::json;

use super::administrator;
use super::client::{edit, hidden};
use crate::support::dashboard::{Dashboard, Shown, form_token, read};
use crate::support::test_namespace::TestNamespace;

const NEW: &str = "/clients/new";

/// Sends the form of a page while a person types in it.
async fn typing(dashboard: &Dashboard, path: &str, fields: &[(&str, &str)]) -> Shown {
    let token = form_token(&dashboard.get(path).await.text);
    let sent = [("form_token", token.as_str()), ("check", "1")];
    let fields = [&sent[..], fields].concat();
    let request = dashboard.request(Method::POST, path);
    let request = request.header(ORIGIN, &dashboard.origin);
    read(request.header("hx-request", "true").form(&fields)).await
}

#[tokio::test]
async fn a_refusal_is_at_its_field_and_keeps_what_was_typed() {
    let space = TestNamespace::new("dashboard").await;
    let dashboard = administrator(&space).await;
    let fields = [
        ("display-name", "Orders"),
        ("namespace", space.name.as_str()),
        ("type", "Confidential"),
        ("redirect-uris", "ftp://x"),
        ("tenant", "staff"),
        ("first-party", "on"),
        ("preset", "grafana"),
    ];
    let refused = dashboard.post(NEW, NEW, &fields).await;
    assert_eq!(refused.status, 422, "{}", refused.text);
    let at_field = "id=\"wrong-redirect-uris\">Line 1: ";
    for kept in [
        at_field,
        "value=\"Orders\"",
        "ftp://x</textarea>",
        "value=\"staff\"",
        "value=\"grafana\"",
        "name=\"first-party\" value=\"on\" checked",
    ] {
        assert!(refused.text.contains(kept), "{kept}: {}", refused.text);
    }
    let typing = typing(&dashboard, NEW, &fields).await;
    assert_eq!(typing.status, 200);
    for shown in [
        "id=\"wrong-redirect-uris\" hx-swap-oob=\"true\" aria-live=\"polite\">Line 1: ",
        "format: Grafana",
    ] {
        assert!(typing.text.contains(shown), "{shown}: {}", typing.text);
    }
    assert!(!typing.text.contains("<html"), "{}", typing.text);
}

#[tokio::test]
async fn a_new_client_is_written_once_and_shown() {
    let space = TestNamespace::new("dashboard").await;
    let dashboard = administrator(&space).await;
    let fields = [
        ("display-name", "Order desk"),
        ("namespace", space.name.as_str()),
        ("type", "Confidential"),
        ("redirect-uris", "https://a.example/"),
        ("tenant", "default"),
        ("preset", "web-app"),
    ];
    let check = [&fields[..], &[("check", "1")]].concat();
    let checked = dashboard.post(NEW, NEW, &check).await;
    assert_eq!(checked.status, 200, "{}", checked.text);
    let there = async || space.clients().get_opt("order-desk").await.unwrap();
    assert!(there().await.is_none(), "a check stores nothing");
    let created = dashboard.post(NEW, NEW, &fields).await;
    let page = format!("/clients/{}/order-desk", space.name);
    assert_eq!((created.status, created.location()), (303, page.as_str()));
    let spec = there().await.unwrap().spec;
    assert_eq!(spec.display_name.as_deref(), Some("Order desk"));
}

#[tokio::test]
async fn yaml_fills_the_form_and_is_created_whole() {
    let space = TestNamespace::new("dashboard").await;
    let dashboard = administrator(&space).await;
    let yaml = "kind: OAuthClient\napiVersion: clientele.dev/v1alpha1\nmetadata: {name: web}\nspec: {displayName: Orders, requirePkce: true}\n";
    let filled = dashboard
        .post(NEW, NEW, &[("take", "1"), ("yaml", yaml)])
        .await;
    assert_eq!(filled.status, 200, "{}", filled.text);
    for shown in ["value=\"Orders\"", "requirePkce: true"] {
        assert!(filled.text.contains(shown), "{shown}: {}", filled.text);
    }
    assert!(space.clients().get_opt("web").await.unwrap().is_none());
    let base = hidden(&filled.text, "base").replace("&#34;", "\"");
    let fields = [
        ("base", base.as_str()),
        ("display-name", "Orders"),
        ("name", "web"),
        ("namespace", space.name.as_str()),
        ("type", "Confidential"),
        ("tenant", "default"),
    ];
    let created = dashboard.post_with(&filled.text, NEW, &fields).await;
    assert_eq!(created.status, 303, "{}", created.text);
    let spec = space.clients().get("web").await.unwrap().spec;
    assert_eq!(spec.require_pkce, Some(true));

    let other = [("take", "1"), ("yaml", "kind: Secret")];
    let refused = dashboard.post(NEW, NEW, &other).await;
    assert_eq!(refused.status, 400);
    let said = refused.text.matches("cannot be taken over").count();
    assert_eq!(said, 1, "{}", refused.text);
}

#[tokio::test]
async fn an_edit_changes_what_it_shows_and_nothing_else() {
    let space = TestNamespace::new("dashboard").await;
    let spec = json!({
        "displayName": "Orders <b>", "firstParty": true, "requirePkce": true, "suspended": true,
        "redirectUris": ["https://orders.example/cb"],
    });
    let before = space.create("web", spec).await.spec;
    let dashboard = administrator(&space).await;
    let path = format!("/clients/{}/web/edit", space.name);
    let page = dashboard.get(&path).await;
    let fields = [
        ("display-name", "Orders <b>"),
        ("type", "Confidential"),
        (
            "redirect-uris",
            "https://orders.example/cb\r\nhttps://b.example/",
        ),
    ];
    let saved = edit(&dashboard, &page, &path, &fields).await;
    let there = format!("/clients/{}/web", space.name);
    assert_eq!(
        (saved.status, saved.location()),
        (303, there.as_str()),
        "{}",
        saved.text
    );
    let mut expected = before;
    expected.first_party = false;
    expected.redirect_uris.push("https://b.example/".into());
    assert_eq!(space.clients().get("web").await.unwrap().spec, expected);
}

#[tokio::test]
async fn o08_a_change_by_another_person_is_shown_and_kept() {
    let space = TestNamespace::new("dashboard").await;
    let spec = json!({ "displayName": "Orders", "firstParty": true, "suspended": true });
    space.create("web", spec).await;
    let dashboard = administrator(&space).await;
    let path = format!("/clients/{}/web/edit", space.name);
    let page = dashboard.get(&path).await;
    space
        .patch("web", json!({ "spec": { "firstParty": false } }))
        .await;
    let fields = [
        ("display-name", "Desk"),
        ("type", "Confidential"),
        ("first-party", "on"),
    ];
    let refused = edit(&dashboard, &page, &path, &fields).await;
    assert_eq!(refused.status, 409, "{}", refused.text);
    for shown in [
        "value=\"Desk\"",
        "<del><bdi>yes</bdi></del> became <ins><bdi>no</bdi></ins>",
    ] {
        assert!(refused.text.contains(shown), "{shown}: {}", refused.text);
    }
    let object = space.clients().get("web").await.unwrap();
    assert_eq!(object.spec.display_name.as_deref(), Some("Orders"));
    // The form of that page is about what is stored now.
    let meta = object.metadata;
    let version = format!("{}/{}", meta.uid.unwrap(), meta.generation.unwrap());
    assert_eq!(hidden(&refused.text, "version"), version);
}

#[tokio::test]
async fn a_client_of_git_is_changed_here_only_when_confirmed() {
    let space = TestNamespace::new("dashboard").await;
    let spec = json!({ "displayName": "Orders", "suspended": true });
    space.create("web", spec).await;
    let labels = json!({ "kustomize.toolkit.fluxcd.io/name": "apps" });
    space
        .patch("web", json!({ "metadata": { "labels": labels } }))
        .await;
    let dashboard = administrator(&space).await;
    let there = format!("/clients/{}/web", space.name);
    let path = format!("{there}/edit");
    let page = dashboard.get(&there).await.text;
    assert!(
        page.contains("Flux") && page.contains("manages this client"),
        "{page}"
    );
    let page = dashboard.get(&path).await;
    let fields = [("display-name", "Desk"), ("type", "Confidential")];
    let refused = edit(&dashboard, &page, &path, &fields).await;
    assert_eq!(refused.status, 422);
    assert!(
        refused.text.contains("displayName: Desk"),
        "{}",
        refused.text
    );
    let name = async || space.clients().get("web").await.unwrap().spec.display_name;
    assert_eq!(name().await.as_deref(), Some("Orders"));
    let confirmed = [&fields[..], &[("anyway", "yes")]].concat();
    let saved = edit(&dashboard, &page, &path, &confirmed).await;
    assert_eq!(saved.status, 303, "{}", saved.text);
    assert_eq!(name().await.as_deref(), Some("Desk"));
}
