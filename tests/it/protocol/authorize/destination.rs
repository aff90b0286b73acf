//! A01–A30: who asks, and where the answer goes. Whatever is wrong with that, the browser is sent nowhere.

use axum::body::Body;
use axum::http::Request;
use axum::http::header::CONTENT_TYPE;
use clientele_oauth::{Client, ClientType, GrantType};

use crate::support::ask::{Ask, STATE, ask};
use crate::support::browser::{Browser, Page};
use crate::support::people::{APP, app_with};
use crate::support::test_server::{ISSUER_B, TestServer, list};

async fn open(world: &TestServer, ask: &Ask) -> Page {
    Browser::new(world).open(&ask.url()).await
}

/// What a client that has registered one redirect URI gets for another.
async fn asked_for(registered: &str, asked: &str) -> Page {
    let world = TestServer::at_rest().await;
    let client = app_with("team-a.test", |c| c.redirect_uris = list(&[registered]));
    add(&world, client);
    open(&world, &ask("team-a.test").with("redirect_uri", asked)).await
}

fn add(world: &TestServer, client: Client) {
    world.change(|tenant| {
        let client = client.with_default_claims(&tenant.issuer);
        tenant.clients.insert(client.id.clone(), client.into());
    });
}

#[tokio::test]
async fn a_valid_request_leads_to_the_page_to_sign_in() {
    let world = TestServer::at_rest().await;
    let page = open(&world, &ask("team-a.app")).await;
    assert_eq!((page.reply.status, page.path()), (200, "/login"));
    assert!(page.reply.body.contains("The App"), "{}", page.reply.body);
}

#[tokio::test]
async fn a01_a03_both_parameters_are_needed() {
    let world = TestServer::at_rest().await;
    for name in ["client_id", "redirect_uri"] {
        let without = open(&world, &ask("team-a.app").without(name)).await;
        without.stops(400, "invalid_request");
        let empty = open(&world, &ask("team-a.app").with(name, "")).await;
        empty.stops(400, "invalid_request");
    }
}

#[tokio::test]
async fn a02_an_unknown_client_sends_nobody_anywhere() {
    let world = TestServer::at_rest().await;
    for id in [
        "unknown",
        "TEAM-A.APP",
        "team-a.app ",
        "team-a.app\0",
        "subject-of-alice",
    ] {
        open(&world, &ask(id)).await.stops(400, "invalid_client");
    }
}

#[tokio::test]
async fn a04_to_a15_a20_any_other_redirect_uri_is_refused() {
    let world = TestServer::at_rest().await;
    for other in [
        "https://app.example/cb/",
        "https://app.example/cb?x=1",
        "https://app.example/cb/../evil",
        "https://app.example/cb/..;/evil",
        "https://app.example/cb%2f..%2fevil",
        "https://app.example/%63b",
        "https://app.example/%2563b",
        "https://app.example@evil.example/cb",
        "https://a@b@app.example/cb",
        "https://app.example.evil.example/cb",
        "https://appXexample/cb",
        "HTTPS://APP.EXAMPLE/cb",
        "https://app.example:443/cb",
        "https://app.example/cb#frag",
        "http://app.example/cb",
        "javascript:alert(1)",
        "data:text/html,x",
        "vbscript:x",
        "blob:https://app.example/x",
        "https://app.example/cb\r\nLocation: https://evil.example",
        "https://app.example/cb\0",
        "https://app.example/cb\t",
        "https://app.example\\@evil",
        "https://app。example/cb",
        "https://\u{430}pp.example/cb",
        "//evil.example",
        "/cb",
        "cb",
    ] {
        let page = open(&world, &ask("team-a.app").with("redirect_uri", other)).await;
        page.stops(400, "invalid_request");
        assert!(!page.reply.body.contains("evil"), "nothing of it is shown");
    }
}

#[tokio::test]
async fn a16_to_a19_only_the_port_of_a_loopback_literal_may_vary() {
    let good = [
        ("http://127.0.0.1/cb", "http://127.0.0.1:51004/cb"),
        ("http://[::1]/cb", "http://[::1]:9/cb"),
    ];
    for (registered, asked) in good {
        let page = asked_for(registered, asked).await;
        assert_eq!((page.reply.status, page.path()), (200, "/login"), "{asked}");
    }
    for asked in [
        "http://localhost:51004/cb",
        "http://127.0.0.2/cb",
        "http://127.1/cb",
        "http://2130706433/cb",
        "http://127.0.0.1:80:81/cb",
        "http://127.0.0.1:0/cb",
        "http://127.0.0.1:99999/cb",
        "http://127.0.0.1:@evil/cb",
    ] {
        let page = asked_for("http://127.0.0.1/cb", asked).await;
        page.stops(400, "invalid_request");
    }
    let page = asked_for("http://[::1]/cb", "http://[0:0:0:0:0:0:0:1]:9/cb").await;
    page.stops(400, "invalid_request");
}

