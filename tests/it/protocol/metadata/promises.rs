//! J16, P5: what the metadata lists works, and what it does not list is refused.

use std::collections::BTreeSet;

use axum::body::Body;
use axum::http::Request;
use clientele_oauth::Algorithm;
use clientele_oauth::endpoints::authorize::claims_parameter::ClaimsRequest;
use serde_json::{Map, Value, json};

use crate::support::ask::ask;
use crate::support::assertions;
use crate::support::browser::Browser;
use crate::support::issued::{Tokens, call, claims, refresh, seed, tokens, userinfo};
use crate::support::people;
use crate::support::reply::Reply;
use crate::support::test_server::{ISSUER, TestServer, basic, list};

const APP: &str = "team-a.app";

async fn document(world: &TestServer) -> Value {
    world.get("/.well-known/openid-configuration").await.json()
}

/// A list of the document.
fn listed<'a>(document: &'a Value, member: &str) -> Vec<&'a str> {
    let values = document[member]
        .as_array()
        .unwrap_or_else(|| panic!("{member} is no list"));
    values.iter().map(|value| value.as_str().unwrap()).collect()
}

/// Whether each value works is whether it is listed.
#[track_caller]
fn agrees(document: &Value, member: &str, value: &str, works: bool) {
    assert_eq!(
        works,
        listed(document, member).contains(&value),
        "{member}: {value}"
    );
}

#[tokio::test]
async fn j16_the_document_says_this_and_no_more() {
    let world = TestServer::at_rest().await;
    let text = serde_json::to_string_pretty(&document(&world).await).unwrap();
    insta::assert_snapshot!(text);
}

#[tokio::test]
async fn j16_every_endpoint_answers_and_no_other_path_does() {
    let world = TestServer::at_rest().await;
    let document = document(&world).await;
    let mut paths = BTreeSet::new();
    for (member, url) in document.as_object().unwrap() {
        if member.ends_with("_endpoint") || member == "jwks_uri" {
            paths.insert(url.as_str().unwrap().strip_prefix(ISSUER).unwrap());
        }
    }
    let every = [
        "/authorize",
        "/token",
        "/userinfo",
        "/revoke",
        "/introspect",
        "/logout",
        "/jwks",
    ];
    assert_eq!(paths, every.into());
    for path in paths {
        assert_ne!(world.get(path).await.status, 404, "{path}");
    }
    for absent in [
        "/device",
        "/par",
        "/register",
        "/bc-authorize",
        "/challenge",
        "/check_session",
    ] {
        assert_eq!(world.get(absent).await.status, 404, "{absent}");
    }
}

#[tokio::test]
async fn j16_p5_grant_types() {
    let world = TestServer::at_rest().await;
    let document = document(&world).await;
    let first = tokens(&world, APP).await;
    let code = seed(&world, APP).insert(&world).await;
    for (grant, reply) in [
        ("client_credentials", world.web("").await),
        ("authorization_code", code.exchange(&world).await),
        (
            "refresh_token",
            refresh(&world, APP, &first.refresh_token, &[]).await,
        ),
    ] {
        agrees(
            &document,
            "grant_types_supported",
            grant,
            reply.status == 200,
        );
    }
    for grant in [
        "password",
        "implicit",
        "urn:ietf:params:oauth:grant-type:device_code",
        "urn:ietf:params:oauth:grant-type:token-exchange",
        "urn:ietf:params:oauth:grant-type:jwt-bearer",
        "urn:openid:params:grant-type:ciba",
    ] {
        let reply = call(&world, APP, "/token", &[("grant_type", grant)]).await;
        reply.refuses(400, "unsupported_grant_type");
        agrees(&document, "grant_types_supported", grant, false);
    }
}

