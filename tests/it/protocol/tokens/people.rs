//! RFC 9068 and OIDC Core §2: the tokens of people, verified by an independent library.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use clientele_oauth::client::IdTokenClaims;
use clientele_oauth::endpoints::authorize::claims_parameter::ClaimsRequest;
use serde_json::{Value, json};

use crate::support::ask::{VERIFIER, ask};
use crate::support::browser::Browser;
use crate::support::clock::{self, advance};
use crate::support::issued::{
    Tokens, call, claims, is_active, post_userinfo, seed, tokens, userinfo,
};
use crate::support::people::{self, BILLS, ORDERS};
use crate::support::test_server::{ISSUER, TestServer, list};

#[tokio::test]
async fn rfc9068_an_access_token_of_a_person() {
    let world = TestServer::at_rest().await;
    let tokens = tokens(&world, "team-a.app").await;
    let claims = claims(&world, ORDERS, &tokens.access_token).await;
    let now = clock::now().as_second();
    let family = claims["jti"].as_str().unwrap().split_once('.').unwrap();
    assert!(family.0.starts_with("fam_") && family.1.len() == 22);
    assert_eq!(
        claims,
        json!({
            "iss": ISSUER,
            "sub": "subject-of-alice",
            "client_id": "team-a.app",
            "aud": [ORDERS, BILLS, ISSUER],
            "scope": "openid profile email groups orders.read bills.read common",
            "auth_time": now - 5,
            "iat": now,
            "exp": now + 600,
            "jti": claims["jti"],
        })
    );
    let header = jsonwebtoken::decode_header(&tokens.access_token).unwrap();
    assert_eq!(header.typ.as_deref(), Some("at+jwt"));
}

#[tokio::test]
async fn the_audience_follows_from_what_was_granted() {
    let world = TestServer::at_rest().await;
    for (scope, resources, audience) in [
        ("openid", "", json!(ISSUER)),
        ("common", "", json!(ISSUER)),
        ("orders.read", ORDERS, json!(ORDERS)),
        ("openid orders.read", ORDERS, json!([ORDERS, ISSUER])),
    ] {
        let seed = seed(&world, "team-a.app").scope(scope);
        let seed = seed.with(|code| resources.clone_into(&mut code.authorization.resources));
        let tokens = Tokens::of(&seed.insert(&world).await.exchange(&world).await);
        let expected = if resources.is_empty() {
            ISSUER
        } else {
            resources
        };
        let claims = claims(&world, expected, &tokens.access_token).await;
        assert_eq!(claims["aud"], audience, "{scope}");
    }
}

#[tokio::test]
async fn oidc_core_2_an_id_token_says_who_and_what_the_scopes_promise() {
    let world = TestServer::at_rest().await;
    let tokens = tokens(&world, "team-a.app").await;
    let claims = claims(&world, "team-a.app", &tokens.id_token).await;
    let now = clock::now().as_second();
    assert_eq!(
        claims,
        json!({
            "iss": ISSUER,
            "sub": "subject-of-alice",
            "aud": "team-a.app",
            "iat": now,
            "exp": now + 600,
            "auth_time": now - 5,
            "nonce": "n-0S6_WzA2Mj",
            "amr": ["pwd"],
            "sid": "sid-1",
            "jti": claims["jti"],
            "at_hash": claims["at_hash"],
            "name": "alice of Example",
            "preferred_username": "alice",
            "email": "alice@example.com",
            "email_verified": true,
            "groups": ["everybody", "staff"],
        })
    );
    let header = jsonwebtoken::decode_header(&tokens.id_token).unwrap();
    assert_eq!(
        (header.typ.as_deref(), header.alg),
        (Some("JWT"), jsonwebtoken::Algorithm::RS256)
    );
}

#[tokio::test]
async fn rfc7519_every_id_token_has_an_id_of_its_own() {
    let world = TestServer::at_rest().await;
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..3 {
        let tokens = tokens(&world, "team-a.app").await;
        let id_token = claims(&world, "team-a.app", &tokens.id_token).await;
        let access_token = claims(&world, ISSUER, &tokens.access_token).await;
        for told in [id_token, access_token] {
            let jti = told["jti"].as_str().unwrap();
            assert!(jti.len() >= 22 && seen.insert(jti.to_owned()), "{jti}");
        }
    }
}