#[tokio::test]
async fn a16_a17_a_public_client_may_name_any_port_of_localhost() {
    let world = TestServer::at_rest().await;
    world.change(|tenant| {
        for (id, client_type) in [
            ("team-a.native", ClientType::Public),
            ("team-a.app", ClientType::Confidential),
        ] {
            let client = Client {
                client_type,
                redirect_uris: ["http://localhost/cb".into()].into(),
                ..(*tenant.clients[id]).clone()
            };
            tenant.clients.insert(id.into(), client.into());
        }
    });
    for (asked, allowed) in [
        ("http://localhost:51004/cb", true),
        ("http://localhost.evil.example:51004/cb", false),
        ("http://a.localhost:51004/cb", false),
        ("http://127.0.0.1:51004/cb", false),
        ("http://localhost:51004/other", false),
    ] {
        let native = ask("team-a.native").with("redirect_uri", asked);
        let page = open(&world, &native).await;
        if allowed {
            assert_eq!((page.reply.status, page.path()), (200, "/login"), "{asked}");
        } else {
            page.stops(400, "invalid_request");
        }
        let confidential = ask("team-a.app").with("redirect_uri", asked);
        open(&world, &confidential)
            .await
            .stops(400, "invalid_request");
    }
}

#[tokio::test]
async fn a21_the_redirect_uri_of_another_client_is_refused() {
    let world = TestServer::at_rest().await;
    open(&world, &ask("team-a.spa"))
        .await
        .stops(400, "invalid_request");
}

#[tokio::test]
async fn a22_a_client_of_another_tenant_is_unknown() {
    let world = TestServer::at_rest().await;
    open(&world, &ask("b.app"))
        .await
        .stops(400, "invalid_client");
    let query = ask("team-a.app").query();
    let page = Browser::new(&world)
        .open(&format!("{ISSUER_B}/authorize?{query}"))
        .await;
    page.stops(400, "invalid_client");
}

#[tokio::test]
async fn a23_a24_each_stands_once_and_in_one_place() {
    let world = TestServer::at_rest().await;
    for (name, value) in [
        ("redirect_uri", APP),
        ("redirect_uri", "https://evil.example"),
        ("redirect_uri", ""),
        ("client_id", "team-a.app"),
        ("client_id", "team-a.second"),
    ] {
        let twice = open(&world, &ask("team-a.app").and(name, value)).await;
        twice.stops(400, "invalid_request");
    }
    let query = ask("team-a.app").query();
    for url in [
        "/authorize?client_id=team-a.app",
        "/authorize?client_id=team-a.second",
        "/authorize?x=1",
    ] {
        let page = Browser::new(&world).post_raw(url, &query).await;
        page.stops(400, "invalid_request");
    }
}

#[tokio::test]
async fn a25_a_client_that_goes_while_somebody_signs_in_gets_no_code() {
    let world = TestServer::at_rest().await;
    let mut browser = Browser::new(&world);
    let login = browser.open(&ask("team-a.app").url()).await;
    world.change(|tenant| drop(tenant.clients.remove("team-a.app")));
    open(&world, &ask("team-a.app"))
        .await
        .stops(400, "invalid_client");
    let page = browser.sign_in_at(&login, "alice").await;
    page.stops(400, "invalid_client");

    world.change(|_| ());
    let consent = browser.sign_in_at(&login, "alice").await;
    assert_eq!(consent.path(), "/consent");
    for (change, code) in [
        (None, "invalid_client"),
        (Some("https://app.example/moved"), "invalid_request"),
    ] {
        world.change(|tenant| {
            tenant.clients.remove("team-a.app");
            if let Some(uri) = change {
                let moved = app_with("team-a.app", |c| c.redirect_uris = list(&[uri]));
                tenant.clients.insert("team-a.app".into(), moved.into());
            }
        });
        let page = browser.submit(&consent, &[("decision", "allow")]).await;
        page.stops(400, code);
    }
    // A client of the same name, and the same redirect URI, is another one.
    world.change(|tenant| {
        let again = app_with("team-a.app", |c| c.uid = "another-uid".into());
        tenant.clients.insert("team-a.app".into(), again.into());
    });
    let page = browser.submit(&consent, &[("decision", "allow")]).await;
    page.stops(400, "invalid_request");
}

#[tokio::test]
async fn e17_a_grant_lost_during_a_sign_in_is_reported_to_the_client() {
    let world = TestServer::at_rest().await;
    let mut browser = Browser::new(&world);
    let login = browser.open(&ask("team-a.app").url()).await;
    world.change(|tenant| {
        let machine = app_with("team-a.app", |c| {
            c.grant_types = [GrantType::ClientCredentials].into();
        });
        tenant.clients.insert("team-a.app".into(), machine.into());
    });
    let page = browser.sign_in_at(&login, "alice").await;
    page.redirects("unauthorized_client");
}

