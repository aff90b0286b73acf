//! Codes: one for a request, used once.

use clientele_oauth::grant::Code;
use clientele_store::{Redemption, Store};

use super::database::{TestDatabase, at_once, over_both_stores};
use super::samples::{TENANT, at, code, family, redeem};

over_both_stores![
    a_code_comes_back_as_it_was_kept,
    a_request_is_answered_once,
    fifty_answers_at_once_to_one_request_count_once,
    e06_a_code_used_twice_kills_what_the_first_use_produced,
    e07_of_fifty_redemptions_one_is_first_and_no_token_lives,
    a_code_that_was_used_up_begins_nothing,
    a_code_that_nobody_made_is_gone,
    a_code_is_worth_nothing_in_another_tenant,
    a_family_that_was_not_set_aside_for_the_code_changes_nothing,
    e22_a_family_that_cannot_be_kept_leaves_the_code_unused,
];

async fn lives(store: &Store, code: &Code) -> bool {
    let family = store.family(TENANT, &code.family).await.unwrap();
    family.is_some_and(|family| family.lives(at(1)))
}

async fn a_code_comes_back_as_it_was_kept(database: TestDatabase) {
    let store = database.open().await;
    let mut full = code("full");
    full.nonce = Some("n'once \"\\ ☕ %_".to_owned());
    full.authorization.claims = r#"{"userinfo":{"name":null}}"#.repeat(40);
    let mut bare = code("bare");
    bare.code_challenge = None;
    bare.authorization.resources = String::new();
    for code in [full, bare] {
        assert!(store.insert_code(&code).await.unwrap());
        let kept = store.code(TENANT, &code.digest).await.unwrap();
        assert_eq!(kept.as_ref(), Some(&code));
        redeem(&store, &code, at(1)).await;
        let used = store.code(TENANT, &code.digest).await.unwrap().unwrap();
        assert_eq!(used.redeemed_at, Some(at(1)));
    }
}

async fn a_request_is_answered_once(database: TestDatabase) {
    let store = database.open().await;
    let first = code("first");
    let mut second = code("second");
    second.transaction.clone_from(&first.transaction);
    assert!(store.insert_code(&first).await.unwrap());
    assert!(!store.insert_code(&second).await.unwrap());
    assert_eq!(store.code(TENANT, &second.digest).await.unwrap(), None);
    // In another tenant it is another request.
    "tenant-2".clone_into(&mut second.authorization.tenant);
    assert!(store.insert_code(&second).await.unwrap());
}

async fn fifty_answers_at_once_to_one_request_count_once(database: TestDatabase) {
    let replicas = [database.open().await, database.open().await];
    let answers = at_once(50, |n| {
        let store = replicas[n % 2].clone();
        let mut code = code(&n.to_string());
        "the same".clone_into(&mut code.transaction);
        async move { store.insert_code(&code).await.unwrap() }
    });
    let kept = answers.await.into_iter().filter(|kept| *kept).count();
    assert_eq!(kept, 1);
}

async fn e06_a_code_used_twice_kills_what_the_first_use_produced(database: TestDatabase) {
    let store = database.open().await;
    let code = code("a");
    assert!(store.insert_code(&code).await.unwrap());
    assert_eq!(redeem(&store, &code, at(1)).await, Redemption::First);
    let begun = store.family(TENANT, &code.family).await.unwrap();
    assert_eq!(begun, Some(family(&code)));
    assert_eq!(redeem(&store, &code, at(1)).await, Redemption::Again);
    let dead = store.family(TENANT, &code.family).await.unwrap().unwrap();
    assert_eq!(dead.revoked_at, Some(at(1)));
    assert_eq!(redeem(&store, &code, at(1)).await, Redemption::Again);
    assert!(!lives(&store, &code).await);
}

