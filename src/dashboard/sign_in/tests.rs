//! From a visitor to a person and back, with an issuer and an API server that are functions.

use std::collections::HashMap;

use aws_lc_rs::digest::{SHA256, digest};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::HeaderMap;
use axum::http::header::{AUTHORIZATION, COOKIE, LOCATION, SET_COOKIE};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::json;
use tokio::net::TcpListener;
use tower::ServiceExt;

use super::*;
use crate::server::{Bound, ForPeople, serve};

const HOST: &str = "dashboard.example.com";
const ORIGIN: &str = "https://dashboard.example.com";
const CLIENT: &str = "system.clientele-dashboard";
/// Stands in every ID token: no answer may hold it.
const CANARY: &str = "canary0in0every0id0token";

/// What an authorization request asked for, by the code that was given for it.
type Codes = Arc<Mutex<HashMap<String, (HashMap<String, String>, Value)>>>;

/// An issuer, an API server, and the dashboard between them.
struct Stage {
    router: Router,
    codes: Codes,
    issuer: String,
    _folder: tempfile::TempDir,
}

/// A browser with its cookies.
#[derive(Default)]
struct Browser(HashMap<String, String>);

struct Shown {
    status: u16,
    headers: HeaderMap,
    text: String,
}

async fn listen(router: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(serve(listener, router, false));
    format!("http://{address}")
}

fn answer(status: u16, value: &Value) -> Response {
    let mut response = value.to_string().into_response();
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    response
}

async fn token(codes: Codes, request: Request) -> Response {
    let secret = format!("Basic {}", STANDARD.encode(format!("{CLIENT}:s3cret")));
    if request.headers()[AUTHORIZATION] != secret {
        return answer(401, &json!({ "error": "invalid_client" }));
    }
    let body = to_bytes(request.into_body(), 1 << 16).await.unwrap();
    let form = Fields::parse(&body);
    let Some((asked, claims)) = codes.lock().unwrap().remove(form.get("code")) else {
        return answer(400, &json!({ "error": "invalid_grant" }));
    };
    let hash = URL_SAFE_NO_PAD.encode(digest(&SHA256, form.get("code_verifier").as_bytes()));
    if asked["code_challenge"] != hash || form.get("redirect_uri") != asked["redirect_uri"] {
        return answer(400, &json!({ "error": "invalid_grant" }));
    }
    let payload = URL_SAFE_NO_PAD.encode(claims.to_string());
    answer(
        200,
        &json!({ "access_token": "a", "id_token": format!("e30.{payload}.{CANARY}") }),
    )
}

