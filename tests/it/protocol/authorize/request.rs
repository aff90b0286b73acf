//! B01–B38: what is asked. Whatever is wrong with that, the client is told at its redirect URI.

use std::time::Duration;

use clientele_oauth::client::PkceRule;
use clientele_oauth::{Algorithm, ClientType, SigningKeys};
use jiff::Timestamp;
use serde_json::json;

use crate::support::ask::{Ask, CHALLENGE, STATE, ask};
use crate::support::browser::{Browser, Page};
use crate::support::clock;
use crate::support::grants::{id_claims, id_token, signed};
use crate::support::keys;
use crate::support::people::{BILLS, ORDERS, app_with};
use crate::support::test_server::{ISSUER, TestServer};

async fn open(world: &TestServer, ask: &Ask) -> Page {
    Browser::new(world).open(&ask.url()).await
}

/// What a stranger's browser gets: an error for the client, or the page to sign in.
async fn outcome(world: &TestServer, ask: &Ask) -> String {
    let page = open(world, ask).await;
    if page.path() == "/login" {
        return "login".to_owned();
    }
    let error = page.told()["error"].clone();
    page.redirects(&error);
    error
}

fn app() -> Ask {
    ask("team-a.app")
}

#[tokio::test]
async fn b01_to_b05_b07_the_form_of_a_request() {
    let world = TestServer::at_rest().await;
    let duplicate = |name: &str| app().and(name, "x");
    for (request, expected) in [
        (app().without("response_type"), "invalid_request"),
        (
            app().with("response_type", "token"),
            "unsupported_response_type",
        ),
        (
            app().with("response_type", "id_token"),
            "unsupported_response_type",
        ),
        (
            app().with("response_type", "code token"),
            "unsupported_response_type",
        ),
        (
            app().with("response_type", "code id_token"),
            "unsupported_response_type",
        ),
        (
            app().with("response_type", "none"),
            "unsupported_response_type",
        ),
        (
            app().with("response_type", "CODE"),
            "unsupported_response_type",
        ),
        (duplicate("response_type"), "invalid_request"),
        (duplicate("scope"), "invalid_request"),
        (duplicate("nonce"), "invalid_request"),
        (duplicate("code_challenge"), "invalid_request"),
        (
            app()
                .with("prompt", "")
                .with("max_age", "")
                .with("claims", ""),
            "login",
        ),
        (app().with("foo", "bar").and("foo", "bar"), "login"),
        (app().with("scope", "openid \"x"), "invalid_scope"),
        (app().with("scope", "openid a\\b"), "invalid_scope"),
        (app().with("scope", "openid \u{7}"), "invalid_scope"),
        (app().with("scope", "openid \u{e9}"), "invalid_scope"),
    ] {
        assert_eq!(outcome(&world, &request).await, expected, "{request:?}");
    }
    for name in [
        "display",
        "acr_values",
        "ui_locales",
        "claims_locales",
        "login_hint",
        "prompt",
    ] {
        let twice = app().and(name, "login").and(name, "login");
        assert_eq!(outcome(&world, &twice).await, "invalid_request", "{name}");
    }
}

#[tokio::test]
async fn b03_b29_a_state_that_cannot_come_back_does_not() {
    let world = TestServer::at_rest().await;
    let long = app().with("state", &"s".repeat(2049));
    for request in [app().and("state", "x"), long] {
        let page = open(&world, &request).await;
        page.redirects("invalid_request");
        assert!(!page.told().contains_key("state"));
    }
    let binary = app().url().replace("state=", "state=%ff%fe");
    let page = Browser::new(&world).open(&binary).await;
    page.redirects("invalid_request");
}

#[tokio::test]
async fn b29_every_other_state_comes_back_exactly() {
    let world = TestServer::at_rest().await;
    let most = "s".repeat(2048);
    for state in [
        &most,
        "a\r\nSet-Cookie: x=1",
        "\u{0}\u{7f}",
        "a+b %20&=#\"<>",
        "\u{1f41d}",
    ] {
        let page = open(&world, &app().with("state", state).with("prompt", "none")).await;
        page.redirects("login_required");
        assert_eq!(page.told()["state"], *state);
        assert_eq!(page.reply.header("set-cookie").matches("x=1").count(), 0);
    }
}

