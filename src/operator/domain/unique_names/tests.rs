use std::sync::Arc;

use clientele_api::{OAuthClient, OAuthTenant};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Kind, Precedence};
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
    assert!(afterwards.contains("claim it again") && !afterwards.contains("take another"));
}

/// The claim of a tenant to an audience.
fn audience(tenant: &str, created: i64, uri: &str) -> NameReservation {
    let spec = serde_json::from_value(json!({ "audiences": [{ "uri": uri }] })).unwrap();
    let mut tenant = OAuthTenant::new(tenant, spec);
    tenant.metadata.uid = Some(format!("uid-of-{}", tenant.metadata.name.clone().unwrap()));
    tenant.metadata.creation_timestamp = Some(Time(jiff::Timestamp::from_second(created).unwrap()));
    NameReservation::of_audiences(&tenant).next().unwrap().1
}

/// The claim of a client of the tenant `default`.
fn client_id(id: &str, created: i64, is_given: bool) -> NameReservation {
    let mut client = object("web", json!({ "clientId": id }));
    client.metadata.creation_timestamp = Some(Time(jiff::Timestamp::from_second(created).unwrap()));
    let status = if is_given {
        json!({ "clientId": id })
    } else {
        json!({})
    };
    client.status = Some(serde_json::from_value(status).unwrap());
    NameReservation::of_client_id(&client).unwrap()
}

#[test]
fn k11_an_audience_is_never_a_client_id_in_any_spelling() {
    const URI: &str = "https://orders.example/v1";
    for spelled in [
        URI,
        "HTTPS://Orders.example:443/v1",
        "https://orders.example/./v1",
    ] {
        for (created, is_given, client_has_it) in
            [(9, true, true), (1, false, false), (9, false, false)]
        {
            let claims = [
                client_id(spelled, created, is_given),
                audience("other", 5, URI),
            ];
            for order in [claims.to_vec(), claims.iter().rev().cloned().collect()] {
                let decided = NameReservations::decide(order.into_iter());
                let [of_client, of_tenant] =
                    claims.each_ref().map(|claim| decided.other_holder(claim));
                if client_has_it {
                    assert_eq!(
                        (of_client, of_tenant),
                        (None, Some("OAuthClient team-a/web"))
                    );
                } else {
                    assert_eq!((of_client, of_tenant), (Some("OAuthTenant other"), None));
                }
            }
        }
    }
    let claims = [
        client_id("https://orders.example/v1/", 9, false),
        audience("other", 5, URI),
    ];
    let decided = NameReservations::decide(claims.iter().cloned());
    assert!(
        claims
            .iter()
            .all(|claim| decided.other_holder(claim).is_none())
    );
}

#[test]
fn two_tenants_may_declare_one_audience() {
    let claims = [audience("a", 1, "urn:x"), audience("b", 2, "urn:x")];
    let decided = NameReservations::decide(claims.iter().cloned());
    assert!(
        claims
            .iter()
            .all(|claim| decided.other_holder(claim).is_none())
    );
}

fn claim() -> impl Strategy<Value = NameReservation> {
    let kinds = prop_oneof![
        Just(Kind::ClientId),
        Just(Kind::Subject),
        Just(Kind::Audience)
    ];
    let precedences = prop_oneof![
        Just(Precedence::Given),
        Just(Precedence::Declared),
        Just(Precedence::New)
    ];
    (
        "[ab]",
        kinds,
        "[xyz]",
        "[a-z0-9]{6}",
        precedences,
        0i64..4,
        any::<bool>(),
    )
        .prop_map(
            |(tenant, kind, name, uid, precedence, created, lost)| NameReservation {
                tenant,
                kind,
                name,
                by: uid.clone(),
                uid,
                precedence,
                created: Some(jiff::Timestamp::from_second(created).unwrap()),
                lost,
            },
        )
}

proptest! {
    #[test]
    fn k11_no_value_is_two_kinds_of_name_and_no_order_matters(claims in proptest::collection::vec(claim(), 0..12)) {
        let decided = NameReservations::decide(claims.iter().cloned());
        let again = NameReservations::decide(claims.iter().rev().cloned());
        let mut had: Vec<&NameReservation> = Vec::new();
        for claim in &claims {
            prop_assert_eq!(decided.other_holder(claim), again.other_holder(claim));
            if decided.other_holder(claim).is_none() {
                had.push(claim);
            }
        }
        for one in &had {
            for other in had.iter().filter(|other| other.name == one.name && other.uid != one.uid) {
                prop_assert_eq!(one.kind, other.kind);
                prop_assert!(one.tenant != other.tenant, "one name, two holders");
            }
        }
    }
}
