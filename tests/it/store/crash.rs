//! P7, E22, E23: whatever dies, at whatever moment, nothing is redeemable twice and nothing acknowledged is lost.

use std::io::Read;
use std::process::Stdio;

use clientele_store::Store;
use tokio::time::timeout;

use super::child::{Step, Using, name, nothing_is_redeemable_twice, progress, step};
use super::database::{TestDatabase, over_both_stores};
use super::samples::{TENANT, at};
use crate::support::DEADLINE;
use crate::support::postgres::Server;

over_both_stores![
    e23_a_process_that_is_killed_after_any_answer_loses_nothing,
    a_second_process_at_the_same_database_is_no_danger,
    with_everything_logged_no_value_is,
];

async fn e23_a_process_that_is_killed_after_any_answer_loses_nothing(database: TestDatabase) {
    for answers in (1..24).step_by(3) {
        let database = database.another().await;
        let mut child = Using::start(&database);
        child.hear(answers);
        child.kill();
        let store = database.open().await;
        child.check(&store).await;
        store.close().await;
    }
}

async fn a_second_process_at_the_same_database_is_no_danger(database: TestDatabase) {
    let store = database.open().await;
    let mut child = Using::start(&database);
    child.hear(1);
    for n in 0..50 {
        for now in Step::ALL {
            // Two that write without a pause may keep each other out for long: that is an error, and nothing happened.
            while let Err(error) = step(&store, &format!("ours-{n}"), now).await {
                assert!(error.to_string().contains("is locked"), "{error}");
            }
        }
    }
    child.hear(50);
    child.kill();
    child.check(&store).await;
    for n in 0..50 {
        assert_eq!(
            progress(&store, &format!("ours-{n}")).await,
            Some(Step::Reused)
        );
    }
}

async fn with_everything_logged_no_value_is(mut database: TestDatabase) {
    database.url = database.url.replace("postgres@", "postgres:hunter2@");
    let (mut log, writer) = std::io::pipe().unwrap();
    let mut child = Using::start_with(&database, Stdio::from(writer));
    let reader = std::thread::spawn(move || {
        let mut text = String::new();
        log.read_to_string(&mut text).unwrap();
        text
    });
    child.hear(40);
    child.kill();
    let text = reader.join().unwrap();
    assert!(
        text.contains("INSERT INTO codes"),
        "statements are logged at TRACE"
    );
    for value in [
        "hunter2",
        "digest-0-0",
        "fam_0-0",
        "transaction-0-0",
        "ada",
        "shop.web",
    ] {
        assert!(!text.contains(value), "{value} is in the log");
    }
}

/// SQLite writes its log frame by frame, and the process may die between any two, or within one. So: for every
/// prefix of the log that a process wrote, a store that is opened on it has what was acknowledged by then.
#[tokio::test]
async fn e22_sqlite_killed_at_every_write_keeps_what_it_acknowledged() {
    const HEADER: usize = 32;
    const FRAME: usize = 24 + 4096;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let log = folder.path().join("store.db-wal");
    let store = Store::open(&format!("sqlite:{}", path.display()))
        .await
        .unwrap();
    let (opened, mut written) = (log.metadata().unwrap().len(), Vec::new());
    for n in 0..2 {
        for now in Step::ALL {
            step(&store, &name(0, n), now).await.unwrap();
            written.push((n, now, log.metadata().unwrap().len()));
        }
    }
    let (main_file, frames) = (std::fs::read(&path).unwrap(), std::fs::read(&log).unwrap());
    assert_eq!(
        (frames.len() - HEADER) % FRAME,
        0,
        "the log is what we think it is"
    );
    assert!(
        frames.len() as u64 > opened && main_file.len() < 2 * 4096,
        "nothing was copied back yet"
    );

    let mut ends: Vec<usize> = (HEADER..=frames.len()).step_by(FRAME).collect();
    // Within a frame: a part of its head or of its page, in turns.
    let within = (HEADER..frames.len())
        .step_by(FRAME)
        .zip([12, 2000].into_iter().cycle());
    ends.extend(within.map(|(end, part)| end + part));
    let mut seen = [0; Step::ALL.len() + 1];
    for end in ends {
        let copy = folder.path().join(format!("copy-{end}.db"));
        std::fs::write(&copy, &main_file).unwrap();
        std::fs::write(
            folder.path().join(format!("copy-{end}.db-wal")),
            &frames[..end],
        )
        .unwrap();
        let store = Store::open(&format!("sqlite:{}", copy.display()))
            .await
            .unwrap();
        for n in 0..2 {
            let acknowledged = written
                .iter()
                .filter(|(of, _, written)| *of == n && *written <= end as u64)
                .map(|(_, step, _)| *step)
                .max();
            let kept = progress(&store, &name(0, n)).await;
            assert_eq!(kept, acknowledged, "code {n} after {end} bytes");
            seen[kept.map_or(0, |step| step as usize + 1)] += 1;
            if let Some(kept) = kept {
                nothing_is_redeemable_twice(&store, &name(0, n), kept).await;
            }
        }
        store.close().await;
    }
    assert!(
        seen.iter().all(|count| *count > 3),
        "every state was met: {seen:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_postgresql_loses_nothing_and_the_store_recovers() {
    let server = Server::start();
    let database = TestDatabase::at(server.database().await);
    let store = database.open().await;
    store.revoke_token(TENANT, "before", at(600)).await.unwrap();
    let mut child = Using::start(&database);
    child.hear(30);
    server.kill();
    // M10: without a database there is an error, not a panic, and no answer.
    child.hear_the_rest();
    let error = store.revoke_token(TENANT, "during", at(600)).await;
    let sentence = error.unwrap_err().to_string();
    assert!(sentence.contains("the database"), "{sentence}");
    assert!(store.check().await.is_err());

    server.restart();
    // The first may still meet an earlier connection.
    let answers = async { while store.check().await.is_err() {} };
    timeout(DEADLINE, answers).await.expect("it answers again");
    assert_eq!(store.is_token_revoked(TENANT, "before").await, Ok(true));
    assert_eq!(store.is_token_revoked(TENANT, "during").await, Ok(false));
    store.revoke_token(TENANT, "after", at(600)).await.unwrap();
    child.check(&store).await;
}
