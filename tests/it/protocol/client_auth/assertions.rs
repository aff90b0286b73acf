//! D19–D28, RFC 7523, OIDC Core §9: clients that sign assertions instead of sending a secret (`private_key_jwt`).

use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use clientele_http::App;
use clientele_http::server::Limits;
use clientele_oauth::client_auth::assertion;
use clientele_oauth::client_auth::assertion::audience::AssertionAudience;
use serde_json::{Value, json};

use crate::support::assertions::{
    EITHER, KEYS, SIGNER, claims, form, good, key, signing_client, stranger, with, with_header,
    world,
};
use crate::support::clock;
use crate::support::logs::Logs;
use crate::support::reply::Reply;
use crate::support::running::Running;
use crate::support::test_server::{ISSUER, TestServer, basic};

async fn send(world: &TestServer, assertion: &str) -> Reply {
    world.token(None, &form(assertion, &[])).await
}

/// Each is refused, and before and after them a good one is accepted.
async fn refused(world: &TestServer, assertions: &[(&str, String)]) {
    assert_eq!(send(world, &good(world)).await.status, 200);
    for (what, assertion) in assertions {
        let reply = send(world, assertion).await;
        assert_eq!(reply.outcome(), "401 invalid_client", "{what}");
        reply.is_a_refusal();
    }
    assert_eq!(send(world, &good(world)).await.status, 200);
}

#[tokio::test]
async fn a_client_signs_with_a_key_of_any_kind() {
    let world = world().await;
    for key in KEYS.iter() {
        let names: &[&str] = if key.alg == "EdDSA" {
            &["EdDSA", "Ed25519"]
        } else {
            &[key.alg]
        };
        for alg in names {
            for header in [json!({ "alg": alg, "kid": key.kid }), json!({ "alg": alg })] {
                let assertion = key.token(&header.to_string(), &claims(&world, SIGNER).to_string());
                let reply = send(&world, &assertion).await;
                assert_eq!(reply.status, 200, "{header}: {}", reply.body);
            }
        }
    }
}

#[tokio::test]
async fn the_id_may_stand_beside_the_assertion_if_it_is_the_same() {
    let world = world().await;
    let reply = |id| {
        let assertion = good(&world);
        let world = &world;
        async move {
            world
                .token(None, &form(&assertion, &[("client_id", id)]))
                .await
        }
    };
    assert_eq!(reply(SIGNER).await.status, 200);
    for other in [EITHER, "team-a.spa", "unknown.here"] {
        reply(other).await.refuses(401, "invalid_client");
    }
}

#[tokio::test]
async fn d13_without_a_named_method_secret_and_keys_both_work() {
    let world = world().await;
    let by_secret = |id: &str| basic(id, &world.secret(id));
    let grant = "grant_type=client_credentials";
    let of_either = key().token(
        &key().header().to_string(),
        &claims(&world, EITHER).to_string(),
    );
    assert_eq!(send(&world, &of_either).await.status, 200);
    assert_eq!(
        world.token(Some(&by_secret(EITHER)), grant).await.status,
        200
    );
    let reply = world.token(Some(&by_secret(SIGNER)), grant).await;
    reply.refuses(401, "invalid_client");
    let web = claims(&world, "team-a.web").to_string();
    let of_web = key().token(&key().header().to_string(), &web);
    send(&world, &of_web).await.refuses(401, "invalid_client");
}

#[tokio::test]
async fn d07_an_assertion_and_a_secret_in_one_request_are_refused() {
    let world = world().await;
    let secret = world.secret(EITHER);
    let by_form = form(
        &good(&world),
        &[("client_id", EITHER), ("client_secret", &secret)],
    );
    world
        .token(None, &by_form)
        .await
        .refuses(400, "invalid_request");
    let header = basic(EITHER, &secret);
    let reply = world.token(Some(&header), &form(&good(&world), &[])).await;
    reply.refuses(400, "invalid_request");
}