/// Each person sees one client, which is named after them.
async fn api(request: Request) -> Response {
    let bearer = request.headers()[AUTHORIZATION]
        .to_str()
        .unwrap()
        .to_owned();
    let claims = claims(&bearer).unwrap();
    let sub = text(&claims, "/sub");
    if sub == "unknown" {
        let status = json!({ "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "reason": "Unauthorized", "code": 401, "message": "Unauthorized" });
        return answer(401, &status);
    }
    if request
        .uri()
        .query()
        .is_some_and(|query| query.contains("watch=1"))
    {
        std::future::pending::<()>().await;
    }
    answer(
        200,
        &json!({
            "kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": { "resourceVersion": "7" },
            "columnDefinitions": [{ "name": "Name" }, { "name": "Client namespace" }],
            "rows": [{ "cells": [format!("of-{sub}"), "apps"], "object": null }],
        }),
    )
}

impl Stage {
    async fn new() -> Self {
        let codes = Codes::default();
        let issuer = Arc::new(Mutex::new(String::new()));
        let (of_token, of_document) = (codes.clone(), issuer.clone());
        let document = move || {
            let issuer = of_document.lock().unwrap().clone();
            async move {
                json!({
                    "issuer": issuer, "authorization_endpoint": format!("{issuer}/authorize"),
                    "token_endpoint": format!("{issuer}/token"), "end_session_endpoint": format!("{issuer}/logout"),
                })
                .to_string()
            }
        };
        let routes = Router::new()
            .route(
                "/.well-known/openid-configuration",
                axum::routing::get(document),
            )
            .route(
                "/token",
                axum::routing::post(move |request| token(of_token, request)),
            );
        *issuer.lock().unwrap() = listen(routes).await;
        let issuer = issuer.lock().unwrap().clone();
        let api_server = listen(Router::new().fallback(api)).await;
        let folder = tempfile::tempdir().unwrap();
        for (entry, value) in [
            ("ISSUER", issuer.as_str()),
            ("CLIENT_ID", CLIENT),
            ("CLIENT_SECRET", "s3cret"),
        ] {
            std::fs::write(folder.path().join(entry), value).unwrap();
        }
        let settings = settings(folder.path().to_owned(), api_server);
        let bound = Bound::for_people(&settings).await.unwrap();
        Self {
            router: bound.router(),
            codes,
            issuer,
            _folder: folder,
        }
    }

    /// A request as a browser sends it from this dashboard, or from `site`.
    async fn send(
        &self,
        browser: &mut Browser,
        method: &str,
        path: &str,
        more: &[(&str, &str)],
        body: &str,
    ) -> Shown {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", HOST);
        let cookies: Vec<String> = browser
            .0
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        request = request.header(COOKIE, cookies.join("; "));
        if !more.iter().any(|(name, _)| *name == "sec-fetch-site") {
            request = request.header("sec-fetch-site", "same-origin");
        }
        for (name, value) in more {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::from(body.to_owned())).unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        for line in parts.headers.get_all(SET_COOKIE) {
            let line = line.to_str().unwrap();
            assert!(
                line.contains("; Path=/; HttpOnly; SameSite=Lax; Secure")
                    && line.starts_with("__Host-"),
                "{line}"
            );
            let (name, value) = line.split(';').next().unwrap().split_once('=').unwrap();
            match value {
                "" => drop(browser.0.remove(name)),
                value => drop(browser.0.insert(name.to_owned(), value.to_owned())),
            }
        }
        let bytes = to_bytes(body, 1 << 20).await.unwrap();
        let shown = Shown {
            status: parts.status.as_u16(),
            text: String::from_utf8(bytes.to_vec()).unwrap(),
            headers: parts.headers,
        };
        let all = format!("{:?} {} {:?}", shown.headers, shown.text, browser.0);
        assert!(!all.contains(CANARY), "the ID token is in an answer");
        shown
    }

    async fn get(&self, browser: &mut Browser, path: &str) -> Shown {
        self.send(browser, "GET", path, &[], "").await
    }

    /// What the issuer sends the browser back with, for an authorization request.
    fn authorized(&self, request: &Shown, subject: &str, seconds: i64) -> String {
        let address = request.headers[LOCATION].to_str().unwrap();
        assert!(
            address.starts_with(&format!("{}/authorize?", self.issuer)),
            "{address}"
        );
        let url = url::Url::parse(address).unwrap();
        let asked: HashMap<String, String> = url.query_pairs().into_owned().collect();
        assert_eq!(asked["scope"], "openid profile groups");
        let code = format!("code-{}", asked["nonce"]);
        let claims = json!({
            "iss": self.issuer, "aud": CLIENT, "nonce": asked["nonce"], "sub": subject, "preferred_username": subject,
            "exp": Timestamp::now().as_second() + seconds, "canary": CANARY,
        });
        let state = asked["state"].clone();
        self.codes
            .lock()
            .unwrap()
            .insert(code.clone(), (asked, claims));
        format!("/callback?code={code}&state={state}")
    }

    /// Signs a person in who wanted to see `path`; the page that leads there.
    async fn enter(&self, browser: &mut Browser, subject: &str, path: &str, seconds: i64) -> Shown {
        let away = self.get(browser, path).await;
        assert_eq!(away.status, 303, "{}", away.text);
        let back = self.authorized(&away, subject, seconds);
        let link = [
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-mode", "navigate"),
            ("sec-fetch-dest", "document"),
        ];
        self.send(browser, "GET", &back, &link, "").await
    }
}

fn settings(credentials: PathBuf, api_server: String) -> ForPeople {
    ForPeople {
        listen: ([127, 0, 0, 1], 0).into(),
        read_only: false,
        sign_in: Settings {
            origin: ORIGIN.to_owned(),
            credentials,
            api_server,
            api_server_ca: None,
        },
        issuer_ca: None,
    }
}

fn form_token(page: &Shown) -> String {
    let (_, rest) = page
        .text
        .split_once("name=\"form_token\" value=\"")
        .unwrap();
    rest.split('"').next().unwrap().to_owned()
}

#[tokio::test]
async fn o15_each_person_sees_what_their_token_allows() {
    let stage = Stage::new().await;
    let (mut ada, mut bob) = (Browser::default(), Browser::default());
    let entered = stage.enter(&mut ada, "ada", "/clients?q=of", 600).await;
    assert_eq!(entered.status, 200);
    assert!(
        entered.text.contains("url=/clients?q=of"),
        "{}",
        entered.text
    );
    assert_eq!(ada.0.len(), 1, "the cookie of the sign-in is spent");
    stage.enter(&mut bob, "bob", "/", 600).await;
    for (browser, own, other) in [
        (&mut ada, "of-ada", "of-bob"),
        (&mut bob, "of-bob", "of-ada"),
    ] {
        let page = stage.get(browser, "/clients").await;
        assert!(
            page.text.contains(own) && !page.text.contains(other),
            "{}",
            page.text
        );
        assert_eq!(page.headers["cache-control"], "no-store");
    }
    // The form token of one person is none of the other.
    let token = form_token(&stage.get(&mut ada, "/clients").await);
    let body = format!("form_token={token}");
    let own = [("origin", ORIGIN)];
    let crossed = stage.send(&mut bob, "POST", "/sign-out", &own, &body).await;
    assert_eq!(crossed.status, 403);
    let out = stage.send(&mut ada, "POST", "/sign-out", &own, &body).await;
    assert!(
        out.text
            .contains("/logout?client_id=system.clientele-dashboard"),
        "{}",
        out.text
    );
    assert!(ada.0.is_empty());
    // Another tab that is open is not signed in again by itself.
    let stream = [("accept", "text/event-stream")];
    let other_tab = stage
        .send(&mut ada, "GET", "/clients/changes", &stream, "")
        .await;
    assert_eq!(other_tab.text, "event: gone\ndata: now\n\n");
    let other_tab = stage
        .send(&mut ada, "GET", "/clients", &[("hx-request", "true")], "")
        .await;
    assert_eq!(other_tab.headers["hx-redirect"], "/signed-out");
    assert!(
        stage
            .get(&mut ada, "/signed-out")
            .await
            .text
            .contains("You are signed out")
    );
    assert_eq!(stage.get(&mut ada, "/clients").await.status, 303);
    assert_eq!(stage.get(&mut bob, "/clients").await.status, 200);
}

#[tokio::test]
async fn o10_an_answer_works_once_and_in_its_browser_only() {
    let stage = Stage::new().await;
    let (mut ada, mut eve) = (Browser::default(), Browser::default());
    let away = stage.get(&mut ada, "/clients").await;
    let back = stage.authorized(&away, "ada", 600);
    // Login CSRF: the answer of one browser in another.
    let refused = stage.get(&mut eve, &back).await;
    assert_eq!((refused.status, eve.0.len()), (400, 0), "{}", refused.text);
    let with_wrong_state = back.replace("state=", "state=x");
    assert_eq!(stage.get(&mut ada, &with_wrong_state).await.status, 400);
    let other_issuer = format!("{back}&iss=https://evil.example");
    assert_eq!(stage.get(&mut ada, &other_issuer).await.status, 403);
    let kept = Browser(ada.0.clone());
    assert_eq!(stage.get(&mut ada, &back).await.status, 200);
    let mut again = kept;
    let twice = stage.get(&mut again, &back).await;
    assert_eq!(twice.status, 502, "the code is spent: {}", twice.text);
    assert!(twice.text.contains("sign in again"), "{}", twice.text);
    let mut other = Browser::default();
    let away = stage.get(&mut other, "/clients").await;
    let returned = stage.authorized(&away, "ada", 600);
    let code_state = returned.split("state=").nth(1).unwrap();
    let declined = stage
        .get(
            &mut other,
            &format!("/callback?error=access_denied&error_description=%3Cb%3E&state={code_state}"),
        )
        .await;
    assert_eq!(declined.status, 403);
    assert!(!declined.text.contains("<b>"), "{}", declined.text);
}

#[tokio::test]
async fn o16_nothing_is_shown_after_the_token_has_ended() {
    let stage = Stage::new().await;
    let mut ada = Browser::default();
    stage.enter(&mut ada, "ada", "/clients", 2).await;
    let fresh = stage
        .send(&mut ada, "GET", "/clients", &[("hx-request", "true")], "")
        .await;
    let session = ada.0.clone();
    // A token of two seconds is over soon.
    let ended = loop {
        let shown = stage
            .send(&mut ada, "GET", "/clients", &[("hx-request", "true")], "")
            .await;
        if shown.status != 200 {
            break shown;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert!(fresh.text.contains("of-ada"), "{}", fresh.text);
    assert_eq!(
        (ended.status, ended.headers["hx-refresh"].to_str().unwrap()),
        (401, "true")
    );
    let stream = stage
        .send(
            &mut ada,
            "GET",
            "/clients/changes",
            &[("accept", "text/event-stream")],
            "",
        )
        .await;
    assert_eq!(stream.text, "event: renew\ndata: now\n\n");
    let own = [("origin", ORIGIN)];
    let form = stage
        .send(&mut ada, "POST", "/clients/new", &own, "name=a")
        .await;
    assert!(
        form.status == 401 && form.text.contains("/signed-in"),
        "{}",
        form.text
    );
    let check = [("origin", ORIGIN), ("hx-request", "true")];
    let check = stage
        .send(&mut ada, "POST", "/clients/new", &check, "name=a")
        .await;
    assert!(
        check.text.starts_with("<div id=\"checked\""),
        "{}",
        check.text
    );
    // The renewal keeps session and form token, so that the form can be sent.
    stage.enter(&mut ada, "ada", "/signed-in", 600).await;
    assert_eq!(ada.0, session);
    assert!(
        stage
            .get(&mut ada, "/clients")
            .await
            .text
            .contains("of-ada")
    );
}

#[tokio::test]
async fn a_cluster_that_trusts_no_such_issuer_is_explained() {
    let stage = Stage::new().await;
    let mut someone = Browser::default();
    stage.enter(&mut someone, "unknown", "/clients", 600).await;
    let page = stage.get(&mut someone, "/clients").await;
    assert_eq!(page.status, 401);
    for named in [
        "The cluster does not trust this issuer",
        &stage.issuer,
        CLIENT,
        "kubectl clientele dashboard",
        "Sign out",
    ] {
        assert!(page.text.contains(named), "{named}: {}", page.text);
    }
}

#[tokio::test]
async fn o14_a_link_of_another_site_waits_for_the_person() {
    let stage = Stage::new().await;
    let mut ada = Browser::default();
    stage.enter(&mut ada, "ada", "/clients", 600).await;
    let link = [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-mode", "navigate"),
        ("sec-fetch-dest", "document"),
    ];
    let shown = stage
        .send(&mut ada, "GET", "/clients/new?preset=machine", &link, "")
        .await;
    assert!(
        shown.text.contains("href=\"/clients/new?preset=machine\"")
            && !shown.text.contains("http-equiv"),
        "{}",
        shown.text
    );
    assert!(!shown.text.contains("of-ada"));
    let home = stage.send(&mut ada, "GET", "/", &link, "").await;
    assert!(
        home.text.contains("http-equiv=\"refresh\""),
        "{}",
        home.text
    );
    let image = [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-mode", "no-cors"),
        ("sec-fetch-dest", "image"),
    ];
    assert_eq!(
        stage
            .send(&mut ada, "GET", "/clients", &image, "")
            .await
            .status,
        403
    );
    assert_eq!(
        stage
            .send(
                &mut ada,
                "POST",
                "/session",
                &[("origin", ORIGIN)],
                "token=a"
            )
            .await
            .status,
        403
    );
    assert_eq!(
        stage.get(&mut Browser::default(), "/healthz").await.text,
        "ok"
    );
}

#[tokio::test]
async fn n09_a_dashboard_at_the_issuer_does_not_start() {
    let folder = tempfile::tempdir().unwrap();
    let start = async |issuer: &str, origin: &str| {
        for (entry, value) in [("ISSUER", issuer), ("CLIENT_ID", CLIENT)] {
            std::fs::write(folder.path().join(entry), value).unwrap();
        }
        let mut settings = settings(folder.path().to_owned(), "https://k8s".to_owned());
        origin.clone_into(&mut settings.sign_in.origin);
        Bound::for_people(&settings)
            .await
            .err()
            .map(|failure| failure.to_string())
    };
    let at_issuer = start("https://dashboard.example.com/auth", ORIGIN)
        .await
        .unwrap();
    assert!(at_issuer.contains("a host name of its own"), "{at_issuer}");
    let with_path = start("https://id.example", "https://dashboard.example.com/d")
        .await
        .unwrap();
    assert!(with_path.contains("must have no path"), "{with_path}");
    assert_eq!(start("https://id.example", ORIGIN).await, None);
}
