//! P4: the exact error table of the token endpoint.

use std::fmt::Write;

use axum::http::Request;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};

use crate::support::reply::Reply;
use crate::support::test_server::{FORM, TestServer, basic};

const RESOURCE: &str = "https%3A%2F%2Forders.example";

/// A valid request by form, parameter by parameter.
fn valid(world: &TestServer) -> Vec<(&'static str, String)> {
    vec![
        ("grant_type", "client_credentials".to_owned()),
        ("client_id", "team-a.web".to_owned()),
        ("client_secret", world.secret("team-a.web")),
        ("scope", "orders.read".to_owned()),
        ("resource", RESOURCE.to_owned()),
    ]
}

fn form(parameters: &[(&str, String)]) -> String {
    let pairs: Vec<String> = parameters
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    pairs.join("&")
}

async fn send(world: &TestServer, headers: &[String], form: String) -> Reply {
    let mut request = Request::post("/token").header(CONTENT_TYPE, FORM);
    for header in headers {
        request = request.header(AUTHORIZATION, header);
    }
    world.send(request.body(form.into()).unwrap()).await
}

/// The variants of one parameter.
fn variants(parameters: &[(&'static str, String)], at: usize) -> Vec<(&'static str, String)> {
    let changed = |value: String| {
        let mut parameters = parameters.to_vec();
        parameters[at].1 = value;
        form(&parameters)
    };
    let mut missing = parameters.to_vec();
    let (name, value) = missing.remove(at);
    let all = form(parameters);
    vec![
        ("missing", form(&missing)),
        ("repeated, equal", format!("{all}&{name}={value}")),
        ("repeated, empty", format!("{all}&{name}=")),
        ("empty", changed(String::new())),
        ("one character more", changed(format!("{value}x"))),
        ("8 KiB", changed("x".repeat(8 * 1024))),
        ("over 64 KiB", changed("x".repeat(65 * 1024))),
        ("not UTF-8", changed("%ff%fe".to_owned())),
    ]
}

/// The table under construction.
struct Table {
    world: TestServer,
    rows: String,
}

impl Table {
    async fn row(&mut self, name: &str, variant: &str, headers: &[String], form: String) -> String {
        let reply = send(&self.world, headers, form).await;
        if reply.status != 200 {
            reply.is_a_refusal();
        }
        writeln!(self.rows, "{name:<22} {variant:<20} {}", reply.outcome()).unwrap();
        reply.outcome()
    }

    async fn parameter(&mut self, parameters: &[(&'static str, String)], at: usize) {
        let name = parameters[at].0;
        let mut missing = String::new();
        for (variant, form) in variants(parameters, at) {
            let outcome = self.row(name, variant, &[], form).await;
            match variant {
                "missing" => missing = outcome,
                // Without a value it counts as omitted (RFC 6749 §3.2).
                "empty" => assert_eq!(outcome, missing, "{name}"),
                _ => (),
            }
        }
    }

    async fn header(&mut self) {
        let secret = self.world.secret("team-a.web");
        let header = basic("team-a.web", &secret);
        let longer = basic("team-a.web", &format!("{secret}x"));
        for (variant, headers) in [
            ("valid", vec![header.clone()]),
            ("missing", vec![]),
            ("repeated", vec![header.clone(), header.clone()]),
            ("empty", vec![String::new()]),
            ("one character more", vec![longer]),
            ("8 KiB", vec![basic("team-a.web", &"x".repeat(8 * 1024))]),
            ("another scheme", vec![format!("Bearer {secret}")]),
        ] {
            let form = "grant_type=client_credentials".to_owned();
            self.row("Authorization", variant, &headers, form).await;
        }
    }
}

#[tokio::test]
async fn p4_the_error_table_of_the_token_endpoint() {
    let world = TestServer::new().await;
    let parameters = valid(&world);
    let rows = String::new();
    let mut table = Table { world, rows };
    let all = form(&parameters);
    table.row("(all valid)", "", &[], all.clone()).await;
    for at in 0..parameters.len() {
        table.parameter(&parameters, at).await;
    }
    for name in ["client_assertion", "client_assertion_type"] {
        let mut parameters = parameters.clone();
        parameters[2] = (name, "x".to_owned());
        table.parameter(&parameters, 2).await;
    }
    table.header().await;
    let unknown = format!("{all}&foo=1&foo=2");
    table.row("(unknown)", "present", &[], unknown).await;
    table.row("(empty body)", "", &[], String::new()).await;
    let json = "{\"grant_type\":1}".to_owned();
    table.row("(not a form)", "", &[], json).await;
    insta::assert_snapshot!(table.rows);
}
