//! Consents, and what ends with them.

use clientele_oauth::grant::Code;
use clientele_store::{Redemption, Store};

use super::database::{TestDatabase, at_once, over_both_stores};
use super::samples::{TENANT, at, begin, code, consent, redeem};

over_both_stores![
    a_consent_replaces_the_earlier_one,
    consents_are_listed_newest_first_for_one_person,
    a_withdrawn_consent_ends_the_families_of_its_registration,
    a_consent_stands_until_it_is_withdrawn_or_given_anew,
    no_code_outlives_a_withdrawal_at_the_same_time,
];

async fn a_consent_replaces_the_earlier_one(database: TestDatabase) {
    let store = database.open().await;
    let first = consent("r1");
    store.keep_consent(&first).await.unwrap();
    assert_eq!(
        store.consent(TENANT, "ada", "r1").await,
        Ok(Some(first.clone()))
    );
    let mut wider = first;
    "openid email".clone_into(&mut wider.scope);
    "https://api.example".clone_into(&mut wider.resources);
    "renamed".clone_into(&mut wider.client_id);
    "person-2".clone_into(&mut wider.user_uid);
    wider.granted_at = at(5);
    store.keep_consent(&wider).await.unwrap();
    assert_eq!(
        store.consent(TENANT, "ada", "r1").await,
        Ok(Some(wider.clone()))
    );
    assert_eq!(store.consents(TENANT, "ada").await, Ok(vec![wider]));
    for (tenant, subject, registration) in [
        ("tenant-2", "ada", "r1"),
        (TENANT, "bob", "r1"),
        (TENANT, "ada", "r2"),
    ] {
        let found = store.consent(tenant, subject, registration).await;
        assert_eq!(found, Ok(None));
    }
}

async fn consents_are_listed_newest_first_for_one_person(database: TestDatabase) {
    let store = database.open().await;
    let mut kept = Vec::new();
    for (n, registration) in ["r2", "r3", "r1"].into_iter().enumerate() {
        let mut consent = consent(registration);
        consent.granted_at = at(i64::try_from(n).unwrap());
        store.keep_consent(&consent).await.unwrap();
        kept.insert(0, consent);
    }
    let (mut bobs, mut foreign) = (consent("r1"), consent("r1"));
    "bob".clone_into(&mut bobs.subject);
    "tenant-2".clone_into(&mut foreign.tenant);
    for consent in [bobs, foreign] {
        store.keep_consent(&consent).await.unwrap();
    }
    assert_eq!(store.consents(TENANT, "ada").await, Ok(kept));
    assert_eq!(store.consents(TENANT, "eve").await, Ok(vec![]));
}

/// Keeps a consent and begins a family of it, offline. Its ID.
async fn allow(store: &Store, tenant: &str, subject: &str, registration: &str) -> String {
    let mut consent = consent(registration);
    tenant.clone_into(&mut consent.tenant);
    subject.clone_into(&mut consent.subject);
    store.keep_consent(&consent).await.unwrap();
    let mut code = code(&format!("{tenant}-{subject}-{registration}"));
    let authorization = &mut code.authorization;
    tenant.clone_into(&mut authorization.tenant);
    subject.clone_into(&mut authorization.subject);
    registration.clone_into(&mut authorization.client_uid);
    authorization.scope.push_str(" offline_access");
    begin(store, &code).await;
    code.family
}

async fn a_withdrawn_consent_ends_the_families_of_its_registration(database: TestDatabase) {
    let store = database.open().await;
    let mut waiting = code("waiting");
    "r1".clone_into(&mut waiting.authorization.client_uid);
    assert!(store.insert_code(&waiting).await.unwrap());
    let all = [
        (TENANT, "ada", "r1"),
        (TENANT, "ada", "r2"),
        (TENANT, "bob", "r1"),
        ("tenant-2", "ada", "r1"),
    ];
    let mut families = Vec::new();
    for (tenant, subject, registration) in all {
        families.push(allow(&store, tenant, subject, registration).await);
    }
    store.withdraw(TENANT, "ada", "r1", at(10)).await.unwrap();
    for (index, (tenant, subject, registration)) in all.into_iter().enumerate() {
        let family = store.family(tenant, &families[index]).await.unwrap();
        let consent = store.consent(tenant, subject, registration).await.unwrap();
        assert_eq!(family.unwrap().lives(at(11)), index != 0, "{index}");
        assert_eq!(consent.is_some(), index != 0, "{index}");
    }
    let late = redeem(&store, &waiting, at(11)).await;
    assert_eq!(late, Redemption::Again);
}

async fn a_consent_stands_until_it_is_withdrawn_or_given_anew(database: TestDatabase) {
    let store = database.open().await;
    let given = consent("r1");
    assert_eq!(store.is_consent_still_valid(&given).await, Ok(false));
    store.keep_consent(&given).await.unwrap();
    assert_eq!(store.is_consent_still_valid(&given).await, Ok(true));
    store.withdraw(TENANT, "ada", "r1", at(10)).await.unwrap();
    assert_eq!(store.is_consent_still_valid(&given).await, Ok(false));
    let mut renewed = given.clone();
    renewed.granted_at = at(11);
    store.keep_consent(&renewed).await.unwrap();
    assert_eq!(store.is_consent_still_valid(&given).await, Ok(false));
    assert_eq!(store.is_consent_still_valid(&renewed).await, Ok(true));
}

/// A code is kept and the consent looked at, as for an answer that is about to leave, while the consent is withdrawn.
async fn no_code_outlives_a_withdrawal_at_the_same_time(database: TestDatabase) {
    let replicas = [database.open().await, database.open().await];
    for round in 0..10 {
        let given = consent(&format!("r{round}"));
        replicas[0].keep_consent(&given).await.unwrap();
        let codes: Vec<Code> = (0..4)
            .map(|n| {
                let mut code = code(&format!("{round}-{n}"));
                let registration = &mut code.authorization.client_uid;
                given.client_uid.clone_into(registration);
                code
            })
            .collect();
        let left = at_once(codes.len() + 1, |n| {
            let (store, given) = (replicas[n % 2].clone(), given.clone());
            let code = codes.get(n).cloned();
            async move {
                let Some(code) = code else {
                    let registration = &given.client_uid;
                    let withdrawn = store.withdraw(TENANT, "ada", registration, at(2));
                    withdrawn.await.unwrap();
                    return None;
                };
                assert!(store.insert_code(&code).await.unwrap());
                let stands = store.is_consent_still_valid(&given).await;
                stands.unwrap().then_some(code)
            }
        });
        for code in left.await.into_iter().flatten() {
            let kept = replicas[0].code(TENANT, &code.digest).await.unwrap();
            assert!(kept.unwrap().redeemed_at.is_some());
        }
    }
}