#[tokio::test]
async fn b35_the_class_of_authentication_is_named_if_asked_for() {
    const CLASS: &str = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport";
    let world = TestServer::at_rest().await;
    let essential = r#"{"id_token":{"acr":{"essential":true}}}"#;
    for (parameter, value, named) in [
        ("ui_locales", "en", false),
        ("acr_values", "", false),
        ("acr_values", CLASS, true),
        ("acr_values", "urn:mfa 1", true),
        ("claims", essential, true),
        ("claims", r#"{"id_token":{"acr":null}}"#, true),
        ("claims", r#"{"userinfo":{"acr":null}}"#, false),
    ] {
        let request = ask("team-a.app").with(parameter, value);
        let told = Browser::new(&world).allow(&request.url(), "alice").await;
        let kept = world.kept(&told["code"]).await.authorization.claims;
        let seed = seed(&world, "team-a.app").with(|code| code.authorization.claims = kept.clone());
        let first = Tokens::of(&seed.insert(&world).await.exchange(&world).await);
        let id_token = claims(&world, "team-a.app", &first.id_token).await;
        let expected = if named { json!(CLASS) } else { Value::Null };
        assert_eq!(id_token["acr"], expected, "{parameter}={value}");
    }
    for (refused, error) in [
        (r#"{"id_token":{"acr":"x"}}"#, "invalid_request"),
        (
            r#"{"id_token":{"acr":{"essential":true,"value":"urn:mfa"}}}"#,
            "access_denied",
        ),
    ] {
        let request = ask("team-a.app").with("claims", refused);
        let page = Browser::new(&world).open(&request.url()).await;
        page.redirects(error);
    }
}

#[tokio::test]
async fn an_id_token_has_the_algorithm_that_the_client_registered() {
    let world = TestServer::at_rest().await;
    for (client, algorithm) in [
        ("team-a.es256", jsonwebtoken::Algorithm::ES256),
        ("team-a.eddsa", jsonwebtoken::Algorithm::EdDSA),
    ] {
        let tokens = tokens(&world, client).await;
        let header = jsonwebtoken::decode_header(&tokens.id_token).unwrap();
        assert_eq!(header.alg, algorithm);
        claims(&world, client, &tokens.id_token).await;
    }
}

#[tokio::test]
async fn a_tenant_without_a_key_issues_nothing_and_keeps_the_code() {
    let world = TestServer::at_rest().await;
    let seed = seed(&world, "team-a.app").insert(&world).await;
    let es256 = clientele_oauth::Algorithm::Es256;
    world.change(|tenant| tenant.signing_keys = Some(crate::support::keys::signing_keys(es256)));
    seed.exchange(&world)
        .await
        .refuses(503, "temporarily_unavailable");
    world.change(|_| ());
    assert_eq!(seed.exchange(&world).await.status, 200);
}

#[tokio::test]
async fn a_claim_requested_by_name_needs_a_scope_that_promises_it() {
    let world = TestServer::at_rest().await;
    let asked = r#"{"id_token":{"email":null,"sub":{"value":"mallory"},"phone_number":null}}"#;
    let asked =
        clientele_oauth::endpoints::authorize::claims_parameter::ClaimsRequest::parse(asked)
            .unwrap();
    let ask = |client: &str| {
        let seed = seed(&world, client).scope("openid");
        seed.with(|code| code.authorization.claims = asked.normal())
    };
    let one = Tokens::of(
        &ask("team-a.app")
            .insert(&world)
            .await
            .exchange(&world)
            .await,
    );
    let told = claims(&world, "team-a.app", &one.id_token).await;
    assert_eq!(
        (&told["email"], &told["sub"]),
        (&json!("alice@example.com"), &json!("subject-of-alice"))
    );
    assert_eq!(
        (&told["name"], &told["phone_number"]),
        (&Value::Null, &Value::Null)
    );
    world.change(|tenant| {
        let narrow = people::app_with("team-a.app", |c| c.scopes = list(&["openid"]));
        tenant.clients.insert(narrow.id.clone(), narrow.into());
    });
    let seed = ask("team-a.app").insert(&world).await;
    let other = Tokens::of(&seed.exchange(&world).await);
    assert_eq!(
        claims(&world, "team-a.app", &other.id_token).await["email"],
        Value::Null
    );
}

#[tokio::test]
async fn b32_a_user_claim_replaces_no_protocol_claim() {
    let world = TestServer::at_rest().await;
    let forged = [
        "iss",
        "sub",
        "aud",
        "exp",
        "nonce",
        "amr",
        "sid",
        "azp",
        "client_id",
        "jti",
    ];
    world.change(|tenant| {
        let mut people = people::everybody();
        for name in forged {
            people[0].claims.insert(name.to_owned(), "forged".into());
        }
        tenant.users = people::index(people);
        tenant.scopes = tenant
            .scopes
            .iter()
            .cloned()
            .map(|scope| clientele_oauth::tenant::Scope {
                claims: list(&forged),
                ..scope
            })
            .collect();
    });
    let tokens = tokens(&world, "team-a.app").await;
    for (audience, token) in [
        ("team-a.app", &tokens.id_token),
        (ORDERS, &tokens.access_token),
    ] {
        let claims = claims(&world, audience, token).await;
        assert!(!claims.to_string().contains("forged"), "{claims}");
    }
}

#[tokio::test]
async fn no_access_token_outlives_its_family() {
    let world = TestServer::at_rest().await;
    let change = |refresh: u64, idle: u64| {
        world.change(|tenant| {
            let client = people::app_with("team-a.app", |c| {
                Arc::make_mut(&mut c.lifetimes).refresh_token = Duration::from_secs(refresh);
                Arc::make_mut(&mut c.lifetimes).refresh_token_idle = Duration::from_secs(idle);
            });
            tenant.clients.insert(client.id.clone(), client.into());
        });
    };
    for (refresh, idle, expected) in [(100, 1000, 100), (1000, 60, 60), (10_000, 10_000, 600)] {
        change(refresh, idle);
        let seed = seed(&world, "team-a.app").insert(&world).await;
        let reply = seed.exchange(&world).await;
        assert_eq!(reply.json()["expires_in"], expected);
        let token = reply.access_token();
        advance(Duration::from_secs(expected - 1));
        assert!(is_active(&world, "team-a.app", &token).await);
        advance(Duration::from_secs(1));
        assert!(!is_active(&world, "team-a.app", &token).await);
    }
}

#[tokio::test]
async fn without_refresh_the_access_token_lives_equally_long() {
    let world = TestServer::at_rest().await;
    let tokens = tokens(&world, "team-a.once").await;
    assert_eq!(tokens.refresh_token, "");
    advance(Duration::from_secs(599));
    assert!(is_active(&world, "team-a.once", &tokens.access_token).await);
    advance(Duration::from_secs(1));
    assert!(!is_active(&world, "team-a.once", &tokens.access_token).await);
}

/// A person with as many claims as an OAuthUser may have.
#[tokio::test]
async fn n02_the_longest_tokens_fit_every_endpoint() {
    let world = TestServer::at_rest().await;
    let essay = "x".repeat(5_000);
    world.change(|tenant| {
        let mut alice = people::person("alice");
        alice.subject = "s".repeat(255).into();
        alice.claims = [("name".to_owned(), json!(essay))].into_iter().collect();
        tenant.users = people::index(vec![alice]);
    });
    let request = ask("team-a.app")
        .with("scope", "openid profile")
        .with("claims", r#"{"id_token":{"name":null}}"#)
        .with("nonce", &"n".repeat(64))
        .url();
    let mut browser = Browser::new(&world);
    let told = browser.allow(&request, "alice").await;
    let redeem = [
        ("grant_type", "authorization_code"),
        ("code", &told["code"]),
        ("redirect_uri", people::APP),
        ("code_verifier", VERIFIER),
    ];
    let tokens = Tokens::of(&call(&world, "team-a.app", "/token", &redeem).await);
    assert_eq!(id_claims(&tokens.id_token)["name"].as_str(), Some(&*essay));
    let userinfo = [
        userinfo(&world, &tokens.access_token).await,
        post_userinfo(
            &world,
            None,
            &format!("access_token={}", tokens.access_token),
        )
        .await,
    ];
    assert!(userinfo.iter().all(|reply| reply.status == 200));
    let state = "s".repeat(2048);
    let form = [
        ("id_token_hint", &*tokens.id_token),
        ("post_logout_redirect_uri", "https://app.example/bye"),
        ("state", &*state),
    ];
    let query = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(form)
        .finish();
    // Beside it the headers of a browser have two kibibytes.
    assert!(query.len() < 14 * 1024, "{}", query.len());
    let hinted = format!("{request}&id_token_hint={}", tokens.id_token);
    let page = browser.open(&hinted).await;
    assert!(page.told().contains_key("code"), "{:?}", page.reply);
    let page = browser.open(&format!("/logout?{query}")).await;
    assert_ne!(page.reply.header("location"), "", "{:?}", page.reply);
    let page = browser.post("/logout", &form).await;
    assert!(page.reply.status < 400, "{:?}", page.reply);
}

/// The claims of an ID token, which others verify.
fn id_claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

#[tokio::test]
async fn an_id_token_can_be_limited_to_the_claims_asked_for() {
    let world = TestServer::at_rest().await;
    world.change(|tenant| {
        let brief = people::app_with("team-a.app", |c| {
            c.id_token_claims = IdTokenClaims::Requested;
        });
        tenant.clients.insert("team-a.app".into(), brief.into());
    });
    let issued = async |asked: &str| {
        let seed = seed(&world, "team-a.app")
            .with(|code| asked.clone_into(&mut code.authorization.claims));
        let tokens = Tokens::of(&seed.insert(&world).await.exchange(&world).await);
        let id_token = claims(&world, "team-a.app", &tokens.id_token).await;
        let told = userinfo(&world, &tokens.access_token).await.json();
        (id_token, told)
    };
    let about = [
        "name",
        "preferred_username",
        "email",
        "email_verified",
        "groups",
    ];
    let (id_token, told) = issued("").await;
    for name in about {
        assert!(
            id_token.get(name).is_none() && told.get(name).is_some(),
            "{name}"
        );
    }
    for name in [
        "iss",
        "sub",
        "aud",
        "exp",
        "nonce",
        "sid",
        "auth_time",
        "at_hash",
    ] {
        assert!(id_token.get(name).is_some(), "{name}");
    }
    let asked = ClaimsRequest::parse(r#"{"id_token":{"email":null}}"#)
        .unwrap()
        .normal();
    let (id_token, told) = issued(&asked).await;
    assert_eq!(id_token["email"], told["email"]);
    assert!(id_token.get("name").is_none());
}
