//! P4: the exact error tables of the grants of people, of introspection, revocation and userinfo.
//!
//! Every row has a code and tokens of its own, because most rows use up or end something.

use std::fmt::Write;

use axum::http::Request;
use axum::http::header::CONTENT_TYPE;

use crate::support::ask::VERIFIER;
use crate::support::issued::{seed, tokens};
use crate::support::people::{APP, ORDERS};
use crate::support::reply::Reply;
use crate::support::test_server::{FORM, TestServer};

const CLIENT: &str = "team-a.app";

type Parameters = Vec<(&'static str, String)>;

fn authenticated(world: &TestServer, more: &[(&'static str, &str)]) -> Parameters {
    let mut parameters: Parameters = more
        .iter()
        .map(|&(name, value)| (name, value.to_owned()))
        .collect();
    parameters.push(("client_id", CLIENT.to_owned()));
    parameters.push(("client_secret", world.secret(CLIENT)));
    parameters
}

/// A valid request of a kind, with what it needs in the store.
async fn valid(world: &TestServer, kind: &str) -> (&'static str, Parameters) {
    let issued = tokens(world, CLIENT).await;
    match kind {
        "authorization_code" => {
            let code = seed(world, CLIENT).insert(world).await.value;
            let parameters = [
                ("grant_type", "authorization_code"),
                ("code", &code),
                ("redirect_uri", APP),
                ("code_verifier", VERIFIER),
                ("resource", ORDERS),
            ];
            ("/token", authenticated(world, &parameters))
        }
        "refresh_token" => {
            let parameters = [
                ("grant_type", "refresh_token"),
                ("refresh_token", issued.refresh_token.as_str()),
                ("scope", "openid email"),
                ("resource", ORDERS),
            ];
            ("/token", authenticated(world, &parameters))
        }
        "introspect" | "revoke" => {
            let path = if kind == "revoke" {
                "/revoke"
            } else {
                "/introspect"
            };
            let hint = ("token_type_hint", "access_token");
            (
                path,
                authenticated(world, &[("token", &issued.access_token), hint]),
            )
        }
        _ => ("/userinfo", vec![("access_token", issued.access_token)]),
    }
}

fn form(parameters: &Parameters) -> String {
    let pairs = parameters
        .iter()
        .map(|(name, value)| format!("{name}={value}"));
    pairs.collect::<Vec<_>>().join("&")
}

const VARIANTS: [&str; 8] = [
    "missing",
    "repeated, equal",
    "repeated, empty",
    "empty",
    "one character more",
    "8 KiB",
    "over 64 KiB",
    "not UTF-8",
];

/// The form with a variant of one parameter.
fn vary(mut parameters: Parameters, at: usize, variant: &str) -> String {
    let (name, value) = parameters[at].clone();
    match variant {
        "missing" => drop(parameters.remove(at)),
        "repeated, equal" => parameters.push((name, value)),
        "repeated, empty" => parameters.push((name, String::new())),
        "empty" => parameters[at].1.clear(),
        "one character more" => parameters[at].1.push('x'),
        "8 KiB" => parameters[at].1 = "x".repeat(8 * 1024),
        "over 64 KiB" => parameters[at].1 = "x".repeat(65 * 1024),
        _ => "%ff%fe".clone_into(&mut parameters[at].1),
    }
    form(&parameters)
}

async fn send(world: &TestServer, path: &str, form: String) -> Reply {
    let request = Request::post(path).header(CONTENT_TYPE, FORM);
    world.send(request.body(form.into()).unwrap()).await
}

/// Status and error code, or what became of it.
fn outcome(reply: &Reply) -> String {
    match (reply.status, reply.body.as_str()) {
        (200, r#"{"active":false}"#) => "200 inactive".to_owned(),
        (200, _) => "200".to_owned(),
        (status, "") => format!("{status} (no error code)"),
        _ => reply.outcome(),
    }
}

#[tokio::test]
async fn p4_the_error_tables_of_what_people_allow() {
    let world = TestServer::at_rest().await;
    let mut rows = String::new();
    for kind in [
        "authorization_code",
        "refresh_token",
        "introspect",
        "revoke",
        "userinfo",
    ] {
        let (path, parameters) = valid(&world, kind).await;
        let reply = send(&world, path, form(&parameters)).await;
        writeln!(
            rows,
            "{kind:<19} {:<16} {:<20} {}",
            "(all valid)",
            "",
            outcome(&reply)
        )
        .unwrap();
        for at in 0..parameters.len() {
            let mut missing = String::new();
            for variant in VARIANTS {
                let (path, parameters) = valid(&world, kind).await;
                let name = parameters[at].0;
                let reply = send(&world, path, vary(parameters, at, variant)).await;
                assert_eq!(
                    reply.header("cache-control"),
                    "no-store",
                    "{kind} {name} {variant}"
                );
                let outcome = outcome(&reply);
                match variant {
                    "missing" => missing.clone_from(&outcome),
                    // Without a value it counts as omitted (RFC 6749 §3.2).
                    "empty" => assert_eq!(outcome, missing, "{kind} {name}"),
                    _ => (),
                }
                writeln!(rows, "{kind:<19} {name:<16} {variant:<20} {outcome}").unwrap();
            }
        }
    }
    insta::assert_snapshot!(rows);
}
