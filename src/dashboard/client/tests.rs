//! The pages, at an API server that is a function.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, Response, StatusCode};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http_body_util::BodyExt;
use kube::client::Body as KubeBody;
use serde_json::{Value, json};
use tower::{ServiceExt, service_fn};

use crate::cluster::Cluster;
use crate::form::{Fields, Form};
use crate::person::Caller;
use crate::rows::Rows;

/// A client secret of the right form.
const CANARY: &str = "clt_rootkey100000001.canarycanarycanarycanarycanarycanarycanaABC0a1B2c";

/// An API server with one client, and with what it was asked.
#[derive(Clone)]
struct Server {
    client: Arc<Mutex<Value>>,
    asked: Arc<Mutex<Vec<(String, Value)>>>,
    /// What a write is answered with instead of being stored.
    refusal: Option<Value>,
    /// Whether access reviews say no.
    denied: bool,
    read_only: bool,
}

fn web() -> Value {
    json!({
        "apiVersion": "clientele.dev/v1alpha1", "kind": "OAuthClient",
        "metadata": { "name": "web", "namespace": "apps", "uid": "u1", "generation": 1, "resourceVersion": "7" },
        "spec": { "type": "Confidential", "tenant": "default", "firstParty": true, "displayName": "Orders <b>",
                  "redirectUris": ["https://orders.example/cb"], "requirePkce": true },
        "status": { "observedGeneration": 1, "clientId": "apps.web", "issuer": "https://id.example", "secretName": "web-oauth",
                    "secretGeneration": { "requested": 1, "published": 1, "oldestAccepted": 1 },
                    "conditions": [{ "type": "Ready", "status": "True", "reason": "Registered", "message": "works", "lastTransitionTime": "2026-11-30T00:00:00Z" }] },
    })
}

impl Server {
    fn new() -> Self {
        assert_eq!(CANARY.len(), clientele_oauth::client::secret::SECRET_LEN);
        Self {
            client: Arc::new(Mutex::new(web())),
            asked: Arc::default(),
            refusal: None,
            denied: false,
            read_only: false,
        }
    }

    fn answer(&self, method: &Method, uri: &str, body: Value) -> (u16, Value) {
        self.asked
            .lock()
            .unwrap()
            .push((format!("{method} {uri}"), body.clone()));
        let path = uri.split('?').next().unwrap();
        let write = matches!(
            *method,
            Method::POST | Method::PUT | Method::PATCH | Method::DELETE
        );
        if path.ends_with("selfsubjectaccessreviews") {
            return (201, json!({ "status": { "allowed": !self.denied } }));
        }
        if let (true, Some(refusal)) = (write, &self.refusal) {
            return (
                u16::try_from(refusal["code"].as_u64().unwrap()).unwrap(),
                refusal.clone(),
            );
        }
        let data = json!({ "CLIENT_ID": STANDARD.encode("apps.web"), "CLIENT_SECRET": STANDARD.encode(CANARY) });
        match path {
            _ if path.ends_with("/secrets/web-oauth") => (200, json!({ "data": data })),
            _ if path.ends_with("/oauthclients/web") => {
                if *method == Method::PUT && !uri.contains("dryRun") {
                    *self.client.lock().unwrap() = body;
                }
                (200, self.client.lock().unwrap().clone())
            }
            _ if path.ends_with("/oauthtenants/default") => (200, json!({ "spec": {} })),
            _ if write => (201, body),
            _ => (200, json!({ "items": [] })),
        }
    }

    fn person(&self, fragment: bool) -> Caller {
        let server = self.clone();
        let service = service_fn(move |request: Request<KubeBody>| {
            let server = server.clone();
            async move {
                let (parts, body) = request.into_parts();
                let body = body.collect().await.unwrap().to_bytes();
                let body = serde_json::from_slice(&body).unwrap_or_default();
                let (code, value) = server.answer(&parts.method, &parts.uri.to_string(), body);
                let response = Response::builder().status(code);
                let body = KubeBody::from(value.to_string().into_bytes());
                Ok::<_, Infallible>(response.body(body).unwrap())
            }
        });
        Caller {
            cluster: Cluster::new(kube::Client::new(service, "apps"), "https://k8s"),
            namespace: "apps".to_owned(),
            place: "test".to_owned(),
            read_only: self.read_only,
            form_token: "token".into(),
            fragment,
            version: "1".into(),
            rows: Rows::new(),
        }
    }