/// What an endpoint says to each method of authentication; whatever follows is of no interest.
async fn authenticates(world: &TestServer, path: &str, method: &str) -> bool {
    let (id, secret) = ("team-a.web", world.secret("team-a.web"));
    let form = "grant_type=client_credentials&token=x";
    let assertion = "client_assertion=e30.e30.x&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer";
    let (header, form) = match method {
        "client_secret_basic" => (Some(basic(id, &secret)), form.to_owned()),
        "client_secret_post" => (
            None,
            format!("{form}&client_id={id}&client_secret={secret}"),
        ),
        "none" => (None, format!("{form}&client_id=team-a.spa")),
        "tls_client_auth" => (None, form.to_owned()),
        "private_key_jwt" => (
            None,
            assertions::form(&assertions::good(world), &[("token", "x")]),
        ),
        _ => (None, format!("{form}&client_id={id}&{assertion}")),
    };
    let reply = world.token_at(path, header.as_deref(), &form).await;
    let outcome = reply.status == 200 || reply.outcome() == "400 unauthorized_client";
    assert!(
        outcome || reply.outcome() == "401 invalid_client",
        "{path} {method}: {}",
        reply.body
    );
    outcome
}

#[tokio::test]
async fn j16_p5_methods_of_client_authentication() {
    let world = assertions::world().await;
    let document = document(&world).await;
    for endpoint in ["token", "revocation", "introspection"] {
        let url = document[format!("{endpoint}_endpoint")].as_str().unwrap();
        let path = url.strip_prefix(ISSUER).unwrap();
        for method in [
            "client_secret_basic",
            "client_secret_post",
            "none",
            "private_key_jwt",
            "client_secret_jwt",
            "tls_client_auth",
        ] {
            let member = format!("{endpoint}_endpoint_auth_methods_supported");
            agrees(
                &document,
                &member,
                method,
                authenticates(&world, path, method).await,
            );
        }
    }
}

#[tokio::test]
async fn j16_p5_algorithms_of_client_assertions() {
    let world = assertions::world().await;
    let document = document(&world).await;
    for endpoint in ["token", "revocation", "introspection"] {
        let url = document[format!("{endpoint}_endpoint")].as_str().unwrap();
        let path = url.strip_prefix(ISSUER).unwrap();
        let member = format!("{endpoint}_endpoint_auth_signing_alg_values_supported");
        for alg in [
            "RS256", "PS256", "ES256", "ES384", "EdDSA", "Ed25519", "RS384", "RS512", "PS512",
            "ES512", "ES256K", "HS256", "none",
        ] {
            let name = if alg == "Ed25519" { "EdDSA" } else { alg };
            let key = assertions::KEYS.iter().find(|key| key.alg == name);
            let claims = assertions::claims(&world, assertions::SIGNER).to_string();
            let header = json!({ "alg": alg }).to_string();
            let assertion = key.unwrap_or(assertions::key()).token(&header, &claims);
            let form = assertions::form(&assertion, &[("token", "x")]);
            let reply = world.token_at(path, None, &form).await;
            agrees(&document, &member, alg, reply.status == 200);
        }
    }
}

/// Whether an authorization request with this parameter is one that the server understands: with `prompt=none`, no person
/// being signed in is then all that is wrong.
async fn understands(world: &TestServer, name: &str, value: &str) -> bool {
    let url = ask(APP).with("prompt", "none").with(name, value).url();
    let page = Browser::new(world).open(&url).await;
    let told = page.told();
    told["error"] == "login_required"
}