#[tokio::test]
async fn b06_b08_scopes_are_known_allowed_or_ignored() {
    let world = TestServer::at_rest().await;
    for (scope, expected) in [
        ("openid unknown", "login"),
        ("unknown", "invalid_scope"),
        ("openid phone", "invalid_scope"),
        ("openid orders.read", "invalid_scope"),
        ("common", "login"),
        ("openid OPENID", "login"),
    ] {
        let request = app().with("scope", scope);
        assert_eq!(outcome(&world, &request).await, expected, "{scope}");
    }
    let orders = app()
        .with("scope", "openid orders.read")
        .with("resource", ORDERS);
    assert_eq!(outcome(&world, &orders).await, "login");
    // Nothing asked is the client's scopes of no API, never those of OpenID Connect.
    let mut browser = Browser::new(&world);
    let told = browser.allow(&app().without("scope").url(), "alice").await;
    assert_eq!(
        world.kept(&told["code"]).await.authorization.scope,
        "common"
    );
}

#[tokio::test]
async fn b06_what_is_unknown_is_never_granted() {
    let world = TestServer::at_rest().await;
    let mut browser = Browser::new(&world);
    let told = browser
        .allow(&app().with("scope", "openid admin * email").url(), "alice")
        .await;
    assert_eq!(
        world.kept(&told["code"]).await.authorization.scope,
        "openid email"
    );
    let once = ask("team-a.once").with("scope", "openid offline_access");
    let told = browser.allow(&once.url(), "alice").await;
    assert_eq!(
        world.kept(&told["code"]).await.authorization.scope,
        "openid"
    );
}

#[tokio::test]
async fn b09_to_b12_pkce_is_s256_and_due() {
    const NONCE: &str = "0123456789abcdef";
    let world = TestServer::at_rest().await;
    let without = |id| {
        let request = ask(id)
            .without("code_challenge")
            .without("code_challenge_method");
        if id == "team-a.spa" {
            return request.with("redirect_uri", "https://spa.example/cb");
        }
        request
    };
    for (request, expected) in [
        (without("team-a.spa"), "invalid_request"),
        (without("team-a.app"), "invalid_request"),
        (without("team-a.without-pkce"), "login"),
        (without("team-a.without-pkce").without("nonce"), "login"),
        (without("team-a.app").with("nonce", NONCE), "login"),
        (
            without("team-a.app").with("nonce", &NONCE[1..]),
            "invalid_request",
        ),
        (without("team-a.app").without("nonce"), "invalid_request"),
        (
            without("team-a.app")
                .with("nonce", NONCE)
                .with("scope", "email"),
            "invalid_request",
        ),
        (
            without("team-a.spa").with("nonce", NONCE),
            "invalid_request",
        ),
        (
            without("team-a.with-pkce").with("nonce", NONCE),
            "invalid_request",
        ),
        (
            without("team-a.without-pkce").with("code_challenge", CHALLENGE),
            "invalid_request",
        ),
        (
            without("team-a.without-pkce").with("code_challenge_method", "S256"),
            "invalid_request",
        ),
        (
            app().with("code_challenge_method", "plain"),
            "invalid_request",
        ),
        (
            app().with("code_challenge_method", "s256"),
            "invalid_request",
        ),
        (app().without("code_challenge_method"), "invalid_request"),
        (app().without("code_challenge"), "invalid_request"),
        (
            app().with("code_challenge", &"a".repeat(42)),
            "invalid_request",
        ),
        (
            app().with("code_challenge", &"a".repeat(44)),
            "invalid_request",
        ),
        (
            app().with("code_challenge", &"a".repeat(129)),
            "invalid_request",
        ),
        (
            app().with("code_challenge", &"+".repeat(43)),
            "invalid_request",
        ),
        (
            app().with("code_challenge", &format!("{}=", &CHALLENGE[..42])),
            "invalid_request",
        ),
    ] {
        assert_eq!(outcome(&world, &request).await, expected, "{request:?}");
    }
    // A public client needs it whatever its manifest says.
    world.change(|tenant| {
        let public = app_with("team-a.app", |c| {
            c.client_type = ClientType::Public;
            c.pkce = PkceRule::Optional;
        });
        tenant.clients.insert("team-a.app".into(), public.into());
        // Nor does a confidential one get around its tenant.
        let strict = app_with("team-a.second", |c| c.pkce = PkceRule::RequiredByTenant);
        tenant.clients.insert("team-a.second".into(), strict.into());
    });
    for id in ["team-a.app", "team-a.second"] {
        let request = without(id).with("nonce", NONCE);
        assert_eq!(outcome(&world, &request).await, "invalid_request");
    }
}

