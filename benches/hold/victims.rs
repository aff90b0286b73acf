//! People who sign in and programs that ask for tokens, at a constant rate, whatever the server does.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use crate::sign_ins::{Browser, PATIENCE, Place, VICTIMS, has_known_browser, sign_in, victim};
use crate::support::people::PASSWORD;

/// Sign-ins and token requests in a second.
const SIGN_INS: u32 = 5;
const TOKENS: u32 = 50;

/// How a program asks for a token.
#[derive(Clone)]
pub struct TokenRequest {
    /// The header `Authorization`.
    pub authorization: Option<String>,
    pub body: String,
}

/// Those who only want to work.
pub struct Victims {
    place: Place,
    /// What the programs send, in turns.
    requests: Vec<TokenRequest>,
    /// What the browsers have that people have signed in with before.
    known: Mutex<BTreeMap<usize, Browser>>,
}

/// What became of the sign-ins, or of the token requests.
#[derive(Default)]
pub struct Outcome {
    pub done: usize,
    pub succeeded: usize,
    pub p99: Duration,
    /// How many failed with which status; 0 is no answer in time.
    pub failed: BTreeMap<u16, usize>,
}

impl Outcome {
    fn of(results: impl Iterator<Item = (u16, bool, Duration)>) -> Self {
        let mut outcome = Self::default();
        let mut times = Vec::new();
        for (status, succeeded, took) in results {
            outcome.done += 1;
            if succeeded {
                times.push(took);
            } else {
                *outcome.failed.entry(status).or_default() += 1;
            }
        }
        times.sort();
        outcome.succeeded = times.len();
        let at = times.len() * 99 / 100;
        let last = times.get(at).or(times.last()).copied();
        outcome.p99 = last.unwrap_or(PATIENCE);
        outcome
    }

    /// Prints how many failed with which status.
    pub fn explain(&self, during: &str, what: &str) {
        for (status, count) in &self.failed {
            eprintln!("{during}: {count} {what} failed with status {status}");
        }
    }

    /// How many succeed, in percent.
    pub fn percent(&self) -> f64 {
        self.succeeded as f64 * 100.0 / self.done.max(1) as f64
    }
}

impl Victims {
    /// Some have used their browsers before.
    pub async fn arrive(place: Place, requests: Vec<TokenRequest>) -> Arc<Self> {
        let mut known = BTreeMap::new();
        for number in (0..VICTIMS).filter(|number| has_known_browser(*number)) {
            let mut browser = Browser::new();
            let who = (&*victim(number), PASSWORD);
            let status = sign_in(&place, address(0), &mut browser, who).await;
            assert_eq!(
                status, 303,
                "{} cannot sign in on a server that does nothing else",
                who.0
            );
            assert!(!browser.is_empty(), "the browser is not remembered");
            known.insert(number, browser);
        }
        Arc::new(Self {
            place,
            requests,
            known: Mutex::new(known),
        })
    }

    /// Lets them come for a while: the sign-ins, and the token requests.
    pub async fn run(self: &Arc<Self>, time: Duration) -> (Outcome, Outcome) {
        let begin = Instant::now();
        let rounds = u32::try_from(time.as_secs()).unwrap();
        let http = reqwest::Client::builder()
            .timeout(PATIENCE)
            .build()
            .unwrap();
        let (mut people, mut programs) = (JoinSet::new(), JoinSet::new());
        for number in 0..rounds * TOKENS {
            let (http, this) = (http.clone(), self.clone());
            let due = begin + Duration::from_secs(1) * number / TOKENS;
            programs.spawn(async move {
                sleep_until(due).await;
                let status = this.token(http, number).await;
                (status, status == 200, due.elapsed())
            });
        }
        for number in 0..rounds * SIGN_INS {
            let due = begin + Duration::from_secs(1) * number / SIGN_INS;
            let this = self.clone();
            people.spawn(async move {
                sleep_until(due).await;
                let status = this.sign_in(number).await;
                (status, status == 303, due.elapsed())
            });
        }
        let (people, programs) = tokio::join!(people.join_all(), programs.join_all());
        (
            Outcome::of(people.into_iter()),
            Outcome::of(programs.into_iter()),
        )
    }

    /// A person after the other, each time from another address.
    async fn sign_in(&self, number: u32) -> u16 {
        let person = number as usize % VICTIMS;
        let mut browser = self
            .known
            .lock()
            .await
            .get(&person)
            .cloned()
            .unwrap_or_default();
        let who = (&*victim(person), PASSWORD);
        sign_in(&self.place, address(number), &mut browser, who).await
    }

    async fn token(&self, http: reqwest::Client, number: u32) -> u16 {
        let TokenRequest {
            authorization,
            body,
        } = &self.requests[number as usize % self.requests.len()];
        let mut request = http
            .post(format!("http://127.0.0.1:{}/token", self.place.port))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body.clone());
        if let Some(authorization) = authorization {
            request = request.header("authorization", authorization);
        }
        let answer = request.send().await;
        answer.map_or(0, |answer| answer.status().as_u16())
    }
}

/// The address of a victim.
pub fn address(number: u32) -> IpAddr {
    let [_, _, high, low] = number.to_be_bytes();
    IpAddr::V4(Ipv4Addr::new(127, 77, high, low.max(1)))
}
