//! A process of its own that uses a store until it is killed: this test binary again, running [`runs`].
//!
//! It says what it was answered, a line for each. Whatever it has said must be true afterwards.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use clientele_store::{Redemption, Rotation, Store, StoreError};
use tracing_subscriber::filter::LevelFilter;

use super::database::TestDatabase;
use super::samples::{TENANT, at, code, family};
use crate::support::machine;

/// The variable that names the database to the child.
const URL: &str = "CLIENTELE_TEST_STORE";
/// How many chains of operations go on at once. With this many, a commit holds several.
pub const CHAINS: usize = 4;

/// What is done with each code, one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    Inserted,
    Redeemed,
    Rotated,
    Reused,
}

impl Step {
    pub const ALL: [Self; 4] = [Self::Inserted, Self::Redeemed, Self::Rotated, Self::Reused];
}

/// The name of a code of a chain.
pub fn name(chain: usize, round: usize) -> String {
    format!("{chain}-{round}")
}

/// Does one step, and checks that it was answered as a first time.
pub async fn step(store: &Store, name: &str, step: Step) -> Result<(), StoreError> {
    let code = code(name);
    let rotate = || store.rotate(TENANT, &code.family, 1, Duration::ZERO, at(1800), at(10));
    match step {
        Step::Inserted => assert!(store.insert_code(&code).await?),
        Step::Redeemed => {
            let family = family(&code);
            let redeemed = store.redeem(TENANT, &code.digest, Some(&family), at(1));
            assert_eq!(redeemed.await?, Redemption::First);
        }
        Step::Rotated => assert!(matches!(rotate().await?, Rotation::Next(_))),
        Step::Reused => assert_eq!(rotate().await?, Rotation::Reused),
    }
    Ok(())
}

/// How far a code has come, as the store has it. Panics if it is anything in between.
pub async fn progress(store: &Store, name: &str) -> Option<Step> {
    let code = code(name);
    let kept = store.code(TENANT, &code.digest).await.unwrap();
    let begun = store.family(TENANT, &code.family).await.unwrap();
    let used = kept.as_ref()?.redeemed_at.is_some();
    assert_eq!(
        used,
        begun.is_some(),
        "{name}: a code and its family go together"
    );
    let Some(begun) = begun else {
        return Some(Step::Inserted);
    };
    match (begun.sequence, begun.revoked_at) {
        (1, None) => Some(Step::Redeemed),
        (2, None) => Some(Step::Rotated),
        (2, Some(_)) => Some(Step::Reused),
        _ => panic!("{name}: {begun:?}"),
    }
}

/// Whatever came before: nothing can be had twice any more.
pub async fn nothing_is_redeemable_twice(store: &Store, name: &str, progress: Step) {
    let code = code(name);
    if progress < Step::Redeemed {
        return;
    }
    let family = family(&code);
    let rotated = store.rotate(TENANT, &code.family, 1, Duration::ZERO, at(1800), at(20));
    let rotated = rotated.await.unwrap();
    match progress {
        Step::Redeemed => assert!(matches!(rotated, Rotation::Next(_)), "{rotated:?}"),
        Step::Rotated => assert_eq!(rotated, Rotation::Reused),
        _ => assert_eq!(rotated, Rotation::Gone),
    }
    let redeemed = store.redeem(TENANT, &code.digest, Some(&family), at(20));
    assert_eq!(redeemed.await, Ok(Redemption::Again));
    let dead = store.family(TENANT, &code.family).await.unwrap().unwrap();
    assert!(!dead.lives(at(20)));
}

/// The child.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a process that other tests start and kill"]
async fn runs() {
    let url = std::env::var_os(URL).expect("other tests start this");
    tracing_subscriber::fmt()
        .with_max_level(LevelFilter::TRACE)
        .with_ansi(false)
        .with_writer(std::io::stderr)
        .init();
    let store = Store::open(url.to_str().unwrap()).await.unwrap();
    let chains = (0..CHAINS).map(|chain| {
        let store = store.clone();
        tokio::spawn(async move {
            for round in 0.. {
                for now in Step::ALL {
                    if step(&store, &name(chain, round), now).await.is_err() {
                        return;
                    }
                    println!("\ndone {chain} {round} {now:?}");
                }
            }
        })
    });
    for chain in chains.collect::<Vec<_>>() {
        chain.await.unwrap();
    }
    println!("\nfailed");
}

/// A running child.
pub struct Using {
    process: Child,
    lines: Receiver<String>,
    /// How far each chain has come, as far as the child was heard.
    pub heard: Vec<Vec<Step>>,
}

impl Using {
    /// Starts a child on this database.
    pub fn start(database: &TestDatabase) -> Self {
        Self::start_with(database, Stdio::null())
    }

    /// Starts a child that logs everything there.
    pub fn start_with(database: &TestDatabase, log: Stdio) -> Self {
        let mut process = machine::program(std::env::current_exe().unwrap())
            .args(["--exact", "store::child::runs", "--ignored", "--nocapture"])
            .env(URL, &database.url)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        let output = BufReader::new(process.stdout.take().unwrap());
        let (said, lines) = channel();
        // All the time: a child that waits for a full pipe, maybe within a transaction, would keep others out.
        std::thread::spawn(move || {
            let mut output = output.lines().map_while(Result::ok);
            output.all(|line| said.send(line).is_ok())
        });
        Self {
            process,
            lines,
            heard: vec![Vec::new(); CHAINS],
        }
    }

    /// Reads this many answers.
    pub fn hear(&mut self, answers: usize) {
        for _ in 0..answers {
            loop {
                let line = self.lines.recv().expect("it has died");
                if self.note(&line) {
                    break;
                }
            }
        }
    }

    /// Kills it at whatever it does now, and listens to what it had said before.
    pub fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        self.hear_the_rest();
    }

    /// Listens until it ends by itself.
    pub fn hear_the_rest(&mut self) {
        while let Ok(line) = self.lines.recv() {
            self.note(&line);
        }
    }

    fn note(&mut self, line: &str) -> bool {
        let words: Vec<&str> = line.split_whitespace().collect();
        let ["done", chain, round, step] = words[..] else {
            return false;
        };
        let (chain, round): (usize, usize) = (chain.parse().unwrap(), round.parse().unwrap());
        let known = Step::ALL
            .into_iter()
            .find(|known| format!("{known:?}") == step);
        let rounds = &mut self.heard[chain];
        rounds.resize(round + 1, Step::Reused);
        rounds[round] = known.expect("a whole line");
        true
    }

    /// Everything that it was answered is in the store, and nothing can be had twice.
    pub async fn check(&self, store: &Store) {
        for (chain, rounds) in self.heard.iter().enumerate() {
            for (round, heard) in rounds.iter().enumerate() {
                let name = name(chain, round);
                let kept = progress(store, &name).await;
                assert!(
                    kept >= Some(*heard),
                    "{name}: {heard:?} was answered, {kept:?} is kept"
                );
                nothing_is_redeemable_twice(store, &name, kept.unwrap()).await;
            }
            // What it had begun and was not answered.
            let next = name(chain, rounds.len());
            if let Some(kept) = progress(store, &next).await {
                nothing_is_redeemable_twice(store, &next, kept).await;
            }
        }
    }
}

impl Drop for Using {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