#[tokio::test]
async fn d19_an_algorithm_that_is_not_the_keys_is_refused() {
    let world = world().await;
    let body = URL_SAFE_NO_PAD.encode(claims(&world, SIGNER).to_string());
    let header =
        |alg: &str| URL_SAFE_NO_PAD.encode(json!({ "alg": alg, "kid": "p256" }).to_string());
    let hmac = |secret: &[u8]| {
        let signed = format!("{}.{body}", header("HS256"));
        let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, secret);
        let tag = aws_lc_rs::hmac::sign(&key, signed.as_bytes());
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(tag))
    };
    let jwk = key().jwk();
    let mut bad = vec![
        ("none", format!("{}.{body}.", header("none"))),
        ("None", format!("{}.{body}.", header("None"))),
        ("no signature", format!("{}.{body}.", header("ES256"))),
        ("HS256 with x", hmac(jwk.x.unwrap().as_bytes())),
        (
            "HS256 with the secret",
            hmac(world.secret(SIGNER).as_bytes()),
        ),
        ("HS256 with nothing", hmac(b"")),
    ];
    for alg in ["RS256", "ES384", "EdDSA", "ES512", "ES256K", "es256", ""] {
        bad.push((
            "another alg over the EC key",
            with_header(&world, &json!({ "alg": alg }).to_string()),
        ));
    }
    refused(&world, &bad).await;
}

#[tokio::test]
async fn d20_d26_times_are_whole_seconds_close_to_now() {
    let world = world().await;
    let now = (world.app.clock)().as_second();
    let claim = |name: &'static str, value: Value| with(&world, |claims| claims[name] = value);
    let remove = |name: &str| {
        with(&world, |claims| {
            drop(claims.as_object_mut().unwrap().remove(name));
        })
    };
    for (name, value) in [
        ("exp", now + 3608),
        ("exp", now + 1),
        ("iat", now + 8),
        ("nbf", now + 8),
        ("iat", now - 3600),
    ] {
        assert_eq!(
            send(&world, &claim(name, value.into())).await.status,
            200,
            "{name} {value}"
        );
    }
    for optional in ["iat", "nbf"] {
        assert_eq!(
            send(&world, &remove(optional)).await.status,
            200,
            "no {optional}"
        );
    }
    let mut bad = vec![("no exp", remove("exp"))];
    for value in [
        json!(now),
        json!(now - 1),
        json!(now + 3609),
        json!(-1),
        json!(0),
        json!(i64::MAX),
        json!(u64::MAX),
        json!(now.to_string()),
        json!(1.5e9),
        json!(1e308),
        json!(null),
        json!([now + 60]),
        json!(true),
    ] {
        bad.push(("exp", claim("exp", value)));
    }
    for name in ["iat", "nbf"] {
        for value in [
            json!(now + 9),
            json!(now + 60),
            json!(now.to_string()),
            json!(1.5e9),
            json!(null),
        ] {
            bad.push((name, claim(name, value)));
        }
    }
    refused(&world, &bad).await;
}

#[tokio::test]
async fn d21_the_audience_is_the_issuer_alone() {
    let world = world().await;
    let bad: Vec<(&str, String)> = [
        json!("https://id.example/token"),
        json!("https://id.example/par"),
        json!("https://id.example/"),
        json!("https://id.example/t/b"),
        json!("https://evil.example"),
        json!([]),
        json!([["https://id.example"]]),
        json!(["https://id.example", 7]),
        json!(["https://id.example", "https://id.example"]),
        json!(["https://id.example", "https://id.example/token"]),
        json!(["https://id.example", "https://evil.example"]),
        json!(""),
        json!(null),
        json!(SIGNER),
    ]
    .into_iter()
    .map(|audience| ("aud", with(&world, |claims| claims["aud"] = audience)))
    .collect();
    refused(&world, &bad).await;
    let array = with(&world, |claims| claims["aud"] = json!([ISSUER]));
    assert_eq!(send(&world, &array).await.status, 200);
}

#[tokio::test]
async fn d21_the_token_endpoint_replaces_the_issuer_everywhere() {
    let world = world().await;
    world.change(|tenant| {
        let mut signer = signing_client(SIGNER);
        signer.assertion_methods.audience = AssertionAudience::TokenEndpoint;
        let signer = signer.with_default_claims(ISSUER);
        tenant.clients.insert(signer.id.clone(), signer.into());
    });
    let token = send(&world, &for_audience(&world, json!(ENDPOINT)))
        .await
        .access_token();
    for path in ["/token", "/introspect", "/revoke"] {
        let ask = async |audience| {
            let form = form(&for_audience(&world, audience), &[("token", &token)]);
            world.token_at(path, None, &form).await
        };
        assert_eq!(ask(json!(ENDPOINT)).await.status, 200, "{path}");
        assert_eq!(ask(json!([ENDPOINT])).await.status, 200, "{path}");
        for bad in [
            json!(ISSUER),
            json!([ISSUER]),
            json!([ISSUER, ENDPOINT]),
            json!(format!("{ISSUER}{path}x")),
            json!(format!("{ISSUER}/t/b/token")),
        ] {
            let reply = ask(bad.clone()).await;
            reply.refuses(401, "invalid_client");
            let told = reply.json()["error_description"].to_string();
            assert!(told.contains("assertionAudience"), "{path} {bad}: {told}");
        }
    }
}

