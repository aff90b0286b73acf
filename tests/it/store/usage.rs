//! Which generation of a client secret was used when: what all replicas together know, and what is unknown.

use clientele_oauth::client::secret_usage::{LastUse, Usage};
use clientele_oauth::client::used_days::Day;
use clientele_store::{Heartbeat, Store, UsedDay};
use jiff::Timestamp;

use super::database::{TestDatabase, over_both_stores};
use super::samples::at;

over_both_stores![
    the_latest_use_of_each_generation_is_kept,
    everything_is_known_until_the_slowest_replica_reported,
    a_replica_that_left_is_not_waited_for,
    after_a_replica_died_what_is_known_begins_anew,
    after_a_silent_time_the_known_usage_starts_over,
    a_store_that_is_new_knows_nothing_of_before,
    uses_of_long_ago_are_forgotten,
    who_comes_back_under_a_name_was_dead,
    what_every_replica_serves_is_known,
    what_a_successor_has_said_already_stays,
    only_replicas_that_serve_and_are_heard_are_waited_for,
    who_beats_is_waited_for_until_it_leaves,
    the_last_day_of_use_is_kept_and_read_in_pages,
];

fn last(registration: &str, generation: u32, second: i64) -> LastUse {
    LastUse {
        client_uid: registration.to_owned(),
        generation,
        used_at: at(second),
    }
}

/// A replica reports every use until now; one that was silent for 300 seconds is dead.
async fn hear(store: &Store, replica: &str, now: i64) {
    store.heartbeat(heard(replica, now)).await.unwrap();
}

/// A replica that serves and has no name.
fn heard(replica: &str, now: i64) -> Heartbeat {
    Heartbeat {
        replica: replica.to_owned(),
        name: None,
        serving: true,
        beats: false,
        reported: at(now),
        expired_before: at(now - 300),
        now: at(now),
    }
}

async fn usage(store: &Store) -> Usage {
    let of = vec!["r1".to_owned(), "r2".to_owned()];
    store.usage(of).await.unwrap().unwrap()
}

async fn the_latest_use_of_each_generation_is_kept(database: TestDatabase) {
    let store = database.open().await;
    hear(&store, "a", 0).await;
    let first = vec![last("r1", 1, 5), last("r1", 2, 7), last("r3", 1, 9)];
    store.report_uses(first).await.unwrap();
    // Of another replica, in any order.
    let second = vec![last("r1", 1, 8), last("r1", 2, 6)];
    store.report_uses(second).await.unwrap();
    let usage = usage(&store).await;
    let mut of_r1 = usage.uses["r1"].clone();
    of_r1.sort_unstable();
    assert_eq!(of_r1, [(1, at(8)), (2, at(7))]);
    assert_eq!(usage.uses["r2"], []);
    assert!(!usage.uses.contains_key("r3"), "no query");
}

async fn everything_is_known_until_the_slowest_replica_reported(database: TestDatabase) {
    let store = database.open().await;
    hear(&store, "a", 0).await;
    hear(&store, "b", 10).await;
    hear(&store, "a", 60).await;
    let known = usage(&store).await;
    assert_eq!((known.since, known.until), (at(0), at(10)));
    hear(&store, "b", 70).await;
    assert_eq!(usage(&store).await.until, at(60));
}

async fn a_replica_that_left_is_not_waited_for(database: TestDatabase) {
    let store = database.open().await;
    hear(&store, "a", 0).await;
    hear(&store, "b", 0).await;
    store.remove_replica("b").await.unwrap();
    hear(&store, "a", 1000 - 750).await;
    let known = usage(&store).await;
    assert_eq!((known.since, known.until), (at(0), at(250)));
}

async fn after_a_replica_died_what_is_known_begins_anew(database: TestDatabase) {
    let store = database.open().await;
    hear(&store, "a", 0).await;
    hear(&store, "b", 0).await;
    hear(&store, "a", 200).await;
    assert_eq!(usage(&store).await.until, at(0), "b is waited for");
    hear(&store, "a", 301).await;
    let known = usage(&store).await;
    assert_eq!((known.since, known.until), (at(301), at(301)));
    // It was only slow: then it counts again, from now on.
    hear(&store, "b", 310).await;
    let known = usage(&store).await;
    assert_eq!((known.since, known.until), (at(301), at(301)));
}

async fn after_a_silent_time_the_known_usage_starts_over(database: TestDatabase) {
    let store = database.open().await;
    hear(&store, "a", 0).await;
    store.remove_replica("a").await.unwrap();
    // A restart goes on with what was known.
    hear(&store, "b", 200).await;
    assert_eq!(usage(&store).await.since, at(0));
    store.remove_replica("b").await.unwrap();
    // A day later, or after an old backup was restored.
    hear(&store, "c", 86_400).await;
    let known = usage(&store).await;
    assert_eq!((known.since, known.until), (at(86_400), at(86_400)));
}

