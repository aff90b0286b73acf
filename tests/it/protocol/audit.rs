//! The audit log: a line for each act, as JSON, with who and from where, and with no secret.

mod redaction;
mod redaction_people;

use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use clientele_http::App;
use clientele_http::server::trusted_proxies::TrustedProxies;
use clientele_oauth::Client;
use clientele_telemetry::audit::{Audit, AuditEvent, AuditRecord, AuditWriter, WhenFull};
use serde_json::Value;

use crate::support::ask::ask;
use crate::support::browser::Browser;
use crate::support::clock;
use crate::support::issued::{Tokens, call, introspect, refresh, revoke, seed};
use crate::support::logs::Logs;
use crate::support::people::PASSWORD;
use crate::support::test_server::{TestServer, basic, client};

const APP: &str = "team-a.app";

/// The lines of a server.
struct Lines(Logs, Arc<Audit>);

fn lines(logs: &Lines) -> Vec<Value> {
    logs.1.writer().unwrap().flush();
    let text = logs.0.text();
    let lines = text.lines().map(serde_json::from_str);
    lines.collect::<Result<_, _>>().expect("each line is JSON")
}

/// Event, client and person of each line.
fn told(logs: &Lines) -> Vec<String> {
    let told = |line: &Value| {
        let field = |name: &str| line[name].as_str().unwrap_or("-").to_owned();
        let fields = ["event", "client_id", "username", "error"];
        fields.map(field).join(" ")
    };
    lines(logs).iter().map(told).collect()
}

async fn world(tokens: bool) -> (Lines, TestServer) {
    let world = TestServer::at_rest().await;
    let logs = Logs::default();
    let writer = AuditWriter::start(logs.clone(), WhenFull::Refuse).unwrap();
    let audit = Arc::new(Audit::new(tokens).with_writer(writer));
    let server = TestServer::with(App {
        audit: audit.clone(),
        trusted_proxies: TrustedProxies::new(&["192.0.2.0/24".parse().unwrap()]),
        ..world.app
    });
    (Lines(logs, audit), server)
}

/// Bob declines; Alice mistypes, signs in, agrees, withdraws, and leaves.
async fn people(world: &TestServer) -> Vec<String> {
    let mut bob = Browser::new(world);
    let login = bob.open(&ask(APP).url()).await;
    let consent = bob.sign_in_at(&login, "bob").await;
    bob.submit(&consent, &[("decision", "deny")]).await;
    let mut alice = Browser::new(world);
    alice
        .headers
        .push(("x-forwarded-for", "198.51.100.7".into()));
    let login = alice.open(&ask(APP).url()).await;
    for wrong in [
        [("username", "typed-by-a-stranger"), ("password", "guess-1")],
        [("username", "alice"), ("password", "guess-2")],
    ] {
        alice.submit(&login, &wrong).await;
    }
    let consent = alice.sign_in_at(&login, "alice").await;
    let answer = alice.submit(&consent, &[("decision", "allow")]).await;
    let secrets = [login.transaction(), consent.transaction()];
    let secrets = secrets.into_iter().chain(alice.cookies.values().cloned());
    let mut secrets: Vec<String> = secrets.collect();
    let account = alice.open("/account").await;
    let form = account.form_with("action", "withdraw");
    alice.send(&form, &[("action", "withdraw")]).await;
    let account = alice.open("/account").await;
    let form = account.form_with("action", "sign-out-everywhere");
    alice
        .send(&form, &[("action", "sign-out-everywhere")])
        .await;
    secrets.extend([answer.told()["code"].clone(), PASSWORD.to_owned()]);
    secrets.extend(["guess-", "typed-by-a-stranger", "n0nce"].map(str::to_owned));
    secrets
}

