//! Sessions, and what ends with them.

use clientele_oauth::grant::Code;
use clientele_store::{Redemption, Store};

use super::database::{TestDatabase, at_once, over_both_stores};
use super::samples::{TENANT, at, begin, code, redeem, session};

over_both_stores![
    a_session_comes_back_as_it_was_kept,
    a_session_in_use_is_touched_but_never_back_in_time,
    an_ended_session_takes_its_grants_but_no_offline_ones,
    a_code_of_a_session_that_has_ended_begins_nothing,
    signing_out_everywhere_ends_all_of_one_user_only,
    no_code_outlives_a_sign_out_at_the_same_time,
    signing_out_while_a_code_is_redeemed_leaves_nothing_alive,
    q09_a_person_has_a_hundred_sessions_and_the_oldest_end,
];

async fn q09_a_person_has_a_hundred_sessions_and_the_oldest_end(database: TestDatabase) {
    let store = database.open().await;
    let first = allow(&store, code_in("first", "sid-0", false)).await;
    for number in 0..103_i64 {
        let mut session = session(&number.to_string());
        session.sid = format!("sid-{number}");
        session.last_used = at(number);
        store.begin_session(&session).await.unwrap();
    }
    let mut other = session("other");
    other.subject = "another-person".to_owned();
    store.begin_session(&other).await.unwrap();
    for (number, lives) in [(0, false), (2, false), (3, true), (102, true)] {
        let sid = format!("sid-{number}");
        let found = store.session_by_sid(TENANT, &sid).await.unwrap();
        assert_eq!(found.is_some(), lives, "{sid}");
    }
    let nobody: [String; 0] = [];
    assert_eq!(
        living(&store, &[&first]).await,
        nobody,
        "it ended with its session"
    );
}

/// A code allowed in a session, with or without `offline_access`.
fn code_in(name: &str, sid: &str, offline: bool) -> Code {
    let mut code = code(name);
    sid.clone_into(&mut code.authorization.sid);
    if offline {
        code.authorization.scope.push_str(" offline_access");
    }
    code
}

async fn allow(store: &Store, code: Code) -> Code {
    begin(store, &code).await;
    code
}

/// Those of the codes whose families live, by name.
async fn living(store: &Store, codes: &[&Code]) -> Vec<String> {
    let mut living = Vec::new();
    for code in codes {
        let tenant = &code.authorization.tenant;
        let family = store.family(tenant, &code.family).await.unwrap();
        if family.is_some_and(|family| family.lives(at(20))) {
            living.push(code.family.trim_start_matches("fam_").to_owned());
        }
    }
    living
}

async fn a_session_comes_back_as_it_was_kept(database: TestDatabase) {
    let store = database.open().await;
    let session = session("1");
    store.begin_session(&session).await.unwrap();
    let found = store.session(TENANT, &session.digest).await.unwrap();
    assert_eq!(found.as_ref(), Some(&session));
    assert_eq!(store.session(TENANT, "cookie-2").await, Ok(None));
    assert_eq!(store.session("tenant-2", &session.digest).await, Ok(None));
}

async fn a_session_in_use_is_touched_but_never_back_in_time(database: TestDatabase) {
    let store = database.open().await;
    let session = session("1");
    store.begin_session(&session).await.unwrap();
    for (tenant, now) in [(TENANT, at(90)), (TENANT, at(60)), ("tenant-2", at(95))] {
        let touched = store.touch_session(tenant, &session.digest, now);
        touched.await.unwrap();
    }
    let found = store.session(TENANT, &session.digest).await.unwrap();
    assert_eq!(found.unwrap().last_used, at(90));
}

async fn an_ended_session_takes_its_grants_but_no_offline_ones(database: TestDatabase) {
    let store = database.open().await;
    for name in ["1", "2"] {
        store.begin_session(&session(name)).await.unwrap();
    }
    let online = allow(&store, code_in("online", "sid-1", false)).await;
    let offline = allow(&store, code_in("offline", "sid-1", true)).await;
    let elsewhere = allow(&store, code_in("elsewhere", "sid-2", false)).await;
    let mut foreign = code_in("foreign", "sid-1", false);
    "tenant-2".clone_into(&mut foreign.authorization.tenant);
    let foreign = allow(&store, foreign).await;

    store.end_session(TENANT, "sid-1", at(10)).await.unwrap();
    let all = [&online, &offline, &elsewhere, &foreign];
    assert_eq!(
        living(&store, &all).await,
        ["offline", "elsewhere", "foreign"]
    );
    assert_eq!(store.session(TENANT, "cookie-1").await, Ok(None));
    assert!(store.session(TENANT, "cookie-2").await.unwrap().is_some());
    let dead = store.family(TENANT, &online.family).await.unwrap().unwrap();
    assert_eq!(dead.revoked_at, Some(at(10)));
    // To end what has ended is no error, and changes nothing.
    store.end_session(TENANT, "sid-1", at(11)).await.unwrap();
    let still = store.family(TENANT, &online.family).await.unwrap().unwrap();
    assert_eq!(still.revoked_at, Some(at(10)));
}

