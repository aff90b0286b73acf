use clientele_api::{OAuthClient, OAuthClientStatus};
use jiff::Timestamp;
use serde_json::json;

use crate::domain::client::identity::ClientObject;
use crate::domain::client::rotation::RotationStep;
use crate::domain::client::status::{Published, is_ready, status, withheld};
use crate::domain::reason::{Reason, Refusal};
use crate::tests::object;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "as the function under test takes it"
)]
fn published() -> Option<Published> {
    Some(Published {
        name: "web-oauth".into(),
        uid: "secret-uid".into(),
        at: Some(at(5)),
    })
}

/// The status after a reconcile at that second.
fn seen(
    object: &OAuthClient,
    published: Option<Published>,
    verdict: &Result<(), Refusal>,
    second: i64,
) -> OAuthClientStatus {
    let turn = RotationStep::default();
    status(
        &ClientObject::parse(object),
        None,
        published,
        verdict,
        &turn,
        at(second),
    )
}

fn triple(status: &OAuthClientStatus) -> Vec<(&str, &str, &str)> {
    status
        .conditions
        .iter()
        .map(|c| (&*c.type_, &*c.status, &*c.reason))
        .collect()
}

fn with(object: &OAuthClient, status: OAuthClientStatus) -> OAuthClient {
    OAuthClient {
        status: Some(status),
        ..object.clone()
    }
}

#[test]
fn a_registered_client_is_current_in_the_sense_of_kstatus() {
    let status = seen(&object("web", json!({})), published(), &Ok(()), 10);
    assert_eq!(status.observed_generation, Some(1));
    assert_eq!(
        triple(&status),
        [
            ("Ready", "True", "Registered"),
            ("Reconciling", "False", "Registered"),
            ("Stalled", "False", "Registered")
        ]
    );
    let generation = status.secret_generation.unwrap();
    assert_eq!(
        (
            generation.requested,
            generation.published,
            generation.oldest_accepted
        ),
        (1, 1, 1)
    );
}

#[test]
fn what_is_withheld_is_that_this_version_is_ready_and_nothing_else() {
    let ready = |object: &OAuthClient| seen(object, published(), &Ok(()), 10);
    let new = object("web", json!({}));
    let said = with(&new, ready(&new));
    assert!(!is_ready(&new) && is_ready(&said));
    let mut edited = said.clone();
    edited.metadata.generation = Some(2);
    assert!(!is_ready(&edited), "it speaks of the version before");
    let mut wanted = ready(&edited);
    wanted.secret_name = Some("other".to_owned());
    let withheld = withheld(&edited, wanted.clone());
    assert_eq!(triple(&withheld), triple(&wanted), "as it was");
    assert_eq!(withheld.observed_generation, Some(1));
    assert_eq!(withheld.secret_name, wanted.secret_name);
}

#[test]
fn a_mistake_is_failed_and_what_passes_by_itself_is_in_progress() {
    let refuse = |reason| Err(Refusal::new(reason, "why and what to do"));
    let stalled = seen(
        &object("web", json!({})),
        None,
        &refuse(Reason::TenantNotFound),
        10,
    );
    assert_eq!(triple(&stalled)[0].1, "False");
    assert_eq!(triple(&stalled)[2], ("Stalled", "True", "TenantNotFound"));
    let waiting = seen(
        &object("web", json!({})),
        None,
        &refuse(Reason::TenantPending),
        10,
    );
    assert_eq!(
        triple(&waiting)[1],
        ("Reconciling", "True", "TenantPending")
    );
    assert_eq!(triple(&waiting)[2].1, "False");
}

#[test]
fn at_rest_the_status_does_not_move() {
    let object = object("web", json!({}));
    let first = seen(&object, published(), &Ok(()), 10);
    let again = seen(&with(&object, first.clone()), published(), &Ok(()), 99);
    assert_eq!(first, again);
}

#[test]
fn a_transition_has_its_time_and_a_new_message_has_not() {
    let object = object("web", json!({}));
    let refuse = |message: &str| Err(Refusal::new(Reason::TenantNotFound, message));
    let first = seen(&object, None, &refuse("one"), 10);
    let second = seen(&with(&object, first), None, &refuse("two"), 20);
    assert_eq!(second.conditions[0].last_transition_time.0, at(10));
    let third = seen(&with(&object, second), published(), &Ok(()), 30);
    assert_eq!(third.conditions[0].last_transition_time.0, at(30));
}

#[test]
fn a_refusal_keeps_the_ledger_and_the_name_of_the_secret() {
    let object = object("web", json!({}));
    let good = seen(&object, published(), &Ok(()), 10);
    let bad = seen(
        &with(&object, good.clone()),
        None,
        &Err(Refusal::new(Reason::ScopeNotFound, "x")),
        20,
    );
    assert_eq!(bad.secret_generation, good.secret_generation);
    assert_eq!(bad.secret_uid, good.secret_uid);
}

#[test]
fn the_ledger_never_falls_whatever_the_status_claims() {
    for claimed in [
        (0, 0, 0),
        (-5, -5, -5),
        (3, 7, 2),
        (2, 1, 9),
        (i64::MAX, 1, 1),
    ] {
        let mut object = object("web", json!({}));
        let generation =
            json!({ "requested": claimed.0, "published": claimed.1, "oldestAccepted": claimed.2 });
        object.status =
            Some(serde_json::from_value(json!({ "secretGeneration": generation })).unwrap());
        let after = seen(&object, published(), &Ok(()), 10)
            .secret_generation
            .unwrap();
        assert!(
            after.published >= after.oldest_accepted && after.oldest_accepted >= 1,
            "{claimed:?}: {after:?}"
        );
        assert_eq!(after.published, after.requested, "{claimed:?}");
    }
}

#[test]
fn what_has_no_effect_is_an_advisory_of_a_client_that_works() {
    let machine = object("web", json!({ "scopes": ["openid"] }));
    let of = |status: &OAuthClientStatus| {
        let found = status.conditions.iter().find(|c| c.type_ == "Advisory");
        found.map(|c| (c.status.to_string(), c.reason.to_string()))
    };
    let works = seen(&machine, published(), &Ok(()), 10);
    assert_eq!(triple(&works)[0].1, "True");
    assert_eq!(of(&works), Some(("True".to_owned(), "NoEffect".to_owned())));
    let again = seen(&with(&machine, works.clone()), published(), &Ok(()), 99);
    assert_eq!(
        again.conditions, works.conditions,
        "at rest nothing is written"
    );
    let refused = Err(Refusal::new(Reason::TenantNotFound, "why"));
    assert_eq!(of(&seen(&machine, None, &refused, 10)), None);
    let corrected = with(&object("web", json!({})), works);
    assert_eq!(of(&seen(&corrected, published(), &Ok(()), 10)), None);
}