#[tokio::test]
async fn b13_to_b16_b19_prompt() {
    let world = TestServer::at_rest().await;
    for (prompt, expected) in [
        ("none", "login_required"),
        ("none login", "invalid_request"),
        ("none consent", "invalid_request"),
        ("bogus", "invalid_request"),
        ("login bogus", "invalid_request"),
        ("LOGIN", "invalid_request"),
        ("login consent", "login"),
        ("select_account", "login"),
    ] {
        let request = app().with("prompt", prompt);
        assert_eq!(outcome(&world, &request).await, expected, "{prompt}");
    }
    let unregistered = app()
        .with("prompt", "none")
        .with("redirect_uri", "https://evil.example");
    open(&world, &unregistered)
        .await
        .stops(400, "invalid_request");
    let mut browser = Browser::new(&world);
    browser.sign_in("alice").await;
    let silent = app().with("prompt", "none").url();
    browser.open(&silent).await.redirects("consent_required");
    let first = ask("team-a.first").with("prompt", "none").url();
    assert!(browser.open(&first).await.told().contains_key("code"));
}

#[tokio::test]
async fn b17_b20_a_forced_sign_in_happens_and_auth_time_is_newer() {
    let world = TestServer::at_rest().await;
    let first = || ask("team-a.first");
    for (name, value, pause) in [
        ("prompt", "login", 0),
        ("max_age", "1", 2),
        ("max_age", "0", 0),
    ] {
        let mut browser = Browser::new(&world);
        let told = browser.allow(&first().url(), "alice").await;
        let before = world.kept(&told["code"]).await.authorization;
        clock::advance(Duration::from_millis(pause * 1000 + 10));
        let login = browser.open(&first().with(name, value).url()).await;
        assert_eq!(login.path(), "/login", "{name}={value}");
        let told = browser.sign_in_at(&login, "alice").await.told();
        let after = world.kept(&told["code"]).await.authorization;
        assert!(after.auth_time > before.auth_time);
        assert_eq!(
            after.sid, before.sid,
            "the same person goes on in the same session"
        );
    }
    let mut browser = Browser::new(&world);
    browser.sign_in("alice").await;
    clock::advance(Duration::from_secs(5));
    let recent = browser.open(&first().with("max_age", "5").url()).await;
    assert!(recent.told().contains_key("code"));
}

#[tokio::test]
async fn b18_prompt_consent_is_asked_also_of_who_agreed() {
    let world = TestServer::at_rest().await;
    let mut browser = Browser::new(&world);
    browser.allow(&app().url(), "alice").await;
    for id in ["team-a.app", "team-a.first"] {
        assert!(
            browser
                .open(&ask(id).url())
                .await
                .told()
                .contains_key("code")
        );
        let page = browser.open(&ask(id).with("prompt", "consent").url()).await;
        assert_eq!(page.path(), "/consent", "{id}");
    }
}

#[tokio::test]
async fn b21_b30_b31_b35_b36_values_are_bounded() {
    let world = TestServer::at_rest().await;
    let deep = format!("{{\"id_token\":{}1{}}}", "[".repeat(900), "]".repeat(900));
    let long = |length| "n".repeat(length);
    for (name, value, expected) in [
        ("max_age", "-1", "invalid_request"),
        ("max_age", "abc", "invalid_request"),
        ("max_age", "9223372036854775808", "invalid_request"),
        ("max_age", "4294967296", "invalid_request"),
        ("max_age", "4294967295", "login"),
        ("max_age", "+5", "invalid_request"),
        ("max_age", "1.5", "invalid_request"),
        ("nonce", &long(64), "login"),
        ("nonce", &long(512), "login"),
        ("nonce", &long(513), "invalid_request"),
        ("nonce", &long(7000), "invalid_request"),
        ("claims", "{bad json", "invalid_request"),
        ("claims", &deep, "invalid_request"),
        ("claims", "{\"userinfo\":{\"email\":null}}", "login"),
        ("login_hint", &long(513), "invalid_request"),
        ("acr_values", "urn:unknown", "login"),
        ("ui_locales", "../../etc", "login"),
        ("ui_locales", &long(513), "invalid_request"),
        ("claims_locales", "de fr", "login"),
        ("display", "popup", "login"),
    ] {
        let request = app().with(name, value);
        assert_eq!(
            outcome(&world, &request).await,
            expected,
            "{name}={value:.40}"
        );
    }
    let million = app().with("claims", &"x".repeat(1 << 20)).query();
    let page = Browser::new(&world).post_raw("/authorize", &million).await;
    page.stops(413, "invalid_request");
}

