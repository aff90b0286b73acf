//! The pages of one client: created, its secret revealed, edited, deleted, and what is refused on the way.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use clientele_api::OAuthClient;
use hyper::Request;
use kube::Api;
use kube::api::{Patch, PatchParams};
use kube::client::Body;
use reqwest::Method;
use reqwest::header::ORIGIN;
use serde_json::json;

use super::{administrator, member};
use crate::support::cluster::shared;
use crate::support::dashboard::{Dashboard, Shown, form_token, read};
use crate::support::proxy::Proxy;
use crate::support::test_namespace::{TestNamespace, eventually};

/// The value of a hidden field.
pub fn hidden(page: &str, name: &str) -> String {
    let field = format!("name=\"{name}\" value=\"");
    let (_, rest) = page
        .split_once(&field)
        .unwrap_or_else(|| panic!("{name}: {page}"));
    rest.split('"').next().unwrap().replace("&#38;", "&")
}

/// Sends the form to edit of this page with these fields.
pub async fn edit(
    dashboard: &Dashboard,
    page: &Shown,
    path: &str,
    fields: &[(&str, &str)],
) -> Shown {
    let (version, was) = (hidden(&page.text, "version"), hidden(&page.text, "was"));
    let sent = [("version", version.as_str()), ("was", was.as_str())];
    let fields = [&sent[..], fields].concat();
    dashboard.post_with(&page.text, path, &fields).await
}

/// The same with another name.
async fn rename(dashboard: &Dashboard, page: &Shown, path: &str, name: &str) -> Shown {
    let fields = [
        ("display-name", name),
        ("type", "Confidential"),
        ("redirect-uris", "https://orders.example.org/callback"),
    ];
    edit(dashboard, page, path, &fields).await
}

#[tokio::test]
async fn o07_a_client_from_the_form_to_its_end() {
    let space = TestNamespace::new("dashboard").await;
    let dashboard = administrator(&space).await;
    let fields = [
        ("preset", "web-app"),
        ("display-name", "Order desk"),
        ("namespace", space.name.as_str()),
        ("type", "Confidential"),
        ("redirect-uris", "https://orders.example.org/callback"),
        ("tenant", "default"),
    ];
    let created = dashboard
        .post("/clients/new", "/clients/new", &fields)
        .await;
    let there = format!("/clients/{}/order-desk", space.name);
    assert_eq!(
        (created.status, created.location()),
        (303, there.as_str()),
        "{}",
        created.text
    );
    space.wait_ready("order-desk").await;
    let taken = dashboard
        .post("/clients/new", "/clients/new", &fields)
        .await;
    assert_eq!(taken.status, 409);
    assert!(
        taken
            .text
            .contains("id=\"wrong-name\">An OAuthClient of this name exists"),
        "{}",
        taken.text
    );

    let id = format!("{}.order-desk", space.name);
    for tab in [
        "",
        "/credentials",
        "/lifetimes",
        "/snippets",
        "/yaml",
        "/events",
        "/edit",
        "/delete",
    ] {
        let page = dashboard.get(&format!("{there}{tab}")).await;
        assert_eq!(page.status, 200, "{tab}: {}", page.text);
        assert!(page.text.contains("Order desk"), "{tab}");
    }
    let overview = dashboard.get(&there).await.text;
    assert!(
        overview.contains(&format!("data-copy=\"{id}\"")),
        "{overview}"
    );
    let refused = dashboard
        .post(&there, &format!("{there}/delete"), &[("confirm", "order")])
        .await;
    assert_eq!(refused.status, 422);
    let uid = hidden(&dashboard.get(&format!("{there}/delete")).await.text, "uid");
    let fields = [("confirm", "order-desk"), ("uid", uid.as_str())];
    let deleted = dashboard
        .post(&there, &format!("{there}/delete"), &fields)
        .await;
    assert_eq!(
        (deleted.status, deleted.location()),
        (303, "/clients"),
        "{}",
        deleted.text
    );
    eventually("it was deleted", || async {
        match space.clients().get_opt("order-desk").await.unwrap() {
            None => Ok(()),
            Some(object) => Err(format!("{object:?}")),
        }
    })
    .await;
}

/// Every page of a client.
const PAGES: [&str; 9] = [
    "",
    "/credentials",
    "/lifetimes",
    "/snippets",
    "/test",
    "/yaml",
    "/events",
    "/edit",
    "/delete",
];