#[tokio::test]
async fn each_act_of_a_person_has_one_line_with_who_and_from_where() {
    let (logs, world) = world(false).await;
    let secrets = people(&world).await;
    assert_eq!(
        told(&logs),
        [
            "sign_in team-a.app bob -",
            "consent_denied team-a.app bob -",
            "sign_in_failed team-a.app (unknown) -",
            "sign_in_failed team-a.app alice -",
            "sign_in team-a.app alice -",
            "consent_given team-a.app alice -",
            "authorized team-a.app alice -",
            "consent_withdrawn team-a.app alice -",
            "sign_out_everywhere - alice -",
        ]
    );
    for line in lines(&logs) {
        let alice = line["username"] != "bob";
        let from = if alice { "198.51.100.7" } else { "192.0.2.1" };
        assert_eq!(line["from"], from, "{line}");
        assert_eq!(
            (&line["tenant"], &line["level"]),
            (&"default".into(), &"INFO".into())
        );
        assert!(line["timestamp"].is_string() && line["message"].is_string());
    }
    for secret in secrets {
        assert!(
            !logs.0.text().contains(&secret),
            "{secret} is in\n{}",
            logs.0.text()
        );
    }
}

/// A code and a refresh token used twice, tokens asked about and given back, by those who may and by others.
async fn clients(world: &TestServer) {
    let code = seed(world, APP).insert(world).await;
    let first = Tokens::of(&code.exchange(world).await);
    refresh(world, APP, &first.refresh_token, &[]).await;
    clock::advance(Duration::from_mins(1));
    refresh(world, APP, &first.refresh_token, &[]).await;
    code.exchange(world).await;
    let second = Tokens::of(&seed(world, APP).insert(world).await.exchange(world).await);
    introspect(world, APP, &second.access_token).await;
    call(
        world,
        "team-a.spa",
        "/introspect",
        &[("token", &second.access_token)],
    )
    .await;
    revoke(world, APP, &second.refresh_token).await;
    revoke(world, APP, "nothing of ours").await;
    world.token_at("/revoke", None, "token=x").await;
}

#[tokio::test]
async fn each_act_of_a_client_that_matters_has_one_line() {
    let (logs, world) = world(false).await;
    clients(&world).await;
    let expected = [
        "refresh_reuse team-a.app - -",
        "token_refused team-a.app - invalid_grant",
        // The family is dead already: one alarm for each.
        "token_refused team-a.app - invalid_grant",
        "introspection_refused - - invalid_client",
        "token_revoked team-a.app - -",
        "revocation_refused - - invalid_client",
    ];
    assert_eq!(told(&logs), expected);
    let alarming = lines(&logs)
        .into_iter()
        .filter(|line| line["level"] == "WARN");
    assert_eq!(alarming.count(), 1);
}

#[tokio::test]
async fn q07_a_code_that_is_used_again_and_again_alarms_once() {
    let (logs, world) = world(false).await;
    let code = seed(&world, APP).insert(&world).await;
    for _ in 0..5 {
        code.exchange(&world).await;
    }
    let alarms = told(&logs);
    let alarms = alarms.iter().filter(|line| line.starts_with("code_reuse"));
    assert_eq!(alarms.count(), 1);
}

#[tokio::test]
async fn q07_a_flood_of_refused_token_requests_is_summed_up() {
    let (logs, world) = world(false).await;
    let wrong = basic("team-a.web", "wrong");
    for _ in 0..30 {
        world
            .token(Some(&wrong), "grant_type=client_credentials")
            .await;
        world.token_at("/revoke", None, "token=x").await;
    }
    assert_eq!(told(&logs).len(), 20, "ten of each event");
    clock::advance(Duration::from_mins(1));
    world
        .token(Some(&wrong), "grant_type=client_credentials")
        .await;
    let counts = lines(&logs)
        .iter()
        .filter_map(|line| line["count"].as_u64())
        .sum::<u64>();
    assert_eq!(counts, 40);
}

#[tokio::test]
async fn tokens_that_are_issued_have_a_line_only_if_asked_for() {
    for asked in [false, true] {
        let (logs, world) = world(asked).await;
        assert_eq!(world.web("").await.status, 200);
        clients(&world).await;
        let issued = |line: &&String| line.starts_with("token_i");
        let told: Vec<String> = told(&logs).iter().filter(issued).cloned().collect();
        let expected: &[&str] = &[
            "token_issued team-a.web - -",
            "token_issued team-a.app - -",
            "token_issued team-a.app - -",
            "token_issued team-a.app - -",
            "token_introspected team-a.app - -",
        ];
        assert_eq!(told, if asked { expected } else { &[] });
    }
}