#[tokio::test]
async fn b22_b23_id_token_hint_says_who_and_is_never_trusted_beyond() {
    let world = TestServer::at_rest().await;
    let claims = id_claims("team-a.first", "sid");
    let first = |hint: &str| ask("team-a.first").with("id_token_hint", hint);
    let genuine = id_token(&claims);
    let mut browser = Browser::new(&world);
    browser.sign_in("alice").await;
    let silent = |hint: &str| first(hint).with("prompt", "none").url();
    assert!(
        browser
            .open(&silent(&genuine))
            .await
            .told()
            .contains_key("code")
    );
    let mut other = Browser::new(&world);
    other.sign_in("bob").await;
    other
        .open(&silent(&genuine))
        .await
        .redirects("login_required");
    // Asked aloud, the page to sign in; and if another person signs in there, no code.
    let page = other.open(&first(&genuine).url()).await;
    assert_eq!(page.path(), "/login");
    other
        .sign_in_at(&page, "bob")
        .await
        .redirects("login_required");

    let (header, rest) = genuine.split_once('.').unwrap();
    let (payload, signature) = rest.split_once('.').unwrap();
    let none = "eyJhbGciOiJub25lIn0";
    let mut of_another = claims.clone();
    of_another["aud"] = json!("team-a.app");
    let mut of_issuer = claims.clone();
    of_issuer["iss"] = json!("https://evil.example");
    let stranger = keys::scheduled(Algorithm::Rs256, Timestamp::UNIX_EPOCH);
    let stranger = SigningKeys::new(vec![stranger]).unwrap();
    for bad in [
        "garbage".to_owned(),
        "..".to_owned(),
        format!("{none}.{payload}."),
        format!("{none}.{payload}.{signature}"),
        format!("{header}.{payload}."),
        format!("{header}.{payload}.{}", signature.to_uppercase()),
        signed(&stranger, &claims),
        id_token(&of_another),
        id_token(&of_issuer),
    ] {
        browser
            .open(&first(&bad).url())
            .await
            .redirects("invalid_request");
    }
}

#[tokio::test]
async fn b24_to_b26_what_is_not_supported_is_said_so() {
    let world = TestServer::at_rest().await;
    for (name, value, expected) in [
        (
            "request",
            "eyJhbGciOiJub25lIn0.e30.",
            "request_not_supported",
        ),
        (
            "request_uri",
            "https://169.254.169.254/x",
            "request_uri_not_supported",
        ),
        ("registration", "{}", "registration_not_supported"),
    ] {
        let request = app().with(name, value);
        assert_eq!(outcome(&world, &request).await, expected);
        // Also where everything else is missing, as it may be when it stands in the object.
        let bare = request.without("response_type").without("scope");
        assert_eq!(outcome(&world, &bare).await, expected);
    }
}

#[tokio::test]
async fn b27_b28_response_modes() {
    let world = TestServer::at_rest().await;
    for mode in ["bogus", "fragment", "query.jwt", "FORM_POST"] {
        let page = open(&world, &app().with("response_mode", mode)).await;
        assert_eq!(page.reply.status, 303);
        page.redirects("invalid_request");
    }
    let twice = app()
        .with("response_mode", "form_post")
        .and("response_mode", "form_post");
    assert_eq!(open(&world, &twice).await.reply.status, 303);
    let script = "\"><script>alert(1)</script>";
    let post = ask("team-a.first")
        .with("response_mode", "form_post")
        .with("state", script);
    let refused = open(&world, &post.clone().with("prompt", "none")).await;
    assert_eq!(refused.reply.status, 200);
    refused.redirects("login_required");
    let mut browser = Browser::new(&world);
    let page = browser.open(&post.url()).await;
    let page = browser.sign_in_at(&page, "alice").await;
    let form = page.form();
    assert_eq!(form.action, "https://app.example/cb");
    let names: Vec<&String> = form.hidden.keys().collect();
    assert_eq!(names, ["code", "iss", "state"]);
    assert_eq!(form.hidden["state"], script);
    assert!(
        !page.reply.body.contains("<script>alert"),
        "{}",
        page.reply.body
    );
    assert_eq!(page.reply.header("cache-control"), "no-store");
}