/// The URL of the token endpoint.
const ENDPOINT: &str = "https://id.example/token";

fn for_audience(world: &TestServer, audience: Value) -> String {
    with(world, |claims| claims["aud"] = audience)
}

#[tokio::test]
async fn d17_d21_an_assertion_for_one_tenant_is_nothing_to_another() {
    let world = world().await;
    let reply = world
        .token_at("/t/b/token", None, &form(&good(&world), &[]))
        .await;
    reply.refuses(401, "invalid_client");
}

#[tokio::test]
async fn d22_issuer_and_subject_are_the_client() {
    let world = world().await;
    let claim =
        |name: &'static str, value: Value| (name, with(&world, |claims| claims[name] = value));
    let mut bad = vec![
        claim("sub", json!(EITHER)),
        claim("sub", json!("")),
        claim("sub", json!(null)),
        claim("sub", json!([SIGNER])),
        claim("iss", json!(EITHER)),
        claim("iss", json!("https://id.example")),
        claim("iss", json!("unknown.here")),
        claim("iss", json!(null)),
        claim("iss", json!([SIGNER])),
    ];
    for name in ["sub", "iss"] {
        bad.push((
            name,
            with(&world, |claims| {
                drop(claims.as_object_mut().unwrap().remove(name));
            }),
        ));
    }
    bad.push((
        "an unregistered key",
        stranger().token(
            &key().header().to_string(),
            &claims(&world, SIGNER).to_string(),
        ),
    ));
    refused(&world, &bad).await;
}

#[tokio::test]
async fn d23_an_assertion_is_used_once() {
    let world = world().await;
    let first = good(&world);
    assert_eq!(send(&world, &first).await.status, 200);
    send(&world, &first).await.refuses(401, "invalid_client");
    let replica = TestServer::with(world.app.clone());
    send(&replica, &first).await.refuses(401, "invalid_client");
    clock::advance(Duration::from_secs(30));
    // Signed again with the same `jti`, it is the same assertion.
    let same = with(&world, |claims| claims["jti"] = json!("same"));
    assert_eq!(send(&world, &same).await.status, 200);
    let again = with(&world, |claims| claims["jti"] = json!("same"));
    send(&world, &again).await.refuses(401, "invalid_client");
    // The `jti` of another client is another.
    let mut other = claims(&world, EITHER);
    other["jti"] = json!("same");
    let other = key().token(&key().header().to_string(), &other.to_string());
    assert_eq!(send(&world, &other).await.status, 200);
    // Neither the purge nor a clock that lags behind brings it back.
    clock::advance(Duration::from_secs(40));
    world
        .app
        .store
        .purge((world.app.clock)(), 100)
        .await
        .unwrap();
    clock::rewind(Duration::from_secs(40));
    send(&world, &again).await.refuses(401, "invalid_client");
}

#[tokio::test]
async fn d23_of_many_uses_at_once_one_succeeds() {
    let world = world().await;
    let assertion = good(&world);
    let all = (0..20).map(|_| send(&world, &assertion));
    let replies = futures::future::join_all(all).await;
    let issued = replies.iter().filter(|reply| reply.status == 200).count();
    assert_eq!(issued, 1);
}

#[tokio::test]
async fn d23_without_a_jti_or_with_an_enormous_one_it_is_refused() {
    let world = world().await;
    let mut bad: Vec<(&str, String)> = [
        json!(""),
        json!(null),
        json!(7),
        json!("j".repeat(257)),
        json!(["a"]),
    ]
    .into_iter()
    .map(|jti| ("jti", with(&world, |claims| claims["jti"] = jti)))
    .collect();
    bad.push((
        "no jti",
        with(&world, |claims| {
            drop(claims.as_object_mut().unwrap().remove("jti"));
        }),
    ));
    refused(&world, &bad).await;
}

