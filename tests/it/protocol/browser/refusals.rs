//! A25, A31, A32: a refusal is seen by the person, by the developer and by an administrator, and lends our name to no site.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::support::ask::{Ask, ask};
use crate::support::browser::{Browser, Page};
use crate::support::logs::Logs;
use crate::support::people::{app, app_with};
use crate::support::test_server::TestServer;

async fn open(world: &TestServer, ask: &Ask) -> Page {
    Browser::new(world).open(&ask.url()).await
}

/// The request ID that a page shows.
fn request_id(page: &Page) -> String {
    let (_, rest) = page.reply.body.split_once("Request ID: <code>").unwrap();
    let id = rest.split('<').next().unwrap();
    assert_eq!(id.len(), 12, "{id}");
    id.to_owned()
}

/// The lines of the audit log with this event.
fn refusals(logs: &Logs) -> Vec<String> {
    let text = logs.text();
    let lines = text
        .lines()
        .filter(|line| line.contains("authorization_refused"));
    lines.map(str::to_owned).collect()
}

#[tokio::test]
async fn a_page_says_who_what_and_by_which_id_it_is_recorded() {
    let (logs, _guard) = Logs::capture();
    let world = TestServer::at_rest().await;
    let wrong = ask("team-a.app").with("redirect_uri", "https://evil.example");
    let page = open(&world, &wrong).await;
    page.stops(400, "invalid_request");
    let body = &page.reply.body;
    assert!(body.contains("<bdi>The App</bdi> sent you here"), "{body}");
    let (for_person, details) = body.split_once("<details>").unwrap();
    assert!(!for_person.contains("redirect_uri"));
    assert!(details.contains("redirect_uri is not among the redirect URIs"));
    assert!(details.contains("team-a.app"));
    let id = request_id(&page);
    let [line] = &refusals(&logs)[..] else {
        panic!("{:?}", refusals(&logs));
    };
    for part in [
        "client_id=\"team-a.app\"",
        "error=\"invalid_request\"",
        "redirect_uri is not among",
        "from=192.0.2.1",
        &format!("request_id=\"{id}\""),
    ] {
        assert!(line.contains(part), "{part} is not in {line}");
    }
    let text = logs.text();
    let logged = text
        .lines()
        .filter(|line| line.contains("browser request refused"));
    assert!(logged.clone().all(|line| line.contains(&*id)));
    assert_eq!(logged.count(), 1);
    assert!(!text.contains("evil.example"), "nothing of a stranger");
}

#[tokio::test]
async fn every_endpoint_of_a_browser_records_its_refusals() {
    let (logs, _guard) = Logs::capture();
    let world = TestServer::at_rest().await;
    for (path, status) in [
        ("/authorize", 400),
        ("/login", 400),
        ("/consent", 400),
        ("/logout?client_id=unknown", 400),
    ] {
        let page = Browser::new(&world).open(path).await;
        assert_eq!(page.reply.status, status, "{path}");
        let id = request_id(&page);
        assert!(refusals(&logs).last().unwrap().contains(&id), "{path}");
    }
    // What the client is told is recorded, and what it asks for without a page is not.
    let told = open(&world, &ask("team-a.app").without("response_type")).await;
    told.redirects("invalid_request");
    assert!(refusals(&logs)[4].contains("response_type is missing"));
    let silent = open(&world, &ask("team-a.app").with("prompt", "none")).await;
    silent.redirects("login_required");
    assert_eq!(refusals(&logs).len(), 5);
    let mut text = String::new();
    let mut registry = prometheus_client::registry::Registry::default();
    world.app.metrics.register(&mut registry);
    prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
    for labels in [
        "endpoint=\"login\",error=\"invalid_request\",client_id=\"\"",
        "endpoint=\"authorize\",error=\"invalid_request\",client_id=\"team-a.app\"",
    ] {
        let line = format!("clientele_authorization_refusals_total{{{labels}}} 1");
        assert!(text.contains(&line), "{line} is not in {text}");
    }
}

#[tokio::test]
async fn a32_a_flood_of_refusals_is_ten_lines_of_an_address() {
    let (logs, _guard) = Logs::capture();
    let world = TestServer::at_rest().await;
    for _ in 0..50 {
        open(&world, &ask("unknown"))
            .await
            .stops(400, "invalid_client");
    }
    assert_eq!(refusals(&logs).len(), 10);
    crate::support::clock::advance(std::time::Duration::from_mins(1));
    open(&world, &ask("unknown")).await;
    let lines = refusals(&logs);
    assert_eq!(lines.len(), 12);
    assert!(lines[10].contains("count=40"), "{}", lines[10]);
}

