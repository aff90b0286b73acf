//! People who sign in and programs that ask for tokens, at a constant rate, whatever the server does.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};

use crate::sign_ins::{VICTIMS, sign_in_from};
use crate::support::keys;
use crate::support::people::PASSWORD;
use crate::support::test_server::{basic, client_uid};
use crate::target::Server;

/// Sign-ins and token requests in a second.
const SIGN_INS: u32 = 5;
const TOKENS: u32 = 50;
/// A request without an answer by then has failed.
const PATIENCE: Duration = Duration::from_secs(10);

/// What became of them.
pub struct Outcome {
    pub done: usize,
    pub succeeded: usize,
    pub p99: Duration,
}

/// Lets them come for a while.
pub async fn run(target: &Server, time: Duration) -> Outcome {
    let begin = Instant::now();
    let rounds = u32::try_from(time.as_secs()).unwrap();
    let http = reqwest::Client::builder()
        .timeout(PATIENCE)
        .build()
        .unwrap();
    let mut all = JoinSet::new();
    for number in 0..rounds * TOKENS {
        let (http, port) = (http.clone(), target.port);
        let due = begin + Duration::from_secs(1) * number / TOKENS;
        all.spawn(async move { timed(due, token(http, port)).await });
    }
    for number in 0..rounds * SIGN_INS {
        let due = begin + Duration::from_secs(1) * number / SIGN_INS;
        let (port, name) = (target.port, format!("victim-{}", number as usize % VICTIMS));
        let [_, _, high, low] = number.to_be_bytes();
        let from = IpAddr::V4(Ipv4Addr::new(127, 77, high, low));
        all.spawn(async move {
            let signing_in = async { sign_in_from(from, port, &name, PASSWORD).await == 303 };
            timed(due, signing_in).await
        });
    }
    let results: Vec<Option<Duration>> = all.join_all().await;
    let mut times: Vec<Duration> = results.iter().copied().flatten().collect();
    times.sort();
    let at = times.len() * 99 / 100;
    Outcome {
        done: results.len(),
        succeeded: times.len(),
        p99: times.get(at).or(times.last()).copied().unwrap_or(PATIENCE),
    }
}

async fn timed(due: Instant, work: impl Future<Output = bool>) -> Option<Duration> {
    sleep_until(due).await;
    let done = timeout(PATIENCE, work).await.unwrap_or(false);
    done.then(|| due.elapsed())
}

async fn token(http: reqwest::Client, port: u16) -> bool {
    let registration = clientele_oauth::keys::root_keyring::Registration {
        client_id: "team-a.web",
        client_uid: &client_uid("team-a.web"),
    };
    let secret = keys::keyring().derive(registration, 1);
    let request = http
        .post(format!("http://127.0.0.1:{port}/token"))
        .header("authorization", basic("team-a.web", secret.expose()))
        .header("content-type", "application/x-www-form-urlencoded")
        .body("grant_type=client_credentials");
    request
        .send()
        .await
        .is_ok_and(|answer| answer.status() == 200)
}