#[tokio::test]
async fn d23_what_the_store_cannot_say_is_not_believed() {
    let world = world().await;
    world.app.store.close().await;
    send(&world, &good(&world))
        .await
        .refuses(503, "temporarily_unavailable");
}

#[tokio::test]
async fn d24_a_header_that_brings_its_own_key_convinces_nobody() {
    let world = world().await;
    let stranger = stranger();
    let jwk = stranger.jwk();
    let jwk = json!({ "kty": "EC", "crv": "P-256", "x": jwk.x, "y": jwk.y });
    let mut bad = Vec::new();
    for (name, value) in [
        ("jwk", jwk),
        ("jku", json!("https://evil.example/jwks")),
        ("x5u", json!("http://169.254.169.254/")),
        ("x5c", json!(["MIIB"])),
    ] {
        let mut header = key().header();
        header[name] = value;
        let assertion = stranger.token(&header.to_string(), &claims(&world, SIGNER).to_string());
        bad.push((name, assertion));
        // Signed by a key that is registered, it changes nothing.
        let reply = send(&world, &with_header(&world, &header.to_string())).await;
        assert_eq!(reply.status, 200, "{name}");
    }
    for kid in [
        json!("../../dev/null"),
        json!("k".repeat(65_000)),
        json!("' OR 1=1 --"),
        json!(""),
        json!(7),
        json!(null),
    ] {
        let header = json!({ "alg": "ES256", "kid": kid }).to_string();
        bad.push(("kid", with_header(&world, &header)));
    }
    bad.retain(|(_, assertion)| assertion.len() < 60_000);
    refused(&world, &bad).await;
}

#[tokio::test]
async fn d25_critical_extensions_and_other_types_are_refused() {
    let world = world().await;
    for typ in ["JWT", "jwt", "client-authentication+jwt"] {
        let header = json!({ "alg": "ES256", "typ": typ }).to_string();
        assert_eq!(
            send(&world, &with_header(&world, &header)).await.status,
            200,
            "{typ}"
        );
    }
    let bad: Vec<(&str, String)> = [
        json!({ "alg": "ES256", "crit": ["exp"] }),
        json!({ "alg": "ES256", "crit": [] }),
        json!({ "alg": "ES256", "b64": false }),
        json!({ "alg": "ES256", "b64": true, "crit": ["b64"] }),
        json!({ "alg": "ES256", "typ": "at+jwt" }),
        json!({ "alg": "ES256", "typ": "dpop+jwt" }),
        json!({ "alg": "ES256", "typ": 1 }),
        json!({ "alg": ["ES256"] }),
        json!({}),
    ]
    .into_iter()
    .map(|header| ("header", with_header(&world, &header.to_string())))
    .collect();
    refused(&world, &bad).await;
}

#[tokio::test]
async fn d26_names_that_stand_twice_are_refused() {
    let world = world().await;
    let twice = |claims: String, name: &str, value: &str| {
        claims.replacen('{', &format!("{{\"{name}\":{value},"), 1)
    };
    let mut bad = Vec::new();
    for (name, value) in [
        ("exp", "1"),
        ("sub", "\"unknown.here\""),
        ("aud", "\"x\""),
        ("jti", "\"x\""),
        ("e\\u0078p", "9"),
    ] {
        let claims = twice(claims(&world, SIGNER).to_string(), name, value);
        bad.push(("claims", key().token(&key().header().to_string(), &claims)));
    }
    for header in [
        r#"{"alg":"none","alg":"ES256"}"#,
        r#"{"alg":"ES256","alg":"ES256"}"#,
        r#"{"alg":"ES256","kid":"x","kid":"p256"}"#,
    ] {
        bad.push(("header", with_header(&world, header)));
    }
    refused(&world, &bad).await;
}