#[tokio::test]
async fn a26_a_client_without_the_grant_is_told() {
    let world = TestServer::at_rest().await;
    add(
        &world,
        app_with("team-a.machine", |c| {
            c.grant_types = [GrantType::ClientCredentials].into();
        }),
    );
    let page = open(&world, &ask("team-a.machine")).await;
    page.redirects("unauthorized_client");
}

#[tokio::test]
async fn a27_nothing_that_was_sent_stands_unescaped_on_a_page() {
    let world = TestServer::at_rest().await;
    let script = "\"><script>alert(1)</script>";
    for request in [
        ask(script),
        ask("team-a.app").with("redirect_uri", script),
        ask("team-a.app").with("login_hint", script),
        ask("team-a.app")
            .with("ui_locales", script)
            .with("state", script),
        ask("team-a.app").with("error_description", script),
    ] {
        let page = open(&world, &request).await;
        assert!(!page.reply.body.contains("<script"), "{}", page.reply.body);
        let policy = page.reply.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'"), "{policy}");
        assert!(
            !policy.contains("unsafe") && !policy.contains("script-src"),
            "{policy}"
        );
    }
}

#[tokio::test]
async fn a28_a_post_does_the_same_as_a_get() {
    let world = TestServer::at_rest().await;
    let mut browser = Browser::new(&world);
    let page = browser
        .post_raw("/authorize", &ask("team-a.first").query())
        .await;
    assert_eq!(
        (page.path(), &page.statuses[..]),
        ("/login", &[303, 200][..])
    );
    let told = browser.sign_in_at(&page, "alice").await.told();
    assert_eq!(told["state"], STATE);
    assert!(told["code"].starts_with("clc_"));
    // Errors, too, and those about the destination.
    for (request, error) in [
        (
            ask("team-a.app").without("response_type"),
            "invalid_request",
        ),
        (
            ask("team-a.app").with("state", &"x".repeat(30_000)),
            "invalid_request",
        ),
    ] {
        let page = browser.post_raw("/authorize", &request.query()).await;
        page.redirects(error);
    }
    let page = browser
        .post_raw("/authorize", &ask("unknown").query())
        .await;
    page.stops(400, "invalid_client");
}

#[tokio::test]
async fn a28_a_cross_site_post_finds_the_session_by_a_get_after_it() {
    let world = TestServer::at_rest().await;
    let mut browser = Browser::new(&world);
    browser.sign_in("alice").await;
    // What a browser sends with a form of another site: no cookie that is SameSite=Lax.
    let mut elsewhere = Browser::new(&world);
    elsewhere.says_origin = false;
    elsewhere.headers = vec![("origin", "https://app.example".to_owned())];
    let reply = elsewhere
        .request("POST", "/authorize", Some(&ask("team-a.first").query()))
        .await;
    assert_eq!(reply.status, 303);
    let page = browser.open(reply.header("location")).await;
    assert!(page.told().contains_key("code"));
}

#[tokio::test]
async fn a29_other_methods_and_other_bodies_are_refused() {
    let world = TestServer::at_rest().await;
    let mut browser = Browser::new(&world);
    let url = ask("team-a.app").url();
    for method in ["PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"] {
        let reply = browser.request(method, &url, None).await;
        assert_eq!(
            (reply.status, reply.header("allow")),
            (405, "GET, POST"),
            "{method}"
        );
    }
    for path in ["/login", "/consent", "/account"] {
        let reply = browser.request("PUT", path, None).await;
        assert_eq!(
            (reply.status, reply.header("allow")),
            (405, "GET, HEAD, POST")
        );
    }
    for content_type in ["application/json", "text/plain", "multipart/form-data"] {
        let request = Request::post("/authorize").header(CONTENT_TYPE, content_type);
        let body = Body::from(ask("team-a.app").query());
        let reply = world.send(request.body(body).unwrap()).await;
        assert_eq!((reply.status, reply.header("location")), (415, ""));
    }
    for garbage in ["a\r\nb", "a b", "client_id=\u{e9}", "a#b", "<x>"] {
        let page = browser.post_raw("/authorize", garbage).await;
        page.stops(400, "invalid_request");
    }
}

#[tokio::test]
async fn a30_enormous_requests_are_refused() {
    let world = TestServer::at_rest().await;
    let long = open(&world, &ask("team-a.app").with("x", &"a".repeat(60_000))).await;
    long.stops(414, "invalid_request");
    let many = format!("{}&{}", ask("team-a.app").url(), "a=1&".repeat(4000));
    Browser::new(&world)
        .open(&many[..16_000])
        .await
        .stops(400, "invalid_request");
    // Between what is acted on and what is read, the client is told.
    let longer = open(&world, &ask("team-a.app").with("x", &"a".repeat(9000))).await;
    longer.redirects("invalid_request");
    let body = "x=".to_owned() + &"a".repeat(70_000);
    let page = Browser::new(&world).post_raw("/authorize", &body).await;
    page.stops(413, "invalid_request");
}
