use std::sync::Arc;

use clientele_api::OAuthClient;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use serde_json::{Value, json};

use crate::domain::unique_names::{NameReservation, NameReservations, lost};
use crate::tests::{object, user};

fn claimant(name: &str, created: i64, status: Value) -> Arc<OAuthClient> {
    let mut object = object(name, json!({ "clientId": "legacy" }));
    object.metadata.creation_timestamp = Some(Time(jiff::Timestamp::from_second(created).unwrap()));
    object.status = Some(serde_json::from_value(status).unwrap());
    Arc::new(object)
}

fn conflict(generation: i64) -> Value {
    json!({ "conditions": [{
        "type": "Ready", "status": "False", "reason": "ClientIdConflict", "message": "", "observedGeneration": generation,
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    }] })
}

/// Who has the ID, whatever the order of the list.
fn holder(claimants: &[&Arc<OAuthClient>]) -> Option<String> {
    let own = |order: &[&Arc<OAuthClient>]| {
        let claim = |object: &&Arc<OAuthClient>| NameReservation::of_client_id(object).unwrap();
        let claims = NameReservations::decide(order.iter().map(claim));
        let winners: Vec<String> = order
            .iter()
            .filter(|object| claims.other_holder(&claim(object)).is_none())
            .map(|object| object.metadata.name.clone().unwrap())
            .collect();
        assert!(winners.len() <= 1, "one ID, two clients: {winners:?}");
        winners.into_iter().next()
    };
    let forward = own(claimants);
    let backward: Vec<&Arc<OAuthClient>> = claimants.iter().rev().copied().collect();
    assert_eq!(forward, own(&backward), "the order of the list decides");
    forward
}

#[test]
fn f51_the_first_to_claim_an_id_has_it() {
    let (old, young) = (
        claimant("old", 1, json!({})),
        claimant("young", 2, json!({})),
    );
    assert_eq!(holder(&[&old, &young]).as_deref(), Some("old"));
}

#[test]
fn who_was_given_the_id_keeps_it() {
    let given = claimant("given", 5, json!({ "clientId": "legacy" }));
    let older = claimant("older", 1, json!({}));
    assert_eq!(holder(&[&given, &older]).as_deref(), Some("given"));
}

#[test]
fn a_loser_is_not_promoted_when_the_holder_goes() {
    let loser = claimant("loser", 2, conflict(1));
    assert_eq!(holder(&[&loser]), None);
}

#[test]
fn a_loser_that_was_edited_claims_again() {
    let edited = claimant("edited", 2, conflict(0));
    assert_eq!(holder(&[&edited]).as_deref(), Some("edited"));
}

#[test]
fn the_same_second_is_decided_by_something_that_does_not_change() {
    let (a, b) = (claimant("a", 1, json!({})), claimant("b", 1, json!({})));
    assert_eq!(holder(&[&a, &b]).as_deref(), Some("a"));
}

#[test]
fn ids_of_two_tenants_do_not_meet() {
    let here = claimant("here", 1, json!({}));
    let mut there = (*claimant("there", 2, json!({}))).clone();
    there.spec.tenant = "other".into();
    let there = Arc::new(there);
    let claim = |object: &Arc<OAuthClient>| NameReservation::of_client_id(object).unwrap();
    let claims = NameReservations::decide([&here, &there].into_iter().map(claim));
    assert!(claims.other_holder(&claim(&here)).is_none());
    assert!(claims.other_holder(&claim(&there)).is_none());
}

#[test]
fn k11_a_brought_subject_and_a_brought_client_id_are_never_the_same() {
    let client = claimant("client", 2, json!({}));
    let mut user = user("alice", json!({ "username": "alice", "subject": "legacy" }));
    let at = |second| Some(Time(jiff::Timestamp::from_second(second).unwrap()));
    for (created, person_has_it) in [(1, true), (3, false)] {
        user.metadata.creation_timestamp = at(created);
        let (of_user, of_client) = (
            NameReservation::of_subject(&user).unwrap(),
            NameReservation::of_client_id(&client).unwrap(),
        );
        let claims = NameReservations::decide([of_user.clone(), of_client.clone()].into_iter());
        assert_eq!(claims.other_holder(&of_user).is_none(), person_has_it);
        let holder = claims.other_holder(&of_client);
        assert_eq!(holder, person_has_it.then_some("OAuthUser team-a/alice"));
    }
}

#[test]
fn a_renamed_person_does_not_take_the_name_of_another() {
    let mut renamed = user("old", json!({ "username": "bob" }));
    renamed.status = Some(serde_json::from_value(json!({ "username": "alice" })).unwrap());
    let mut bob = user("young", json!({ "username": "bob" }));
    bob.metadata.creation_timestamp = Some(Time(jiff::Timestamp::from_second(9).unwrap()));
    bob.status = Some(serde_json::from_value(json!({ "username": "bob" })).unwrap());
    let (renamed, bob) = (
        NameReservation::of_username(&renamed),
        NameReservation::of_username(&bob),
    );
    let claims = NameReservations::decide([renamed.clone(), bob.clone()].into_iter());
    assert_eq!(
        claims.other_holder(&renamed),
        Some("OAuthUser team-a/young")
    );
    assert_eq!(claims.other_holder(&bob), None);
}

#[test]
fn who_came_too_late_is_told_what_helps() {
    let late = claimant("late", 2, json!({}));
    let claims = NameReservations::decide(
        [NameReservation::of_client_id(&claimant("first", 1, json!({}))).unwrap()].into_iter(),
    );
    let told = |claims: &NameReservations| {
        let holder = claims.other_holder(&NameReservation::of_client_id(&late).unwrap());
        lost("client ID \"legacy\"", holder.unwrap(), "take another")
    };
    let while_it_lives = told(&claims);
    assert!(while_it_lives.contains("/first, which") && while_it_lives.ends_with("take another"));
    let afterwards = told(&NameReservations::default());
    assert!(afterwards.contains("claim it anew") && !afterwards.contains("take another"));
}