#[tokio::test]
async fn j16_p5_authorization_requests() {
    let world = TestServer::at_rest().await;
    let document = document(&world).await;
    for (member, name, values) in [
        (
            "response_types_supported",
            "response_type",
            vec![
                "code",
                "token",
                "id_token",
                "code token",
                "code id_token",
                "none",
                "CODE",
            ],
        ),
        (
            "response_modes_supported",
            "response_mode",
            vec![
                "query",
                "form_post",
                "fragment",
                "jwt",
                "query.jwt",
                "form_post.jwt",
                "web_message",
            ],
        ),
        (
            "code_challenge_methods_supported",
            "code_challenge_method",
            vec!["S256", "plain", "s256"],
        ),
    ] {
        for value in values {
            agrees(
                &document,
                member,
                value,
                understands(&world, name, value).await,
            );
        }
    }
    let with = async |name, value| understands(&world, name, value).await;
    assert_eq!(
        document["claims_parameter_supported"],
        with("claims", "{\"id_token\":{}}").await
    );
    assert_eq!(
        document["request_parameter_supported"],
        with("request", "e30.e30.").await
    );
    let uri = "https://app.example/request";
    assert_eq!(
        document["request_uri_parameter_supported"],
        with("request_uri", uri).await
    );
}

#[tokio::test]
async fn j16_p5_prompts() {
    let world = TestServer::at_rest().await;
    let document = document(&world).await;
    for prompt in [
        "none",
        "login",
        "consent",
        "select_account",
        "create",
        "bogus",
    ] {
        let page = Browser::new(&world)
            .open(&ask(APP).with("prompt", prompt).url())
            .await;
        let shown = page.reply.status == 200 && page.path() == "/login";
        let works = shown
            || page
                .told()
                .get("error")
                .is_some_and(|e| e == "login_required");
        agrees(&document, "prompt_values_supported", prompt, works);
    }
}

#[tokio::test]
async fn j16_p5_every_answer_names_the_issuer_as_promised() {
    let world = TestServer::at_rest().await;
    let document = document(&world).await;
    assert_eq!(
        document["authorization_response_iss_parameter_supported"],
        true
    );
    let page = Browser::new(&world)
        .open(&ask(APP).with("prompt", "none").url())
        .await;
    assert_eq!(page.told()["iss"], document["issuer"]);
}

/// A person with every claim.
fn know_everything(world: &TestServer, names: &[&str]) {
    world.change(|tenant| {
        let mut people = people::everybody();
        let known: Map<String, Value> = names.iter().map(|&n| (n.to_owned(), n.into())).collect();
        people[0].claims = known;
        tenant.users = people::index(people);
        let wide = people::app_with(APP, |client| {
            let all = listed_scopes(tenant.scopes.iter().map(|scope| &*scope.name));
            client.scopes = list(&all);
        });
        tenant.clients.insert(wide.id.clone(), wide.into());
    });
}

fn listed_scopes<'a>(own: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    clientele_oauth::tenant::OPENID_SCOPES
        .into_iter()
        .chain(own)
        .collect()
}

#[tokio::test]
async fn j16_p5_scopes_and_claims() {
    let world = TestServer::at_rest().await;
    let document = document(&world).await;
    let (scopes, claimed) = (
        listed(&document, "scopes_supported"),
        listed(&document, "claims_supported"),
    );
    know_everything(&world, &claimed);
    let acr = ClaimsRequest {
        acr: true,
        ..ClaimsRequest::default()
    };
    let granted = seed(&world, APP)
        .scope(&scopes.join(" "))
        .with(|code| code.authorization.claims = acr.normal())
        .insert(&world)
        .await;
    let reply = granted.exchange(&world).await;
    assert_eq!(reply.json()["scope"], scopes.join(" "));
    let told = claims(&world, APP, &Tokens::of(&reply).id_token).await;
    let told: BTreeSet<&str> = told
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(told, claimed.iter().copied().collect());
    let own = [
        "iss",
        "aud",
        "iat",
        "exp",
        "auth_time",
        "nonce",
        "acr",
        "amr",
        "sid",
        "jti",
        "at_hash",
    ];
    let from_userinfo = userinfo(&world, &reply.access_token()).await.json();
    let from_userinfo: BTreeSet<&str> = from_userinfo
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(
        from_userinfo,
        told.into_iter()
            .filter(|claim| !own.contains(claim))
            .collect()
    );
    for unlisted in ["admin", "roles", "system:masters"] {
        let reply = world.web(&format!("&scope={unlisted}")).await;
        reply.refuses(400, "invalid_scope");
        assert!(!scopes.contains(&unlisted));
    }
}

