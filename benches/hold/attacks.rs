//! The attacks: small means, each from loopback addresses of its own, none of which is a victim's. The attackers are a process
//! of their own, which has the processor time that the server and the victims leave.

mod connections;
mod floods;
mod passwords;

use std::io::{BufRead, BufReader, Read};
use std::net::{IpAddr, Ipv4Addr};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use tokio::task::JoinHandle;

use crate::sign_ins::Place;
use crate::support::ask::ask;

/// What an attacker knows and counts.
pub struct Means {
    pub plain: u16,
    pub tls: u16,
    pub admin: u16,
    /// How often something was tried.
    tries: Arc<AtomicU64>,
}

impl Means {
    fn place(&self) -> Place {
        Place {
            port: self.plain,
            authorize: ask("team-a.app").url(),
        }
    }
}

/// Starts an attack.
pub type Attack = fn(&Means) -> Vec<JoinHandle<()>>;

/// By the rows of `tests/attack-cases.md` that they belong to.
pub const ATTACKS: [(&str, Attack); 17] = [
    ("none", |_| Vec::new()),
    (
        "Q01 V1 costly hashes, one after the other",
        passwords::costly,
    ),
    ("Q02 V2 unread answers, HTTP/2", connections::unread_http2),
    ("Q02 V2 unread answers, HTTP/1.1", connections::unread_http1),
    ("Q03 V3 10,000 idle connections of one address", |means| {
        let port = means.plain;
        connections::idle(means, port, 10_000, 1)
    }),
    ("Q03 V3 10,000 idle connections of 200 addresses", |means| {
        let port = means.plain;
        connections::idle(means, port, 10_000, 200)
    }),
    ("Q10 V3 1,000 idle connections at the admin port", |means| {
        let port = means.admin;
        connections::idle(means, port, 1_000, 20)
    }),
    ("Q04 V4a sign-ins of one address", |means| {
        passwords::strangers(means, 32, 1)
    }),
    ("Q04 V4b sign-ins of 24 addresses", |means| {
        passwords::strangers(means, 48, 24)
    }),
    (
        "Q04 V4c right passwords with costly hashes",
        passwords::right,
    ),
    (
        "Q05 V4d failures under the names of victims",
        passwords::named,
    ),
    ("Q07 V10 refusals", floods::refusals),
    ("Q09 V13 sessions of one person", passwords::sessions),
    ("M04 TLS handshakes", floods::handshakes),
    ("M04 slow bodies", connections::slow_bodies),
    ("M02 rapid reset", floods::rapid_reset),
    ("M02 CONTINUATION", floods::continuation),
];

/// The processes of an attack, ended when dropped.
pub struct Attackers {
    child: Child,
    output: BufReader<ChildStdout>,
}

impl Attackers {
    /// Begins what these arguments of this program name, once it is prepared.
    pub fn start(arguments: &[&str]) -> Self {
        let mut child = Command::new("nice")
            .args(["-n", "10"])
            .arg(std::env::current_exe().unwrap())
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        output.read_line(&mut String::new()).unwrap();
        Self { child, output }
    }

    /// Ends it. How often something was tried.
    pub fn stop(mut self) -> u64 {
        drop(self.child.stdin.take());
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        line.trim().parse().unwrap_or(0)
    }
}

impl Drop for Attackers {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Is the attackers, until standard input closes.
pub async fn run(name: &str, ports: &[u16]) {
    let means = Means {
        plain: ports[0],
        tls: ports[1],
        admin: ports[2],
        tries: Arc::default(),
    };
    let (_, attack) = ATTACKS.iter().find(|(known, _)| *known == name).unwrap();
    let tasks = attack(&means);
    until_told(tasks, &means.tries).await;
}

/// Lets it go on until standard input closes, and prints how often something was done.
pub async fn until_told(tasks: Vec<JoinHandle<()>>, done: &AtomicU64) {
    println!("begun");
    let told = tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new()));
    let _ = told.await;
    println!("{}", done.load(Relaxed));
    for task in tasks {
        task.abort();
    }
}

/// The address of an attacker.
fn address(number: usize) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(
        127,
        66,
        (number / 200) as u8,
        (number % 200 + 1) as u8,
    ))
}

/// Does the same again and again, in several tasks, each of which has a number.
fn repeat<F: Future<Output = ()> + Send>(
    means: &Means,
    tasks: usize,
    what: impl Fn(usize) -> F + Clone + Send + 'static,
) -> Vec<JoinHandle<()>> {
    let tasks = (0..tasks).map(|number| {
        let (what, tries) = (what.clone(), means.tries.clone());
        tokio::spawn(async move {
            loop {
                what(number).await;
                tries.fetch_add(1, Relaxed);
                tokio::task::yield_now().await;
            }
        })
    });
    tasks.collect()
}