    async fn send(&self, method: Method, path: &str, body: &str, fragment: bool) -> Shown {
        let mut request = Request::builder().method(method).uri(path);
        let extensions = request.extensions_mut().unwrap();
        extensions.insert(self.person(fragment));
        extensions.insert(Form(Fields::parse(body.as_bytes())));
        let request = request.body(Body::empty()).unwrap();
        let response = super::routes().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, 1 << 20).await.unwrap();
        Shown {
            status: parts.status,
            location: parts
                .headers
                .get("location")
                .map_or_else(String::new, |value| value.to_str().unwrap().to_owned()),
            unstored: parts
                .headers
                .get("cache-control")
                .is_some_and(|value| value == "no-store"),
            text: String::from_utf8(bytes.to_vec()).unwrap(),
        }
    }

    async fn get(&self, path: &str) -> Shown {
        self.send(Method::GET, path, "", false).await
    }

    async fn post(&self, path: &str, body: &str) -> Shown {
        self.send(Method::POST, path, body, false).await
    }

    /// The writes that were stored, or would have been.
    fn writes(&self) -> Vec<(String, Value)> {
        let asked = self.asked.lock().unwrap();
        let writes = asked.iter().filter(|(line, _)| {
            !line.starts_with("GET") && !line.contains("dryRun") && !line.contains("accessreviews")
        });
        writes.cloned().collect()
    }
}

struct Shown {
    status: StatusCode,
    location: String,
    unstored: bool,
    text: String,
}

const PAGES: [&str; 9] = [
    "",
    "/credentials",
    "/lifetimes",
    "/snippets",
    "/yaml",
    "/events",
    "/edit",
    "/delete",
    "/secret",
];

/// The fields of the form to edit, as its page has them.
async fn edit_fields(server: &Server, changed: &[(&str, &str)]) -> String {
    let page = server.get("/clients/apps/web/edit").await.text;
    let value = |name: &str| {
        let field = format!("name=\"{name}\" value=\"");
        let rest = page
            .split_once(&field)
            .unwrap_or_else(|| panic!("{name}: {page}"))
            .1;
        rest.split('"')
            .next()
            .unwrap()
            .replace("&#38;", "&")
            .replace("&amp;", "&")
    };
    let mut body = url::form_urlencoded::Serializer::new(String::new());
    for name in ["version", "was"] {
        body.append_pair(name, &value(name));
    }
    let shown = [
        ("display-name", "Orders <b>"),
        ("type", "Confidential"),
        ("redirect-uris", "https://orders.example/cb"),
        ("first-party", "on"),
    ];
    for (name, value) in shown {
        let new = changed.iter().find(|(changed, _)| *changed == name);
        match new.map(|(_, new)| *new) {
            Some("") if name == "first-party" => {}
            new => {
                body.append_pair(name, new.unwrap_or(value));
            }
        }
    }
    for (name, value) in changed
        .iter()
        .filter(|(name, _)| *name == "anyway" || *name == "check")
    {
        body.append_pair(name, value);
    }
    body.finish()
}

#[tokio::test]
async fn o07_no_get_holds_the_secret() {
    let server = Server::new();
    for page in PAGES {
        let shown = server.get(&format!("/clients/apps/web{page}")).await;
        assert!(
            shown.status.is_success() || shown.status == StatusCode::SEE_OTHER,
            "{page}: {}",
            shown.status
        );
        assert!(!shown.text.contains("clt_"), "{page}: {}", shown.text);
    }
    let asked = server.asked.lock().unwrap().clone();
    assert!(
        asked.iter().all(|(line, _)| !line.contains("/secrets/")),
        "{asked:?}"
    );
}