#[tokio::test]
async fn o07_no_get_holds_the_secret() {
    let space = TestNamespace::new("dashboard").await;
    space.ready("web", json!({})).await;
    let proxy = Proxy::of_administrator(&shared().cluster).await;
    let dashboard = Dashboard::start(proxy.client(), &space.name, false).await;
    let there = format!("/clients/{}/web", space.name);
    for page in PAGES {
        let shown = dashboard.get(&format!("{there}{page}")).await;
        assert_eq!(shown.status, 200, "{page}: {}", shown.text);
        assert!(!shown.text.contains("clt_"), "{page}: {}", shown.text);
    }
    let reloaded = dashboard.get(&format!("{there}/secret")).await;
    assert_eq!(
        (reloaded.status, reloaded.location()),
        (303, there.as_str())
    );
    assert_eq!(proxy.secret_reads(), 0, "no GET reads the Secret");
}

#[tokio::test]
async fn o07_the_secret_is_in_the_answer_to_a_post_only() {
    let space = TestNamespace::new("dashboard").await;
    space.ready("web", json!({})).await;
    let secret = space.entries("web-oauth").await["CLIENT_SECRET"].clone();
    let dashboard = administrator(&space).await;
    let there = format!("/clients/{}/web", space.name);
    let reveal = format!("{there}/secret");
    let shown = dashboard.post(&there, &reveal, &[]).await;
    assert_eq!(shown.headers["cache-control"], "no-store");
    let times = shown.text.matches(secret.as_str()).count();
    assert_eq!(times, 1, "in one element");
    let token = form_token(&shown.text);
    let request = dashboard.request(Method::POST, &reveal);
    let request = request.header(ORIGIN, &dashboard.origin);
    let request = request.header("hx-request", "true");
    let fragment = read(request.form(&[("form_token", token)])).await.text;
    assert!(fragment.starts_with("<div id=\"secret\">"), "{fragment}");
    assert_eq!(fragment.matches(secret.as_str()).count(), 1);
    let copied = dashboard.post(&there, &format!("{reveal}/copy"), &[]).await;
    assert_eq!(copied.headers["cache-control"], "no-store");
    assert_eq!(copied.text, secret, "exactly the value of the Secret");
}

#[tokio::test]
async fn what_a_client_is_called_is_text_on_every_page() {
    let space = TestNamespace::new("dashboard").await;
    let tenant = format!("called-{}", space.name);
    let own = json!({ "matchLabels": { "kubernetes.io/metadata.name": space.name } });
    let allows = json!({ "firstParty": { "namespaces": own } });
    space.try_create_tenant(&tenant, allows).await.unwrap();
    let spec = json!({
        "tenant": tenant, "displayName": "Orders <b>", "firstParty": true,
        "redirectUris": ["https://orders.example/cb"],
    });
    space.ready("web", spec).await;
    let dashboard = administrator(&space).await;
    let there = format!("/clients/{}/web", space.name);
    for page in PAGES {
        let shown = dashboard.get(&format!("{there}{page}")).await.text;
        assert!(!shown.contains("Orders <b>"), "{page}: {shown}");
        assert!(shown.contains("Orders &#60;b&#62;"), "{page}: {shown}");
        assert!(shown.contains("first-party</span>"), "{page}: {shown}");
    }
    let page = dashboard.get(&there).await.text;
    for expected in [
        "<title>Orders &#60;b&#62; – Clientele</title>".to_owned(),
        format!("data-copy=\"{}.web\"", space.name),
        format!("/t/{tenant}/token"),
        "Registered".to_owned(),
        format!("action=\"{there}/secret\""),
    ] {
        assert!(page.contains(&expected), "{expected}: {page}");
    }
}