#[tokio::test]
async fn b32_reserved_claims_are_not_kept() {
    let world = TestServer::at_rest().await;
    let claims = r#"{"id_token":{"iss":{"value":"https://evil"},"aud":{"value":"x"},"email":null},"userinfo":{"phone_number":null}}"#;
    let mut browser = Browser::new(&world);
    let told = browser
        .allow(&app().with("claims", claims).url(), "alice")
        .await;
    let kept = world.kept(&told["code"]).await.authorization.claims;
    assert_eq!(kept, r#"{"id_token":["email"],"userinfo":[]}"#);
}

#[tokio::test]
async fn b33_b34_resources_are_those_of_the_client() {
    let world = TestServer::at_rest().await;
    for bad in [
        "https://api.other",
        "orders",
        "https://orders.example#x",
        "https://orders.example//",
    ] {
        let request = app().with("resource", bad);
        assert_eq!(outcome(&world, &request).await, "invalid_target", "{bad}");
    }
    let mut many = app();
    for _ in 0..17 {
        many = many.and("resource", ORDERS);
    }
    assert_eq!(outcome(&world, &many).await, "invalid_target");
    let mut browser = Browser::new(&world);
    let both = app()
        .and("resource", ORDERS)
        .and("resource", BILLS)
        .and("resource", ORDERS);
    let told = browser.allow(&both.url(), "alice").await;
    let kept = world.kept(&told["code"]).await.authorization;
    assert_eq!(kept.resources, format!("{ORDERS} {BILLS}"));
}

#[tokio::test]
async fn b37_every_answer_carries_the_issuer_byte_for_byte() {
    let world = TestServer::at_rest().await;
    let metadata = world.get("/.well-known/openid-configuration").await.json();
    let mut browser = Browser::new(&world);
    let told = browser.allow(&app().url(), "alice").await;
    assert_eq!(told["iss"], metadata["issuer"].as_str().unwrap());
    assert_eq!(
        (told["iss"].as_str(), told["state"].as_str()),
        (ISSUER, STATE)
    );
    assert_eq!(told.keys().collect::<Vec<_>>(), ["code", "iss", "state"]);
    let b = browser
        .open("/t/b/authorize?client_id=b.app&redirect_uri=https://app.example/cb")
        .await;
    assert_eq!(b.told()["iss"], format!("{ISSUER}/t/b"));
}

#[tokio::test]
async fn b38_no_origin_may_read_these_endpoints() {
    let world = TestServer::at_rest().await;
    let mut browser = Browser::new(&world);
    for origin in ["https://evil.example", "https://spa.example", "null"] {
        browser.headers = vec![
            ("origin", origin.to_owned()),
            ("access-control-request-method", "GET".to_owned()),
        ];
        for path in ["/authorize", "/login", "/consent", "/logout", "/account"] {
            for method in ["OPTIONS", "GET"] {
                let reply = browser.request(method, path, None).await;
                let mut names = reply.headers.keys();
                let cors = names.any(|name| name.as_str().starts_with("access-control"));
                assert!(!cors, "{method} {path}");
            }
        }
    }
}

#[tokio::test]
async fn the_code_is_bound_to_everything_that_was_asked() {
    let world = TestServer::at_rest().await;
    let mut browser = Browser::new(&world);
    let told = browser
        .allow(&app().with("scope", "openid email").url(), "alice")
        .await;
    let kept = world.kept(&told["code"]).await;
    assert_eq!(kept.redirect_uri, "https://app.example/cb");
    assert_eq!(kept.code_challenge.as_deref(), Some(CHALLENGE));
    assert_eq!(kept.nonce.as_deref(), Some("n0nce"));
    assert_eq!(kept.expires_at, kept.issued_at + Duration::from_mins(1));
    assert!(kept.family.starts_with("fam_") && kept.family.len() == 26);
    assert_eq!(told["code"].len(), 47);
    let authorization = kept.authorization;
    assert_eq!(authorization.client_uid, "uid-of-team-a.app");
    assert_eq!(authorization.subject, "subject-of-alice");
    assert_eq!(authorization.user_uid, "uid-of-user-alice");
    assert_eq!(authorization.credential, "credential-of-alice");
    assert_eq!(authorization.tenant, "uid-of-tenant-default");
}