#[tokio::test]
async fn o07_the_secret_is_in_the_answer_to_a_post_only() {
    let server = Server::new();
    let shown = server.post("/clients/apps/web/secret", "").await;
    assert!(shown.unstored && shown.text.contains(CANARY));
    assert_eq!(shown.text.matches(CANARY).count(), 1, "in one element");
    let fragment = server
        .send(Method::POST, "/clients/apps/web/secret", "", true)
        .await;
    assert!(
        fragment.text.starts_with("<div id=\"secret\">"),
        "{}",
        fragment.text
    );
    assert_eq!(fragment.text.matches(CANARY).count(), 1);
    let copied = server.post("/clients/apps/web/secret/copy", "").await;
    assert!(copied.unstored && copied.text == CANARY);
    let again = server.get("/clients/apps/web/secret").await;
    assert_eq!(
        (again.status, again.location.as_str()),
        (StatusCode::SEE_OTHER, "/clients/apps/web")
    );
}

#[tokio::test]
async fn what_a_client_is_called_is_text_on_every_page() {
    let server = Server::new();
    for page in PAGES.into_iter().filter(|page| *page != "/secret") {
        let shown = server.get(&format!("/clients/apps/web{page}")).await.text;
        assert!(!shown.contains("Orders <b>"), "{page}");
        assert!(shown.contains("first-party</span>"), "{page}");
    }
    let page = server.get("/clients/apps/web").await.text;
    for expected in [
        "data-copy=\"apps.web\"",
        "https://id.example/token",
        "Registered",
        "action=\"/clients/apps/web/secret\"",
    ] {
        assert!(page.contains(expected), "{expected}: {page}");
    }
}

#[tokio::test]
async fn a_person_without_a_right_sees_which_one_is_missing() {
    let mut server = Server::new();
    server.denied = true;
    let page = server.get("/clients/apps/web").await.text;
    assert!(
        page.contains("You may not update oauthclients in namespace apps"),
        "{page}"
    );
    assert!(
        page.contains("You may not get secrets in namespace apps"),
        "{page}"
    );
    assert!(!page.contains("href=\"/clients/apps/web/edit\""), "{page}");
    assert!(
        !page.contains("action=\"/clients/apps/web/secret\""),
        "{page}"
    );
}

#[tokio::test]
async fn an_edit_changes_what_it_shows_and_nothing_else() {
    let server = Server::new();
    let body = edit_fields(
        &server,
        &[
            ("first-party", ""),
            (
                "redirect-uris",
                "https://orders.example/cb\r\nhttps://b.example/",
            ),
        ],
    )
    .await;
    let saved = server.post("/clients/apps/web/edit", &body).await;
    assert_eq!(
        (saved.status, saved.location.as_str()),
        (StatusCode::SEE_OTHER, "/clients/apps/web"),
        "{}",
        saved.text
    );
    let (line, written) = server.writes().pop().unwrap();
    assert!(line.contains("fieldValidation=Strict"), "{line}");
    let mut expected = web();
    expected["spec"]
        .as_object_mut()
        .unwrap()
        .remove("firstParty");
    expected["spec"]["redirectUris"] = json!(["https://orders.example/cb", "https://b.example/"]);
    assert_eq!(written, expected);
}

#[tokio::test]
async fn o08_a_change_by_another_person_is_shown_and_kept() {
    let server = Server::new();
    let body = edit_fields(&server, &[("display-name", "Desk")]).await;
    {
        let mut client = server.client.lock().unwrap();
        client["metadata"]["generation"] = json!(2);
        client["spec"]["firstParty"] = json!(false);
    }
    let refused = server.post("/clients/apps/web/edit", &body).await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    assert!(refused.text.contains("value=\"Desk\""), "{}", refused.text);
    assert!(
        refused
            .text
            .contains("<del><bdi>yes</bdi></del> became <ins><bdi>no</bdi></ins>"),
        "{}",
        refused.text
    );
    assert!(server.writes().is_empty());
    // The form of that page is about what is stored now.
    assert!(refused.text.contains("value=\"u1/2\""), "{}", refused.text);
}