#[tokio::test]
async fn o08_an_edit_keeps_fields_and_sees_a_conflict() {
    let space = TestNamespace::new("dashboard").await;
    let dashboard = administrator(&space).await;
    let spec = json!({
        "displayName": "Orders", "redirectUris": ["https://orders.example.org/callback"],
        "requirePkce": true, "lifetimes": { "accessToken": "5m" }, "secret": { "entries": { "clientId": "ID" } },
    });
    space.ready("web", spec).await;
    let there = format!("/clients/{}/web", space.name);
    let path = format!("{there}/edit");
    let (first, second) = (dashboard.get(&path).await, dashboard.get(&path).await);
    let saved = rename(&dashboard, &first, &path, "Desk").await;
    assert_eq!(
        (saved.status, saved.location()),
        (303, there.as_str()),
        "{}",
        saved.text
    );
    let object = space.clients().get("web").await.unwrap();
    assert_eq!(object.spec.display_name.as_deref(), Some("Desk"));
    assert_eq!(object.spec.require_pkce, Some(true));
    assert_eq!(object.spec.lifetimes.unwrap().access_token.unwrap().0, "5m");
    assert!(object.spec.secret.unwrap().entries.is_some());

    let conflict = rename(&dashboard, &second, &path, "Counter").await;
    assert_eq!(conflict.status, 409);
    assert!(
        conflict.text.contains("value=\"Counter\""),
        "{}",
        conflict.text
    );
    assert!(
        conflict
            .text
            .contains("<del><bdi>Orders</bdi></del> became <ins><bdi>Desk</bdi></ins>"),
        "{}",
        conflict.text
    );
    let again = rename(&dashboard, &conflict, &path, "Counter").await;
    assert_eq!(again.status, 303, "{}", again.text);
    let lifetimes = dashboard.get(&format!("{there}/lifetimes")).await.text;
    assert!(lifetimes.contains("5 minutes"), "{lifetimes}");
}

/// A connection on which something beside the spec is written before each of the first updates of an object, as when the operator
/// writes the status.
fn outrun(clients: Api<OAuthClient>, times: u32) -> kube::Client {
    let (kube, left) = (
        clients.clone().into_client(),
        Arc::new(AtomicU32::new(times)),
    );
    let service = tower::service_fn(move |request: Request<Body>| {
        let (clients, kube, left) = (clients.clone(), kube.clone(), left.clone());
        async move {
            let less = |left: u32| left.checked_sub(1);
            let (relaxed, is_update) = (Ordering::Relaxed, request.method() == "PUT");
            if is_update && let Ok(turn) = left.fetch_update(relaxed, relaxed, less) {
                let name = request.uri().path().rsplit('/').next().unwrap();
                let label = json!({ "metadata": { "labels": { "turn": turn.to_string() } } });
                let change = Patch::Merge(&label);
                clients
                    .patch(name, &PatchParams::default(), &change)
                    .await?;
            }
            kube.send(request).await
        }
    });
    kube::Client::new(service, "default")
}

#[tokio::test]
async fn o08_what_is_written_beside_the_spec_is_no_conflict() {
    let space = TestNamespace::new("dashboard").await;
    let spec = json!({ "redirectUris": ["https://orders.example.org/callback"] });
    space.ready("web", spec).await;
    let path = format!("/clients/{}/web/edit", space.name);
    for (times, expected) in [(3, 303), (u32::MAX, 409)] {
        let kube = outrun(space.clients(), times);
        let dashboard = Dashboard::start(kube, &space.name, false).await;
        let page = dashboard.get(&path).await;
        let name = format!("Desk {expected}");
        let saved = rename(&dashboard, &page, &path, &name).await;
        assert_eq!(saved.status, expected, "{}", saved.text);
        let object = space.clients().get("web").await.unwrap();
        let is_saved = object.spec.display_name == Some(name);
        assert_eq!(is_saved, expected == 303);
    }
}

#[tokio::test]
async fn what_the_api_server_refuses_is_at_its_field() {
    let space = TestNamespace::new("dashboard").await;
    let dashboard = administrator(&space).await;
    let long = "x".repeat(101);
    for (name, value, expected) in [
        (
            "redirect-uris",
            "https://a.example.org/\r\nhttps://b.example.org/#x",
            "id=\"wrong-redirect-uris\">Line 2: ",
        ),
        (
            "display-name",
            long.as_str(),
            "id=\"wrong-display-name\">Too long",
        ),
        ("name", "Not_A_Name", "id=\"wrong-name\">"),
        (
            "namespace",
            "no-such-namespace",
            "id=\"wrong-namespace\">There is no such namespace",
        ),
        ("redirect-uris", "", "id=\"wrong-redirect-uris\">"),
        (
            "rotation-every",
            "720h",
            "id=\"wrong-rotation-every\">A Public client has no secret to rotate",
        ),
        (
            "rotation-max-overlap",
            "1 week",
            "id=\"wrong-rotation-max-overlap\">Must be a duration",
        ),
        (
            "rotation-quiet-period",
            "200h",
            "id=\"wrong-rotation-quiet-period\">quietPeriod must be at most maxOverlap",
        ),
    ] {
        let mut fields = vec![
            ("display-name", "Orders"),
            ("name", "orders"),
            ("namespace", space.name.as_str()),
            ("redirect-uris", "https://a.example.org/"),
            ("type", "Public"),
            ("preset", "single-page-app"),
            ("rotation-every", ""),
            ("rotation-quiet-period", ""),
            ("rotation-max-overlap", ""),
        ];
        for field in &mut fields {
            if field.0 == name {
                field.1 = value;
            }
        }
        let refused = dashboard
            .post("/clients/new", "/clients/new", &fields)
            .await;
        assert!(
            (400..500).contains(&refused.status) && refused.text.contains(expected),
            "{name}: {} {}",
            refused.status,
            refused.text
        );
        assert!(
            !refused.text.contains(&format!("{expected}</p>")),
            "{name}: no message"
        );
    }
    assert!(space.clients().get_opt("orders").await.unwrap().is_none());
}