#[tokio::test]
async fn a25_a_suspended_client_says_so() {
    let world = TestServer::at_rest().await;
    world.change(|tenant| {
        let client = tenant.clients.remove("team-a.app").unwrap();
        tenant.suspended.insert(client.id.clone(), client);
    });
    let page = open(&world, &ask("team-a.app")).await;
    page.stops(400, "unauthorized_client");
    let body = &page.reply.body;
    assert!(
        body.contains("<bdi>The App</bdi> is switched off"),
        "{body}"
    );
    assert!(body.contains("this client is suspended"));
}

#[tokio::test]
async fn b06_a_refused_or_unknown_scope_is_named() {
    let world = TestServer::at_rest().await;
    let long = "x".repeat(80);
    for (scope, named) in [
        ("openid phone", "phone"),
        ("openid orders.read", "orders.read"),
        ("unknown", "unknown"),
        (&*long, "xxxx..."),
    ] {
        let page = open(&world, &ask("team-a.app").with("scope", scope)).await;
        page.redirects("invalid_scope");
        let description = page.told()["error_description"].clone();
        assert!(description.ends_with(named), "{description}");
    }
}

fn unsigned(payload: &str) -> String {
    let encoded = |text: &str| URL_SAFE_NO_PAD.encode(text);
    format!("{}.{}.", encoded(r#"{"alg":"none"}"#), encoded(payload))
}

#[tokio::test]
async fn b24_a_request_object_says_how_its_refusal_travels() {
    let world = TestServer::at_rest().await;
    let object = unsigned(
        r#"{"response_mode":"form_post","state":"inside","redirect_uri":"https://evil.example"}"#,
    );
    let request = ask("team-a.app").with("request", &object).without("state");
    let page = open(&world, &request).await;
    assert_eq!(page.reply.status, 200);
    let told = page.told();
    assert_eq!(page.form().action, crate::support::people::APP);
    assert_eq!(
        (&*told["error"], &*told["state"]),
        ("request_not_supported", "inside")
    );
    // Only once the redirect URI was judged, and nothing else of it is read.
    let page = open(
        &world,
        &request.clone().with("redirect_uri", "https://evil.example"),
    )
    .await;
    page.stops(400, "invalid_request");
    let odd = unsigned(r#"{"response_mode":"fragment","state":7}"#);
    let page = open(&world, &ask("team-a.app").with("request", &odd)).await;
    page.redirects("request_not_supported");
    assert_eq!(page.told()["state"], crate::support::ask::STATE);
}

#[tokio::test]
async fn a31_an_error_leads_to_an_unknown_host_by_a_click_only() {
    let world = TestServer::at_rest().await;
    world.change(|tenant| {
        for (id, first_party) in [("team-a.app", false), ("team-a.first", true)] {
            let client = app_with(id, |c| {
                c.redirect_hosts_listed = false;
                c.first_party = first_party;
            });
            tenant.clients.insert(id.into(), client.into());
        }
        let listed = app("team-a.second");
        tenant.clients.insert("team-a.second".into(), listed.into());
    });
    let wrong = |client: &str| ask(client).with("response_type", "token");
    let page = open(&world, &wrong("team-a.app")).await;
    assert_eq!(
        (page.reply.status, page.reply.header("location")),
        (200, "")
    );
    let body = &page.reply.body;
    assert!(body.contains("href=\"https://app.example/cb?error=unsupported_response_type"));
    assert!(
        !body.contains("http-equiv") && !body.contains("<script"),
        "no timer"
    );
    let posted = open(
        &world,
        &wrong("team-a.app").with("response_mode", "form_post"),
    )
    .await;
    assert!(!posted.reply.body.contains("<script"));
    assert_eq!(posted.told()["error"], "unsupported_response_type");
    // Whom an administrator vouches for, what shows nothing, and who is signed in.
    for request in [
        wrong("team-a.first"),
        wrong("team-a.second"),
        wrong("team-a.app").with("prompt", "none"),
    ] {
        open(&world, &request)
            .await
            .redirects("unsupported_response_type");
    }
    let mut browser = Browser::new(&world);
    browser.sign_in("alice").await;
    let page = browser.open(&wrong("team-a.app").url()).await;
    page.redirects("unsupported_response_type");
}