#[tokio::test]
async fn a_client_of_git_is_changed_here_only_when_confirmed() {
    let server = Server::new();
    server.client.lock().unwrap()["metadata"]["labels"] =
        json!({ "kustomize.toolkit.fluxcd.io/name": "apps" });
    let page = server.get("/clients/apps/web").await.text;
    assert!(
        page.contains("Flux") && page.contains("manages this client"),
        "{page}"
    );
    let body = edit_fields(&server, &[("display-name", "Desk")]).await;
    let refused = server.post("/clients/apps/web/edit", &body).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        refused.text.contains("displayName: Desk") && server.writes().is_empty(),
        "{}",
        refused.text
    );
    let body = edit_fields(&server, &[("display-name", "Desk"), ("anyway", "yes")]).await;
    assert_eq!(
        server.post("/clients/apps/web/edit", &body).await.status,
        StatusCode::SEE_OTHER
    );
    assert_eq!(server.writes().len(), 1);
}

#[tokio::test]
async fn a_refusal_is_at_its_field_and_keeps_what_was_typed() {
    let mut server = Server::new();
    server.refusal = Some(json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "reason": "Invalid", "code": 422, "message": "invalid",
        "details": { "name": "orders", "causes": [{ "field": "spec.redirectUris[0]", "message": "Invalid value: \"ftp://x\": must begin with https://" }] },
    }));
    let body = "display-name=Orders&namespace=apps&type=Confidential&redirect-uris=ftp%3A%2F%2Fx&tenant=staff&first-party=on&preset=grafana";
    let refused = server.post("/clients/new", body).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        refused
            .text
            .contains("id=\"wrong-redirect-uris\">Line 1: Must begin with https://."),
        "{}",
        refused.text
    );
    for kept in [
        "value=\"Orders\"",
        "ftp://x</textarea>",
        "value=\"staff\"",
        "value=\"grafana\"",
        "name=\"first-party\" value=\"on\" checked",
    ] {
        assert!(refused.text.contains(kept), "{kept}: {}", refused.text);
    }
    let typing = server
        .send(
            Method::POST,
            "/clients/new",
            &format!("{body}&check=1"),
            true,
        )
        .await;
    assert_eq!(typing.status, StatusCode::OK);
    assert!(
        typing
            .text
            .contains("id=\"wrong-redirect-uris\" hx-swap-oob=\"true\""),
        "{}",
        typing.text
    );
    assert!(
        typing.text.contains("format: Grafana") && !typing.text.contains("<html"),
        "{}",
        typing.text
    );
}

#[tokio::test]
async fn a_new_client_is_written_once_and_shown() {
    let server = Server::new();
    let body = "display-name=Order+desk&namespace=apps&type=Confidential&redirect-uris=https%3A%2F%2Fa.example%2F&tenant=default&preset=web-app";
    let checked = server
        .post("/clients/new", &format!("{body}&check=1"))
        .await;
    assert_eq!(checked.status, StatusCode::OK);
    assert!(server.writes().is_empty());
    let created = server.post("/clients/new", body).await;
    assert_eq!(
        (created.status, created.location.as_str()),
        (StatusCode::SEE_OTHER, "/clients/apps/order-desk")
    );
    let (line, written) = server.writes().pop().unwrap();
    assert!(line.contains("/namespaces/apps/oauthclients?"), "{line}");
    assert_eq!(written["spec"]["displayName"], "Order desk");
}

