//! Q01: what a thousand passwords leave in memory. In a process of its own, because this one does other things meanwhile; and here, where
//! no other tests run, because it takes both cores for as long as all other tests of sign-in.

use clientele_oauth::user::PasswordHash;
use clientele_oauth::user::password::memory::HashingMemory;
use clientele_oauth::user::password::{hash_with, verify_with};
use clientele_telemetry::workers::Workers;

use crate::support::machine;

/// What the chart gives a replica, in MiB.
const LIMIT: u64 = 512;
/// As many threads as a replica has on a machine with eight processors or more, for people and for manifests.
const THREADS: [usize; 2] = [4, 2];
/// What each keeps, in MiB.
const KEPT: u64 = 19;
/// What the process has beside, with the stacks and heaps of its threads.
const BESIDE: u64 = 64;

#[test]
fn q01_a_thousand_hashes_give_their_memory_back() {
    let child = "faults::hashing::hashes_a_thousand";
    let output = machine::program(std::env::current_exe().unwrap())
        .args(["--exact", child, "--ignored", "--nocapture"])
        .output()
        .unwrap();
    let output = String::from_utf8(output.stdout).unwrap();
    let mib = |line: &str| -> u64 {
        let found = output.lines().find_map(|known| known.strip_prefix(line));
        let kib = found.and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok());
        kib.unwrap_or_else(|| panic!("{line} is missing in {output}")) / 1024
    };
    let (most, now) = (mib("VmHWM:"), mib("VmRSS:"));
    assert!(most < LIMIT, "{most} MiB at the most");
    let threads: usize = THREADS.iter().sum();
    let kept = threads as u64 * KEPT + BESIDE;
    assert!(now < kept, "{now} of at most {kept} MiB are left");
}

/// The child: of ten passwords one is of a manifest, and one has the costliest hash that may be brought.
#[tokio::test]
#[ignore = "a process that another test starts"]
async fn hashes_a_thousand() {
    let [people, manifests] = THREADS.map(|count| Workers::<HashingMemory>::new("hash", count));
    let of = |kib: u32| {
        let bytes = "AAECAwQFBgcICQoLDA0ODw";
        PasswordHash(format!("$argon2id$v=19$m={kib},t=1,p=1${bytes}${bytes}").into())
    };
    let hashes = (0..1000).map(|number| {
        let brought = match number % 10 {
            0 => None,
            1 => Some(of(64 * 1024)),
            _ => Some(of(19 * 1024)),
        };
        let (people, manifests) = (&people, &manifests);
        async move {
            match brought {
                None => {
                    let hashed = manifests.run(|memory| hash_with(memory, "password", &[1; 16]));
                    assert!(hashed.await.unwrap().is_some());
                }
                Some(hash) => {
                    let right = people.run(move |memory| verify_with(memory, Some(&hash), "wrong"));
                    assert_eq!(right.await, Some(false));
                }
            }
        }
    });
    futures::future::join_all(hashes).await;
    println!(
        "\n{}",
        std::fs::read_to_string("/proc/self/status").unwrap()
    );
}