/// The reasons of the lines of refused token requests.
fn reasons(logs: &Lines) -> Vec<String> {
    let lines = lines(logs);
    let reasons = lines.iter().filter(|line| line["event"] == "token_refused");
    reasons.map(|line| line["reason"].to_string()).collect()
}

#[tokio::test]
async fn the_log_has_the_reason_of_a_refusal_that_the_answer_hides() {
    let (logs, world) = world(false).await;
    world.change(|tenant| {
        let retired = Client {
            oldest_accepted: 2,
            ..client("team-a.retired")
        };
        tenant.clients.insert(retired.id.clone(), retired.into());
    });
    let grant = "grant_type=client_credentials";
    for (id, secret) in [
        ("unknown.here", "x".to_owned()),
        ("team-a.web", "x".to_owned()),
        ("team-a.retired", world.secret_of("team-a.retired", 1)),
        ("team-a.spa", "x".to_owned()),
    ] {
        let reply = world.token(Some(&basic(id, &secret)), grant).await;
        reply.refuses(401, "invalid_client");
    }
    let code = seed(&world, APP).insert(&world).await;
    let mut form = code.form();
    form.retain(|(name, _)| *name != "code_verifier");
    call(&world, APP, "/token", &form)
        .await
        .refuses(400, "invalid_grant");
    code.exchange(&world).await.refuses(400, "invalid_grant");
    let expected = [
        "no client of this ID",
        "secret is wrong",
        "retired by a rotation",
        "does not authenticate in this way",
        "code_verifier does not fit",
        "used before",
    ];
    let told = reasons(&logs);
    assert_eq!(told.len(), expected.len(), "{told:?}");
    for (told, expected) in told.iter().zip(expected) {
        assert!(told.contains(expected), "{told} lacks {expected}");
    }
}

#[tokio::test]
async fn a_request_that_cannot_be_read_has_a_line_too() {
    let (logs, world) = world(false).await;
    for path in ["/token", "/introspect", "/revoke"] {
        let request = Request::post(path).header("content-type", "application/json");
        let request = request.body(Body::from("{}")).unwrap();
        assert_eq!(world.send(request).await.status, 400);
    }
    let expected = [
        "token_refused - - invalid_request",
        "introspection_refused - - invalid_request",
        "revocation_refused - - invalid_request",
    ];
    assert_eq!(told(&logs), expected);
}

/// A disk that is full.
struct Full;

impl Write for Full {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::StorageFull.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The status of the metadata and of a token request while 5 MiB of lines wait.
async fn with_a_full_disk(when_full: WhenFull) -> (u16, u16, String) {
    let world = TestServer::at_rest().await;
    let writer = AuditWriter::start(Full, when_full).unwrap();
    let audit = Audit::new(true).with_writer(writer);
    let reason = "x".repeat(512 << 10);
    let record = AuditRecord {
        reason: Some(&reason),
        ..AuditRecord::default()
    };
    // What the thread takes first waits beside the buffer.
    for _ in 0..20 {
        if audit.has_room() {
            audit.record(AuditEvent::SignIn, &record);
        }
    }
    let world = TestServer::with(App {
        audit: Arc::new(audit),
        ..world.app
    });
    let metadata = world.get("/.well-known/openid-configuration").await;
    let secret = world.secret_of("team-a.web", 1);
    let web = basic("team-a.web", &secret);
    let token = world
        .token(Some(&web), "grant_type=client_credentials")
        .await;
    let retry = token.header("retry-after").to_owned();
    (metadata.status, token.status, retry)
}

#[tokio::test]
async fn no_token_is_issued_without_its_line() {
    let refused = with_a_full_disk(WhenFull::Refuse).await;
    assert_eq!(refused, (200, 503, "5".to_owned()));
    let answered = with_a_full_disk(WhenFull::Drop).await;
    assert_eq!(answered, (200, 200, String::new()));
}