#[tokio::test]
async fn yaml_fills_the_form_and_is_created_whole() {
    let server = Server::new();
    let yaml = "kind: OAuthClient\napiVersion: clientele.dev/v1alpha1\nmetadata: {name: web}\nspec: {displayName: Orders, requirePkce: true}\n";
    let mut body = url::form_urlencoded::Serializer::new(String::new());
    body.append_pair("take", "1").append_pair("yaml", yaml);
    let filled = server.post("/clients/new", &body.finish()).await;
    assert_eq!(filled.status, StatusCode::OK);
    assert!(
        filled.text.contains("value=\"Orders\"") && filled.text.contains("requirePkce: true"),
        "{}",
        filled.text
    );
    assert!(server.writes().is_empty());
    let refused = server
        .post("/clients/new", "take=1&yaml=kind%3A+Secret")
        .await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    assert!(
        refused.text.contains("cannot be taken over"),
        "{}",
        refused.text
    );
    assert!(refused.text.matches("cannot be taken over").count() == 1);
}

#[tokio::test]
async fn a_delete_needs_the_name_and_names_the_object() {
    let server = Server::new();
    let page = server.get("/clients/apps/web/delete").await.text;
    assert!(
        page.contains("can no longer authenticate users") && page.contains("Suspend instead"),
        "{page}"
    );
    let refused = server
        .post("/clients/apps/web/delete", "confirm=wab&uid=u1")
        .await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        refused.text.contains("value=\"wab\"") && server.writes().is_empty(),
        "{}",
        refused.text
    );
    let done = server
        .post("/clients/apps/web/delete", "confirm=web&uid=u1")
        .await;
    assert_eq!(
        (done.status, done.location.as_str()),
        (StatusCode::SEE_OTHER, "/clients")
    );
    let (_, options) = server.writes().pop().unwrap();
    assert_eq!(options["preconditions"]["uid"], "u1");
}

#[tokio::test]
async fn o06_read_only_pages_write_nothing() {
    let mut server = Server::new();
    let body = edit_fields(&server, &[("display-name", "Desk")]).await;
    server.read_only = true;
    server.asked.lock().unwrap().clear();
    for (path, body) in [
        ("/clients/new", "display-name=a&namespace=apps"),
        ("/clients/new", "display-name=a&namespace=apps&check=1"),
        ("/clients/apps/web/edit", body.as_str()),
        ("/clients/apps/web/edit", &format!("{body}&check=1")),
        ("/clients/apps/web/delete", "confirm=web&uid=u1"),
        ("/clients/apps/web/rotate", ""),
        ("/clients/apps/web/suspend", ""),
        ("/clients/apps/web/resume", ""),
    ] {
        let shown = server.post(path, body).await;
        let check = body.contains("check=1");
        assert_eq!(
            shown.status,
            if check {
                StatusCode::OK
            } else {
                StatusCode::FORBIDDEN
            },
            "{path}"
        );
    }
    let asked = server.asked.lock().unwrap().clone();
    let mut asked = asked
        .iter()
        .filter(|(line, _)| !line.contains("accessreviews"));
    assert!(
        asked.all(|(line, _)| line.starts_with("GET")),
        "no dry run either"
    );
}

#[tokio::test]
async fn rotate_and_suspend_write_one_field() {
    let server = Server::new();
    let rotated = server.post("/clients/apps/web/rotate", "").await;
    let said = "/clients/apps/web/credentials?done=rotate&request=2";
    assert!(rotated.location.starts_with(said), "{}", rotated.location);
    server.post("/clients/apps/web/suspend", "").await;
    server.post("/clients/apps/web/resume", "").await;
    let writes: Vec<Value> = server.writes().into_iter().map(|(_, body)| body).collect();
    assert!(
        writes[0]["spec"]["rotation"]["requestId"].is_string(),
        "{writes:?}"
    );
    assert_eq!(writes[1], json!({ "spec": { "suspended": true } }));
    assert_eq!(writes[2], json!({ "spec": { "suspended": null } }));
}