async fn a_store_that_is_new_knows_nothing_of_before(database: TestDatabase) {
    let store = database.open().await;
    assert_eq!(store.usage(vec!["r1".to_owned()]).await, Ok(None));
    hear(&store, "a", 5).await;
    assert_eq!(usage(&store).await.since, at(5));
}

async fn uses_of_long_ago_are_forgotten(database: TestDatabase) {
    const YEAR: i64 = 366 * 24 * 3600;
    let store = database.open().await;
    hear(&store, "a", 0).await;
    let uses = vec![last("r1", 1, 0), last("r1", 2, 10)];
    store.report_uses(uses).await.unwrap();
    assert_eq!(store.purge(at(YEAR), 100).await, Ok(0));
    assert_eq!(store.purge(at(YEAR + 5), 100).await, Ok(1));
    assert_eq!(usage(&store).await.uses["r1"], [(2, at(10))]);
}

async fn who_comes_back_under_a_name_was_dead(database: TestDatabase) {
    let store = database.open().await;
    let id = |name: &str, number: u32| format!("{name}_{number:016x}");
    for name in ["web", "webb", "web_x", "w%"] {
        hear(&store, &id(name, 1), 0).await;
    }
    let named = |name: &str, number, now| Heartbeat {
        name: Some(name.to_owned()),
        ..heard(&id(name, number), now)
    };
    store.heartbeat(named("w%", 2, 10)).await.unwrap();
    let known = usage(&store).await;
    assert_eq!(known.since, at(10), "what it did not report is not known");
    assert_eq!(known.until, at(0), "others of like names live");
    store.heartbeat(named("web", 2, 20)).await.unwrap();
    assert_eq!(usage(&store).await.since, at(20));
    store.heartbeat(named("web", 2, 30)).await.unwrap();
    assert_eq!(
        usage(&store).await.since,
        at(20),
        "no replica succeeds itself"
    );
    for name in ["webb", "web_x"] {
        assert_eq!(usage(&store).await.until, at(0), "{name} lives");
        store.remove_replica(&id(name, 1)).await.unwrap();
    }
    assert_eq!(
        usage(&store).await.until,
        at(10),
        "and the first two are gone"
    );
}

async fn tell(store: &Store, replica: &str, new: &[(&str, i64)], gone: &[&str]) {
    let new = new
        .iter()
        .map(|(name, version)| ((*name).to_owned(), *version));
    let gone = gone.iter().map(|name| (*name).to_owned());
    let told = store.report_served(replica, new.collect(), gone.collect());
    told.await.unwrap();
}

/// What every replica serves that was heard since then, in order.
async fn by_all(store: &Store, alive: i64) -> Vec<(String, i64)> {
    let mut common: Vec<_> = store
        .served_by_all(at(alive))
        .await
        .unwrap()
        .into_iter()
        .collect();
    common.sort_unstable();
    common
}

async fn what_every_replica_serves_is_known(database: TestDatabase) {
    let store = database.open().await;
    hear(&store, "a", 0).await;
    hear(&store, "b", 0).await;
    tell(&store, "a", &[("r1", 2), ("r2", 1)], &[]).await;
    assert_eq!(
        by_all(&store, 0).await,
        [],
        "the other one has said nothing"
    );
    tell(&store, "b", &[("r1", 1)], &[]).await;
    assert_eq!(
        by_all(&store, 0).await,
        [("r1".to_owned(), 1)],
        "the lower one"
    );
    let without =
        |alive, generation| store.replicas_without(at(alive), "r1".to_owned(), generation);
    assert_eq!(without(0, 1).await.unwrap(), [""; 0]);
    assert_eq!(without(0, 2).await.unwrap(), ["b"]);
    assert_eq!(without(0, 3).await.unwrap(), ["a", "b"]);
    assert_eq!(
        without(1, 3).await.unwrap(),
        [""; 0],
        "no replica reported since"
    );
    tell(&store, "b", &[("r1", 2), ("r2", 1)], &[]).await;
    let both = [("r1".to_owned(), 2), ("r2".to_owned(), 1)];
    assert_eq!(by_all(&store, 0).await, both);
    tell(&store, "a", &[], &["r1"]).await;
    assert_eq!(by_all(&store, 0).await, [("r2".to_owned(), 1)]);
}

/// A process that follows another of its name has said what it serves before its first heartbeat.
async fn what_a_successor_has_said_already_stays(database: TestDatabase) {
    let store = database.open().await;
    let id = |number: u32| format!("web_{number:016x}");
    hear(&store, &id(1), 0).await;
    tell(&store, &id(2), &[("r1", 1)], &[]).await;
    let named = Heartbeat {
        name: Some("web".to_owned()),
        ..heard(&id(2), 10)
    };
    store.heartbeat(named).await.unwrap();
    assert_eq!(by_all(&store, 0).await, [("r1".to_owned(), 1)]);
}

