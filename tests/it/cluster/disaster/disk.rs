//! The database cannot grow any more, or cannot be written at all.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::cluster::Cluster;
use crate::support::load::{Entries, Load, ask};
use crate::support::operator::{Options, RunningOperator, free_address};
use crate::support::people::{APP, PASSWORD};
use crate::support::running_server::browser_at;
use crate::support::signed_in::{SignedIn, call, request};
use crate::support::test_namespace::{TestNamespace, eventually_within, http, when};

/// No file may be larger than this; who writes more is told so and not ended by a signal.
fn no_file_beyond(bytes: u64) -> String {
    format!("trap '' XFSZ; ulimit -f {};", bytes.div_ceil(512))
}

/// An operator on this database, in the same place each time.
struct Life<'a> {
    cluster: &'a Cluster,
    listen: String,
    database: &'a Path,
}

impl Life<'_> {
    fn options(&self, before: String) -> Options {
        Options {
            database_url: Some(format!("sqlite:{}", self.database.display())),
            before,
            ..Options::flags(&[]).at(&self.listen)
        }
    }

    fn start(&self, before: String) -> RunningOperator {
        RunningOperator::start(self.cluster, &self.options(before))
    }
}

/// Revokes tokens until that cannot be kept any more; returns those of which it was.
async fn fill(machine: &Entries) -> Vec<String> {
    let mut revoked = Vec::new();
    while revoked.len() < 5_000 {
        let token = ask(&http(), machine).await.unwrap();
        let (code, answer) = call(machine, "revoke", &[("token", &token)]).await;
        if code != 200 {
            says_later(code, &answer);
            return revoked;
        }
        revoked.push(token);
    }
    panic!("there is no end to the room");
}

#[track_caller]
fn says_later(code: u16, answer: &Value) {
    assert_eq!(
        (code, &answer["error"]),
        (503, &json!("temporarily_unavailable")),
        "{answer}"
    );
}

async fn is_active(machine: &Entries, token: &str) -> bool {
    let (code, answer) = call(machine, "introspect", &[("token", token)]).await;
    assert_eq!(code, 200, "{answer}");
    answer["active"] == true
}

/// The answer that refuses. What is smaller than what was refused before may still find room; then it is tried again.
async fn refused<T>(mut attempt: impl AsyncFnMut() -> T, status: impl Fn(&T) -> u16) -> T {
    for _ in 0..20 {
        let answer = attempt().await;
        if status(&answer) >= 400 {
            return answer;
        }
    }
    panic!("there is no end to the room");
}

/// While nothing can be kept.
async fn serves_what_needs_no_room(shop: &Entries, machine: &Entries, alice: &mut SignedIn) {
    let load = Load::start(machine.clone());
    let (code, answer) = refused(async || alice.refresh().await, |answer| answer.0).await;
    says_later(code, &answer);
    assert_eq!(alice.userinfo().await, 200);
    let page = refused(async || alice.again().await, |page| page.reply.status).await;
    page.stops(503, "temporarily_unavailable");
    let sign_in = async || {
        let mut bob = browser_at(&shop["ISSUER"]);
        let login = bob.open(&request(shop).url()).await;
        bob.sign_in_at(&login, "bob").await
    };
    let page = refused(sign_in, |page| page.reply.status).await;
    page.stops(503, "temporarily_unavailable");
    let (code, answer) = refused(async || alice.refresh().await, |answer| answer.0).await;
    says_later(code, &answer);
    load.stop().await.is_flawless();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f07_a_full_disk_refuses_what_must_be_kept_and_loses_nothing() {
    let cluster = Cluster::with_chart(&[]);
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("clientele.db");
    let life = Life {
        cluster: &cluster,
        listen: free_address(),
        database: &database,
    };
    let operator = life.start(String::new());
    let space = TestNamespace::within(&cluster, &operator.issuer, "disk").await;
    space.label_for_people().await;
    for name in ["alice", "bob"] {
        space.person("default", name, PASSWORD).await;
    }
    space.ready("machine", json!({})).await;
    space.ready("shop", json!({ "redirectUris": [APP] })).await;
    let (machine, shop) = (
        space.entries("machine-oauth").await,
        space.entries("shop-oauth").await,
    );
    let mut alice = SignedIn::new(&shop, "alice").await;
    operator.stop();

    let size = std::fs::metadata(&database).unwrap().len();
    let operator = life.start(no_file_beyond(size + 200_000));
    let revoked = fill(&machine).await;
    assert!(!revoked.is_empty());
    serves_what_needs_no_room(&shop, &machine, &mut alice).await;
    assert!(
        operator.log().contains("check the disk"),
        "{}",
        operator.log()
    );
    operator.stop();

    // There is room again.
    let operator = life.start(String::new());
    for token in &revoked {
        assert!(
            !is_active(&machine, token).await,
            "what was answered was kept"
        );
    }
    let told = alice.again().await.told();
    assert!(
        told.contains_key("code"),
        "the session is still there: {told:?}"
    );
    let (code, answer) = alice.refresh().await;
    assert_eq!(code, 200, "the token was not spent: {answer}");
    assert_eq!(alice.userinfo().await, 200);
    SignedIn::new(&shop, "bob").await;
    operator.stop();
    a_full_disk_at_the_start_is_said(&life).await;
}

async fn a_full_disk_at_the_start_is_said(life: &Life<'_>) {
    let mut options = life.options(no_file_beyond(4096));
    options.log_level = Some("error".to_owned());
    let operator = RunningOperator::start_unready(life.cluster, &options);
    eventually_within(Duration::from_mins(1), "it says what is wrong", || async {
        let log = operator.log();
        let said = log.contains("database") && log.contains("check the disk");
        when(said, (), || log)
    })
    .await;
    assert_eq!(operator.readyz(), None, "it does not serve");
}