async fn a_code_of_a_session_that_has_ended_begins_nothing(database: TestDatabase) {
    let store = database.open().await;
    let codes = [
        (code_in("online", "sid-1", false), Redemption::Again),
        (code_in("offline", "sid-1", true), Redemption::First),
        (code_in("elsewhere", "sid-2", false), Redemption::First),
    ];
    for (code, _) in &codes {
        assert!(store.insert_code(code).await.unwrap());
    }
    store.end_session(TENANT, "sid-1", at(10)).await.unwrap();
    for (code, expected) in codes {
        let redeemed = redeem(&store, &code, at(11)).await;
        assert_eq!(redeemed, expected, "{}", code.family);
    }
    assert_eq!(store.family(TENANT, "fam_online").await, Ok(None));
}

async fn signing_out_everywhere_ends_all_of_one_user_only(database: TestDatabase) {
    let store = database.open().await;
    let mut others = session("3");
    "bob".clone_into(&mut others.subject);
    for session in [session("1"), session("2"), others] {
        store.begin_session(&session).await.unwrap();
    }
    let one = allow(&store, code_in("one", "sid-1", false)).await;
    let two = allow(&store, code_in("two", "sid-2", false)).await;
    let offline = allow(&store, code_in("offline", "sid-1", true)).await;
    let mut bobs = code_in("bobs", "sid-3", false);
    "bob".clone_into(&mut bobs.authorization.subject);
    let bobs = allow(&store, bobs).await;
    let waiting = code_in("waiting", "sid-1", true);
    assert!(store.insert_code(&waiting).await.unwrap());
    let all = [&one, &two, &offline, &bobs];

    for (offline_too, left) in [(false, &["offline", "bobs"][..]), (true, &["bobs"])] {
        let ended = store.end_all_sessions(TENANT, "ada", offline_too, at(10));
        ended.await.unwrap();
        assert_eq!(living(&store, &all).await, left);
    }
    for (digest, there) in [("cookie-1", false), ("cookie-2", false), ("cookie-3", true)] {
        let session = store.session(TENANT, digest).await.unwrap();
        assert_eq!(session.is_some(), there, "{digest}");
    }
    let late = redeem(&store, &waiting, at(11)).await;
    assert_eq!(late, Redemption::Again);
}

/// A code is kept and the session looked at, as for an answer that is about to leave, while the session ends.
async fn no_code_outlives_a_sign_out_at_the_same_time(database: TestDatabase) {
    let replicas = [database.open().await, database.open().await];
    for round in 0..10 {
        let begun = session(&round.to_string());
        replicas[0].begin_session(&begun).await.unwrap();
        let codes: Vec<Code> = (0..4)
            .map(|n| code_in(&format!("{round}-{n}"), &begun.sid, false))
            .collect();
        let left = at_once(codes.len() + 1, |n| {
            let (store, begun) = (replicas[n % 2].clone(), begun.clone());
            let code = codes.get(n).cloned();
            async move {
                let Some(code) = code else {
                    store.end_session(TENANT, &begun.sid, at(2)).await.unwrap();
                    return None;
                };
                assert!(store.insert_code(&code).await.unwrap());
                let stands = store.is_session_still_valid(TENANT, &begun.digest).await;
                stands.unwrap().then_some(code)
            }
        });
        for code in left.await.into_iter().flatten() {
            let kept = replicas[0].code(TENANT, &code.digest).await.unwrap();
            assert!(kept.unwrap().redeemed_at.is_some());
        }
    }
}

async fn signing_out_while_a_code_is_redeemed_leaves_nothing_alive(database: TestDatabase) {
    let replicas = [database.open().await, database.open().await];
    for round in 0..10 {
        let sid = format!("sid-{round}");
        let codes: Vec<Code> = (0..4)
            .map(|n| code_in(&format!("{round}-{n}"), &sid, false))
            .collect();
        for code in &codes {
            assert!(replicas[0].insert_code(code).await.unwrap());
        }
        at_once(codes.len() + 1, |n| {
            let (store, sid) = (replicas[n % 2].clone(), sid.clone());
            let code = codes.get(n).cloned();
            async move {
                let Some(code) = code else {
                    return store.end_session(TENANT, &sid, at(2)).await.unwrap();
                };
                redeem(&store, &code, at(2)).await;
            }
        })
        .await;
        let all: Vec<&Code> = codes.iter().collect();
        assert!(living(&replicas[0], &all).await.is_empty());
    }
}
