//! Token requests at a constant rate while people sign in, beside the same without sign-ins. The server has the whole machine,
//! as has the load; passwords are hashed in its bounded pool.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use reqwest::header::{COOKIE, LOCATION, SET_COOKIE};
use reqwest::redirect::Policy;

use crate::open_loop::{quantile, run, token_request};
use crate::running::Running;
use crate::support::people::PASSWORD;
use crate::support::test_server::ISSUER;
use crate::{Options, ours, runtime};

/// Token requests per second.
const RATE: u32 = 500;
/// People who sign in at the same time, again and again.
const PEOPLE: usize = 4;
/// Alternating pairs.
const PAIRS: u32 = 3;

pub fn measure(options: &Options, url: &str) {
    let server = Running::start(None, &["--serve", "ours", "--url", url]).unwrap();
    let (port, seconds) = (server.port(), options.seconds.max(2));
    let requests = [token_request(&ours::header("team-a.web"))];
    let (mut quiet, mut busy, mut logins) = (Vec::new(), Vec::new(), 0);
    runtime(2).block_on(async {
        run(port, &requests, RATE, 1).await;
        for pair in 1..=PAIRS {
            eprint!("\rpasswords: {pair} of {PAIRS}");
            quiet.extend(run(port, &requests, RATE, seconds).await);
            let people = Visitors::start(port).await;
            busy.extend(run(port, &requests, RATE, seconds).await);
            logins += people.stop().await;
        }
    });
    eprintln!();
    let per_second = f64::from(logins) / f64::from(PAIRS * seconds);
    println!(
        "\n| {RATE} token requests/s (client_credentials) | sign-ins/s | p50 ms | p99 ms | p99.9 ms |"
    );
    println!("|---|---|---|---|---|");
    for (what, mut values, rate) in [
        ("no sign-ins", quiet, 0.0),
        ("four people at a time do", busy, per_second),
    ] {
        values.sort_by(f64::total_cmp);
        let [p50, p99, p999] = [0.5, 0.99, 0.999].map(|q| quantile(&values, q));
        println!("| {what} | {rate:.0} | {p50:.2} | {p99:.2} | {p999:.2} |");
    }
}

/// Who signs in until told to stop.
struct Visitors {
    stop: Arc<AtomicBool>,
    count: Arc<AtomicU32>,
    tasks: Vec<tokio::task::JoinHandle<()>>,
}

impl Visitors {
    async fn start(port: u16) -> Self {
        let (stop, count) = (Arc::new(AtomicBool::new(false)), Arc::default());
        let mut tasks = Vec::new();
        for _ in 0..PEOPLE {
            let (stop, count): (_, Arc<AtomicU32>) = (stop.clone(), Arc::clone(&count));
            let visitor = Visitor::arrive(port).await;
            tasks.push(tokio::spawn(async move {
                while !stop.load(Relaxed) {
                    visitor.sign_in().await;
                    count.fetch_add(1, Relaxed);
                }
            }));
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        Self { stop, count, tasks }
    }

    async fn stop(self) -> u32 {
        self.stop.store(true, Relaxed);
        for task in self.tasks {
            task.await.unwrap();
        }
        self.count.load(Relaxed)
    }
}

/// A browser in front of the page to sign in.
struct Visitor {
    http: reqwest::Client,
    address: String,
    cookie: String,
    transaction: String,
}

impl Visitor {
    async fn arrive(port: u16) -> Self {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let http = reqwest::Client::builder().redirect(Policy::none());
        let http = http.build().unwrap();
        let address = format!("http://127.0.0.1:{port}");
        let answer = http.get(format!("{address}/account")).send().await.unwrap();
        let text = |name| answer.headers()[name].to_str().unwrap().to_owned();
        let cookie = text(SET_COOKIE).split(';').next().unwrap().to_owned();
        let location = url::Url::parse(&text(LOCATION)).unwrap();
        assert!(location.as_str().starts_with(ISSUER));
        let mut query = location.query_pairs();
        let transaction = query.find(|(name, _)| name == "transaction").unwrap();
        Self {
            transaction: transaction.1.into_owned(),
            http,
            address,
            cookie,
        }
    }

    async fn sign_in(&self) {
        let form = [
            ("transaction", self.transaction.as_str()),
            ("username", "alice"),
            ("password", PASSWORD),
        ];
        let request = self.http.post(format!("{}/login", self.address));
        let request = request.header(COOKIE, &self.cookie).form(&form);
        assert_eq!(request.send().await.unwrap().status(), 303);
    }
}