#[tokio::test]
async fn d27_what_is_no_signed_token_is_refused_at_once() {
    let world = world().await;
    let good = good(&world);
    let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let jwe = encode(r#"{"alg":"PBES2-HS256+A128KW","enc":"A128GCM","p2c":1000000000,"p2s":"x"}"#);
    let mut bad = vec![
        ("JWE", format!("{jwe}.a.b.c.d")),
        ("a JWE of three parts", format!("{jwe}.e30.AA")),
        ("zip", with_header(&world, r#"{"alg":"ES256","zip":"DEF"}"#)),
        (
            "enc",
            with_header(&world, r#"{"alg":"ES256","enc":"A128GCM"}"#),
        ),
        ("100 segments", ["e30"; 100].join(".")),
        ("a part too many", format!("{good}.e30")),
        (
            "a part too few",
            good.rsplit_once('.').unwrap().0.to_owned(),
        ),
        ("padding", format!("{good}=")),
        ("not base64url", format!("{}+", &good[..good.len() - 1])),
        ("white space", format!(" {good}")),
        ("dots", "..".to_owned()),
        ("a word", "x".to_owned()),
        (
            "deep",
            key().token(
                &key().header().to_string(),
                &format!("{}1{}", "[".repeat(3000), "]".repeat(3000)),
            ),
        ),
        ("an array", key().token(&key().header().to_string(), "[]")),
        (
            "huge",
            with(&world, |claims| claims["x"] = json!("x".repeat(9000))),
        ),
    ];
    let flattened = json!({ "payload": "e30", "protected": "e30", "signature": "x" }).to_string();
    bad.push(("the JSON serialization", flattened));
    refused(&world, &bad).await;
    let enormous = form(&"x".repeat(70_000), &[]);
    assert_eq!(world.token(None, &enormous).await.status, 413);
}

#[tokio::test]
async fn d28_a_type_that_is_missing_or_another_is_refused() {
    let world = world().await;
    let right = "urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer";
    for kind in [
        String::new(),
        "&client_assertion_type=".to_owned(),
        "&client_assertion_type=jwt-bearer".to_owned(),
        format!(
            "&client_assertion_type={}",
            right.replace("jwt-bearer", "saml2-bearer")
        ),
        format!("&client_assertion_type={right}%20"),
    ] {
        let form = format!(
            "grant_type=client_credentials&client_assertion={}{kind}",
            good(&world)
        );
        world
            .token(None, &form)
            .await
            .refuses(401, "invalid_client");
    }
    let twice = format!(
        "{}&client_assertion={}",
        form(&good(&world), &[]),
        good(&world)
    );
    world
        .token(None, &twice)
        .await
        .refuses(400, "invalid_request");
}

#[tokio::test]
async fn h14_a_token_of_this_server_is_never_an_assertion() {
    let world = world().await;
    let token = send(&world, &good(&world)).await.access_token();
    for id in [SIGNER, EITHER, "team-a.web"] {
        let form = form(&token, &[("client_id", id)]);
        world
            .token(None, &form)
            .await
            .refuses(401, "invalid_client");
    }
}

#[tokio::test]
async fn i10_i17_assertions_authenticate_at_introspect_and_revoke() {
    let world = world().await;
    let token = send(&world, &good(&world)).await.access_token();
    let introspect = |assertion: String| {
        let form = form(&assertion, &[("token", &token)]);
        let world = &world;
        async move { world.token_at("/introspect", None, &form).await }
    };
    let used = good(&world);
    assert_eq!(introspect(used.clone()).await.json()["active"], true);
    introspect(used).await.refuses(401, "invalid_client");
    introspect("x".into()).await.refuses(401, "invalid_client");
    let revoke = form(&good(&world), &[("token", &token)]);
    assert_eq!(world.token_at("/revoke", None, &revoke).await.status, 200);
    let again = world.token_at("/revoke", None, &revoke).await;
    again.refuses(401, "invalid_client");
    assert_eq!(introspect(good(&world)).await.json()["active"], false);
}

#[tokio::test]
async fn m14_an_assertion_is_in_no_log() {
    let (logs, _guard) = Logs::capture();
    let world = world().await;
    let server = Running::start(world.router.clone(), None, Limits::default()).await;
    let (good, bad) = (
        good(&world),
        with(&world, |claims| claims["aud"] = json!("x")),
    );
    for assertion in [&good, &good, &bad] {
        let form = form(assertion, &[]);
        let text = format!(
            "POST /token HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
            form.len()
        );
        server.exchange(text.as_bytes()).await;
    }
    let text = logs.text();
    assert!(
        text.contains("token request refused") && text.contains(SIGNER),
        "{text}"
    );
    for assertion in [&good, &bad] {
        for part in assertion.split('.') {
            assert!(!text.contains(part), "{part} is in\n{text}");
        }
    }
}

#[tokio::test]
async fn d20_to_d23_answer_and_log_name_the_broken_rule() {
    let world = world().await;
    let changed = |name: &str, value: Value| with(&world, |claims| claims[name] = value);
    let now = (world.app.clock)().as_second();
    let used = good(&world);
    assert_eq!(send(&world, &used).await.status, 200);
    let rows = [
        ("x.y.z".to_owned(), "not a signed JWT"),
        (changed("iss", json!(ISSUER)), "a token of this server"),
        (changed("sub", json!("x")), "sub of"),
        (changed("aud", json!("https://other.example")), "aud of"),
        (
            changed("exp", json!("soon")),
            "exp of the client assertion is missing",
        ),
        (changed("exp", json!(now - 1)), "has passed"),
        (
            changed("exp", json!(now + 3609)),
            "more than one hour ahead",
        ),
        (changed("iat", json!(now + 9)), "nbf or iat"),
        (changed("nbf", json!(now + 9)), "nbf or iat"),
        (changed("jti", json!(7)), "jti of"),
        (
            with_header(&world, r#"{"alg":"ES256","typ":"at+jwt"}"#),
            "typ of",
        ),
        (used, "used before"),
    ];
    for (assertion, rule) in rows {
        // In one minute only ten are recorded singly.
        let world = TestServer::with(App {
            refusal_counts: Arc::default(),
            ..world.app.clone()
        });
        let (logs, _guard) = Logs::capture();
        let reply = send(&world, &assertion).await;
        reply.refuses(401, "invalid_client");
        let told = reply.json()["error_description"].to_string();
        let log = logs.text();
        assert!(told.contains(rule), "{rule}: {told}");
        assert!(log.contains(rule), "{rule}: {log}");
    }
}

#[tokio::test]
async fn d06_only_the_log_tells_which_client_exists() {
    let world = world().await;
    let claimed =
        |id: &str| key().token(&key().header().to_string(), &claims(&world, id).to_string());
    let of = |id| form(&good(&world), &[("client_id", id)]);
    let by_other_key = with_header(&world, r#"{"alg":"ES256","kid":"other"}"#);
    let rows = [
        (form(&claimed("unknown.here"), &[]), "neither a client"),
        (
            form(&claimed("team-a.web"), &[]),
            "not registered for private_key_jwt",
        ),
        (form(&by_other_key, &[]), "no key in jwks"),
        (of(EITHER), "client_id is not"),
        (of("unknown.here"), "client_id is not"),
    ];
    for (form, rule) in rows {
        let (logs, _guard) = Logs::capture();
        let reply = world.token(None, &form).await;
        reply.refuses(401, "invalid_client");
        assert_eq!(reply.json()["error_description"], UNIFORM, "{rule}");
        assert!(logs.text().contains(rule), "{rule}: {}", logs.text());
    }
    // What is wrong with the assertion alone is said whether or not its client exists.
    for id in ["unknown.here", SIGNER] {
        let mut claims = claims(&world, id);
        claims["exp"] = json!(1);
        let late = key().token(&key().header().to_string(), &claims.to_string());
        let told = send(&world, &late).await.json()["error_description"].to_string();
        assert!(told.contains("has passed"), "{id}: {told}");
    }
}

/// All that a caller learns about registrations.
const UNIFORM: &str = assertion::unproven("").description;

#[tokio::test]
async fn d23_a_client_that_uses_too_many_assertions_waits() {
    let app = App {
        assertions_per_client: 3,
        ..world().await.app
    };
    let world = TestServer::with(app);
    for _ in 0..3 {
        assert_eq!(send(&world, &good(&world)).await.status, 200);
    }
    for (path, more) in [("/token", vec![]), ("/introspect", vec![("token", "x")])] {
        let reply = world
            .token_at(path, None, &form(&good(&world), &more))
            .await;
        assert_eq!(reply.outcome(), "429 temporarily_unavailable", "{path}");
        assert_eq!(reply.header("retry-after"), "60");
    }
    let mut other = claims(&world, EITHER);
    other["jti"] = json!("other");
    let other = key().token(&key().header().to_string(), &other.to_string());
    assert_eq!(send(&world, &other).await.status, 200);
    clock::advance(Duration::from_mins(1));
    assert_eq!(send(&world, &good(&world)).await.status, 200);
}