#[tokio::test]
async fn the_schedule_of_rotation_is_set_and_taken_back() {
    let space = TestNamespace::new("dashboard").await;
    let dashboard = administrator(&space).await;
    let rotation = json!({ "requestId": "INC-1", "quietPeriod": "2h" });
    space
        .ready("job", json!({ "rotation": rotation.clone() }))
        .await;
    let there = format!("/clients/{}/job", space.name);
    let path = format!("{there}/edit");
    let send = async |every: &str, more: &str| {
        let page = dashboard.get(&path).await;
        let fields = [
            ("type", "Confidential"),
            ("rotation-every", every),
            ("rotation-max-overlap", more),
            ("rotation-quiet-period", "2h"),
        ];
        edit(&dashboard, &page, &path, &fields).await
    };
    // The default overlap is 168h, and the rule is about both.
    let refused = send("24h", "").await;
    let said =
        "id=\"wrong-rotation-every\">Every must be longer than maxOverlap (168h unless you set it)";
    assert_eq!(refused.status, 422, "{}", refused.text);
    assert!(refused.text.contains(said), "{}", refused.text);
    assert!(refused.text.contains("value=\"24h\" placeholder=\"never\""));
    let saved = send("24h", "12h").await;
    assert_eq!(saved.status, 303, "{}", saved.text);
    let stored = async || {
        let object = space.clients().get("job").await.unwrap();
        serde_json::to_value(object.spec.rotation).unwrap()
    };
    assert_eq!(
        stored().await,
        json!({ "every": "24h", "maxOverlap": "12h", "quietPeriod": "2h", "requestId": "INC-1" })
    );
    let page = dashboard.get(&format!("{there}/credentials")).await.text;
    assert!(
        page.contains("24 hours") && page.contains("12 hours"),
        "{page}"
    );
    let saved = send("", "").await;
    assert_eq!(saved.status, 303, "{}", saved.text);
    assert_eq!(stored().await, rotation);
}

#[tokio::test]
async fn a_member_sees_what_is_missing_and_can_do_no_more() {
    let space = TestNamespace::new("dashboard").await;
    space.ready("web", json!({})).await;
    let dashboard = member(&space, "get,list,watch").await;
    let there = format!("/clients/{}/web", space.name);
    let page = dashboard.get(&there).await;
    assert_eq!(page.status, 200, "{}", page.text);
    for expected in [
        "You may not update oauthclients",
        "You may not get secrets",
        "rolebinding",
    ] {
        assert!(page.text.contains(expected), "{expected}: {}", page.text);
    }
    for offered in [
        format!("href=\"{there}/edit\""),
        format!("action=\"{there}/secret\""),
    ] {
        assert!(!page.text.contains(&offered), "{offered}: {}", page.text);
    }
    // The rights are those of the API server, whatever the page offers.
    let from = format!("{there}/credentials");
    for (path, fields) in [
        ("secret", vec![]),
        ("secret/copy", vec![]),
        ("suspend", vec![]),
        ("rotate", vec![]),
        ("delete", vec![("confirm", "web"), ("uid", "")]),
    ] {
        let refused = dashboard
            .post(&from, &format!("{there}/{path}"), &fields)
            .await;
        assert_eq!(refused.status, 403, "{path}: {}", refused.text);
        assert!(!refused.text.contains("clt_"), "{path}");
    }
}