async fn only_replicas_that_serve_and_are_heard_are_waited_for(database: TestDatabase) {
    let store = database.open().await;
    hear(&store, "a", 100).await;
    tell(&store, "a", &[("r1", 1)], &[]).await;
    let alone = [("r1".to_owned(), 1)];
    // One that starts or stops, and one that is silent.
    let begins = Heartbeat {
        serving: false,
        ..heard("b", 100)
    };
    store.heartbeat(begins).await.unwrap();
    assert_eq!(by_all(&store, 0).await, alone);
    hear(&store, "c", 50).await;
    assert_eq!(by_all(&store, 0).await, []);
    assert_eq!(by_all(&store, 51).await, alone);
    store.remove_replica("c").await.unwrap();
    assert_eq!(by_all(&store, 0).await, alone);
    hear(&store, "b", 100).await;
    assert_eq!(by_all(&store, 0).await, [], "it serves now");
    store.remove_replica("a").await.unwrap();
    tell(&store, "b", &[("r2", 1)], &[]).await;
    let others = [("r2".to_owned(), 1)];
    assert_eq!(
        by_all(&store, 0).await,
        others,
        "what one said that left goes with it"
    );
}

async fn who_beats_is_waited_for_until_it_leaves(database: TestDatabase) {
    let store = database.open().await;
    assert_eq!(store.beat("a").await, Ok(None), "it is not known yet");
    let beating = |replica: &str, now| Heartbeat {
        beats: true,
        ..heard(replica, now)
    };
    for replica in ["a", "b"] {
        store.heartbeat(beating(replica, 0)).await.unwrap();
    }
    tell(&store, "a", &[("r1", 1)], &[]).await;
    let beats = store.beat("a").await.unwrap().unwrap();
    assert_eq!(beats.iter().find(|(id, _)| id == "a").unwrap().1, 2);
    let of_b = beats.iter().find(|(id, _)| id == "b").unwrap().1;
    // Its clock says nothing, and an outage of an hour does not make it gone.
    store.heartbeat(beating("a", 3600)).await.unwrap();
    assert_eq!(by_all(&store, 3600).await, [], "b is waited for");
    // It was heard before the other could say that it is silent.
    store.beat("b").await.unwrap().unwrap();
    store.leave("b", of_b).await.unwrap();
    assert_eq!(by_all(&store, 3600).await, []);
    store.leave("b", of_b + 1).await.unwrap();
    assert_eq!(by_all(&store, 3600).await, [("r1".to_owned(), 1)]);
    assert_eq!(store.beat("a").await.unwrap().unwrap().len(), 1);
    // When it is heard again, it is waited for again.
    store.beat("b").await.unwrap().unwrap();
    assert_eq!(by_all(&store, 3600).await, []);
    // Who left and is not heard for long is forgotten.
    store.leave("b", of_b + 2).await.unwrap();
    store.heartbeat(beating("a", 3700)).await.unwrap();
    assert_eq!(store.beat("b").await, Ok(None));
}

fn used(client: &str, day: u32, second: i64) -> UsedDay {
    UsedDay {
        client_uid: client.to_owned(),
        day: Day::from_number(day),
        recorded_at: at(second),
    }
}

async fn the_last_day_of_use_is_kept_and_read_in_pages(database: TestDatabase) {
    let store = database.open().await;
    let first = vec![used("r1", 7, 0), used("r2", 7, 0), used("r3", 7, 0)];
    store.record_used_days(first).await.unwrap();
    // The same day again, an earlier one, and a later one.
    let second = vec![used("r1", 7, 5), used("r2", 6, 5), used("r3", 8, 5)];
    store.record_used_days(second).await.unwrap();
    let read = async |after: Timestamp, client: &str, limit| {
        let days = store.used_days((after, client.to_owned()), limit).await;
        days.unwrap()
    };
    let all = [used("r1", 7, 0), used("r2", 7, 0), used("r3", 8, 5)];
    assert_eq!(read(at(-1), "", 10).await, all);
    assert_eq!(read(at(-1), "", 2).await, all[..2]);
    assert_eq!(read(at(0), "r1", 10).await, all[1..], "the next page");
    assert_eq!(read(at(5), "r3", 10).await, []);
    assert_eq!(read(at(1), "", 10).await, all[2..], "what is new");
    const MONTH: i64 = 31 * 24 * 3600;
    assert_eq!(store.purge(at(MONTH + 1), 100).await, Ok(2));
    assert_eq!(read(at(-1), "", 10).await, all[2..]);
}
