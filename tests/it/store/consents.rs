//! Consents, and what ends with them.

use clientele::store::{Redemption, Store};

use super::place::{Place, over_both_stores};
use super::samples::{TENANT, at, begin, code, consent, redeem};

over_both_stores![
    a_consent_replaces_the_earlier_one,
    consents_are_listed_newest_first_for_one_person,
    a_consent_that_is_withdrawn_takes_the_families_of_that_registration,
];

async fn a_consent_replaces_the_earlier_one(place: Place) {
    let store = place.open().await;
    let first = consent("r1");
    store.keep_consent(&first).await.unwrap();
    assert_eq!(
        store.consent(TENANT, "ada", "r1").await,
        Ok(Some(first.clone()))
    );
    let mut wider = first;
    wider.scope = "openid email".to_owned();
    wider.resources = "https://api.example".to_owned();
    wider.client_id = "renamed".to_owned();
    wider.person = "person-2".to_owned();
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

async fn consents_are_listed_newest_first_for_one_person(place: Place) {
    let store = place.open().await;
    let mut kept = Vec::new();
    for (n, registration) in ["r2", "r3", "r1"].into_iter().enumerate() {
        let mut consent = consent(registration);
        consent.granted_at = at(i64::try_from(n).unwrap());
        store.keep_consent(&consent).await.unwrap();
        kept.insert(0, consent);
    }
    let (mut bobs, mut foreign) = (consent("r1"), consent("r1"));
    bobs.subject = "bob".to_owned();
    foreign.tenant = "tenant-2".to_owned();
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
    registration.clone_into(&mut authorization.registration_id);
    authorization.scope.push_str(" offline_access");
    begin(store, &code).await;
    code.family
}

async fn a_consent_that_is_withdrawn_takes_the_families_of_that_registration(place: Place) {
    let store = place.open().await;
    let mut waiting = code("waiting");
    waiting.authorization.registration_id = "r1".to_owned();
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