#[tokio::test]
async fn g02_machines_get_the_tenants_scopes_and_no_user_scopes() {
    let world = TestServer::at_rest().await;
    let document = document(&world).await;
    let both = "&resource=https%3A%2F%2Forders.example&resource=https%3A%2F%2Fbills.example";
    for scope in listed(&document, "scopes_supported") {
        let reply = world.web(&format!("{both}&scope={scope}")).await;
        let of_people = clientele_oauth::tenant::OPENID_SCOPES.contains(&scope);
        assert_eq!(reply.status, if of_people { 400 } else { 200 }, "{scope}");
    }
}

#[tokio::test]
async fn j16_p5_algorithms_of_id_tokens() {
    let world = TestServer::at_rest().await;
    let member = "id_token_signing_alg_values_supported";
    let document = document(&world).await;
    assert_eq!(listed(&document, member), ["RS256", "ES256", "EdDSA"]);
    for client in [APP, "team-a.es256", "team-a.eddsa"] {
        let header = jsonwebtoken::decode_header(tokens(&world, client).await.id_token).unwrap();
        let name = format!("{:?}", header.alg);
        assert!(listed(&document, member).contains(&name.as_str()), "{name}");
    }
    let reply = world.get("/t/ed/.well-known/openid-configuration").await;
    assert_eq!(listed(&reply.json(), member), ["EdDSA"]);
}

#[tokio::test]
async fn j16_only_listed_algorithms_are_published() {
    let world = TestServer::at_rest().await;
    let earlier = tokens(&world, "team-a.eddsa").await;
    let published = async || {
        let document = document(&world).await;
        let names = listed(&document, "id_token_signing_alg_values_supported");
        let jwks = world.get("/jwks").await.json();
        let keys = jwks["keys"].as_array().unwrap().iter();
        let mut algorithms: Vec<String> = keys
            .map(|key| key["alg"].as_str().unwrap().to_owned())
            .collect();
        algorithms.sort_unstable();
        (names.join(" "), algorithms.join(" "))
    };
    for (listed, names, keys) in [
        (
            &[Algorithm::Es256, Algorithm::Rs256][..],
            "ES256 RS256",
            "ES256 RS256",
        ),
        (&[Algorithm::Rs256], "RS256", "RS256"),
        (
            &Algorithm::PUBLISHED,
            "RS256 ES256 EdDSA",
            "ES256 EdDSA RS256",
        ),
    ] {
        world.change(|tenant| tenant.published_algorithms = listed.into());
        assert_eq!(published().await, (names.to_owned(), keys.to_owned()));
        // What was issued before is still known here: a hint by a key that is not published.
        let hint = format!("/logout?id_token_hint={}", earlier.id_token);
        let page = Browser::new(&world).open(&hint).await;
        assert_ne!(page.reply.header("x-clientele-error"), "invalid_request");
    }
}

#[tokio::test]
async fn j16_the_subject_is_the_same_for_every_client() {
    let world = TestServer::at_rest().await;
    assert_eq!(
        listed(&document(&world).await, "subject_types_supported"),
        ["public"]
    );
    let mut subjects = BTreeSet::new();
    for client in [APP, "team-a.second", "team-a.spa"] {
        let token = tokens(&world, client).await.id_token;
        subjects.insert(claims(&world, client, &token).await["sub"].to_string());
    }
    assert_eq!(subjects.len(), 1);
}

#[tokio::test]
async fn j16_a_document_is_read_with_get_and_changed_with_nothing() {
    let world = TestServer::at_rest().await;
    let request = Request::post("/.well-known/openid-configuration");
    let reply: Reply = world.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!(reply.status, 405);
}