#[tokio::test]
async fn the_overlap_is_set_back_although_the_browser_has_gone() {
    let server = Server::new();
    server.client.lock().unwrap()["spec"]["rotation"] = json!({ "maxOverlap": "24h" });
    let browser = server.clone();
    let browser = tokio::spawn(async move {
        let path = "/clients/apps/web/rotate";
        browser.post(path, "leaked=true").await
    });
    let pause = || tokio::time::sleep(Duration::from_millis(10));
    let story = async {
        // Read, patched, and read again to see whether the operator has answered.
        while server.asked.lock().unwrap().len() < 3 {
            pause().await;
        }
        browser.abort();
        let request = server.writes()[0].1["spec"]["rotation"]["requestId"].clone();
        let handled = json!({ "lastHandledRequestId": request });
        server.client.lock().unwrap()["status"]["rotation"] = handled;
        while server.writes().len() < 2 {
            pause().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), story)
        .await
        .unwrap();
    assert_eq!(
        server.writes()[1].1,
        json!({ "spec": { "rotation": { "maxOverlap": "24h" } } })
    );
}

#[tokio::test]
async fn an_overlap_of_nothing_is_not_taken_for_the_former_one() {
    let server = Server::new();
    server.client.lock().unwrap()["spec"]["rotation"] = json!({ "maxOverlap": "0s" });
    let page = server.get("/clients/apps/web/credentials").await.text;
    assert!(page.contains("maxOverlap is 0s"), "{page}");
    let browser = server.clone();
    let browser = tokio::spawn(async move {
        let path = "/clients/apps/web/rotate";
        browser.post(path, "leaked=true").await
    });
    while server.writes().is_empty() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let request = server.writes()[0].1["spec"]["rotation"]["requestId"].clone();
    let handled = json!({ "lastHandledRequestId": request });
    server.client.lock().unwrap()["status"]["rotation"] = handled;
    let done = browser.await.unwrap().location;
    assert!(done.contains("done=leaked&request="), "{done}");
    assert_eq!(server.writes().len(), 1, "nothing is set back");
}

#[tokio::test]
async fn suspending_what_a_tool_writes_is_confirmed() {
    let server = Server::new();
    let owned = |field: &str| json!([{ "manager": "kustomize-controller", "fieldsV1": { "f:spec": { field: {} } } }]);
    server.client.lock().unwrap()["metadata"]["managedFields"] = owned("f:suspended");
    for page in ["/credentials", "/delete"] {
        let page = server.get(&format!("/clients/apps/web{page}")).await.text;
        assert!(page.contains("id=\"anyway-suspended\""), "{page}");
    }
    for verb in ["suspend", "resume"] {
        let path = format!("/clients/apps/web/{verb}");
        let refused = server.post(&path, "").await;
        assert_eq!(refused.status, StatusCode::PRECONDITION_REQUIRED);
        assert!(server.writes().is_empty());
    }
    let path = "/clients/apps/web/suspend";
    let done = server.post(path, "anyway=yes").await;
    assert_eq!(done.status, StatusCode::SEE_OTHER);
    assert_eq!(server.writes().len(), 1);
    server.client.lock().unwrap()["metadata"]["managedFields"] = owned("f:type");
    let page = server.get("/clients/apps/web/credentials").await.text;
    assert!(!page.contains("anyway-suspended"));
    assert_eq!(server.post(path, "").await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn names_and_messages_turn_nothing_round() {
    let server = Server::new();
    {
        let mut client = server.client.lock().unwrap();
        client["spec"]["displayName"] = json!("a\u{202e}b");
        let ready = &mut client["status"]["conditions"][0];
        ready["status"] = json!("False");
        ready["reason"] = json!("FirstPartyNotAllowed");
        ready["message"] = json!("no \u{2067} more");
    }
    let page = server.get("/clients/apps/web").await.text;
    assert!(page.contains("<title>ab – Clientele</title>"), "{page}");
    assert!(page.contains("<bdi>no \u{2067} more</bdi>"), "{page}");
    assert!(page.contains("asks to be first-party"), "{page}");
    assert!(!page.contains("badge first-party"), "{page}");
}