async fn e07_of_fifty_redemptions_one_is_first_and_no_token_lives(database: TestDatabase) {
    let replicas = [database.open().await, database.open().await];
    let code = code("a");
    assert!(replicas[0].insert_code(&code).await.unwrap());
    let outcomes = at_once(50, |n| {
        let (store, code) = (replicas[n % 2].clone(), code.clone());
        async move { redeem(&store, &code, at(1)).await }
    });
    let outcomes = outcomes.await;
    let count = |wanted| {
        outcomes
            .iter()
            .filter(|outcome| **outcome == wanted)
            .count()
    };
    assert_eq!(count(Redemption::First), 1);
    assert_eq!(count(Redemption::Again), 49);
    assert!(!lives(&replicas[0], &code).await);
    assert!(!lives(&replicas[1], &code).await);
}

async fn a_code_that_was_used_up_begins_nothing(database: TestDatabase) {
    let store = database.open().await;
    let code = code("a");
    assert!(store.insert_code(&code).await.unwrap());
    let used_up = store.redeem(TENANT, &code.digest, None, at(1)).await;
    assert_eq!(used_up, Ok(Redemption::First));
    assert_eq!(redeem(&store, &code, at(1)).await, Redemption::Again);
    assert_eq!(store.family(TENANT, &code.family).await.unwrap(), None);
}

async fn a_code_that_nobody_made_is_gone(database: TestDatabase) {
    let store = database.open().await;
    let code = code("a");
    assert_eq!(redeem(&store, &code, at(1)).await, Redemption::Gone);
    assert_eq!(store.family(TENANT, &code.family).await.unwrap(), None);
}

async fn a_code_is_worth_nothing_in_another_tenant(database: TestDatabase) {
    let store = database.open().await;
    let code = code("a");
    assert!(store.insert_code(&code).await.unwrap());
    assert_eq!(store.code("tenant-2", &code.digest).await.unwrap(), None);
    let mut theirs = family(&code);
    "tenant-2".clone_into(&mut theirs.authorization.tenant);
    let elsewhere = store.redeem("tenant-2", &code.digest, Some(&theirs), at(1));
    assert_eq!(elsewhere.await, Ok(Redemption::Gone));
    // It was not used by that.
    assert_eq!(redeem(&store, &code, at(1)).await, Redemption::First);
    assert_eq!(store.family("tenant-2", &code.family).await.unwrap(), None);
}

async fn a_family_that_was_not_set_aside_for_the_code_changes_nothing(database: TestDatabase) {
    let store = database.open().await;
    let code = code("a");
    assert!(store.insert_code(&code).await.unwrap());
    let mut other = family(&code);
    "fam_other".clone_into(&mut other.id);
    let mut foreign = family(&code);
    "tenant-2".clone_into(&mut foreign.authorization.tenant);
    for family in [other, foreign] {
        let redeemed = store.redeem(TENANT, &code.digest, Some(&family), at(1));
        assert!(redeemed.await.is_err());
        let tenant = &family.authorization.tenant;
        assert_eq!(store.family(tenant, &family.id).await.unwrap(), None);
    }
    assert_eq!(redeem(&store, &code, at(1)).await, Redemption::First);
}

async fn e22_a_family_that_cannot_be_kept_leaves_the_code_unused(database: TestDatabase) {
    let store = database.open().await;
    let (first, mut second) = (code("first"), code("second"));
    // The ID is taken, so that the second of the two writes fails.
    second.family.clone_from(&first.family);
    for code in [&first, &second] {
        assert!(store.insert_code(code).await.unwrap());
    }
    assert_eq!(redeem(&store, &first, at(1)).await, Redemption::First);
    let taken = family(&second);
    let redeemed = store.redeem(TENANT, &second.digest, Some(&taken), at(2));
    let error = redeemed.await.unwrap_err().to_string();
    assert!(!error.contains(&second.family), "{error}");
    let kept = store.code(TENANT, &second.digest).await.unwrap().unwrap();
    assert_eq!(kept.redeemed_at, None);
    assert!(lives(&store, &first).await);
}
