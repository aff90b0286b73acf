//! What is made change by change is what is made of everything at once.

mod oracle;
mod policy;
mod restart;
mod stage;
mod steps;
mod user_steps;
mod written;

use std::hash::{BuildHasher, RandomState};

use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};
use serde_json::{Value, json};

use super::*;
use stage::{Connection, Stage};
use steps::Stored;

/// The seed is printed with a failure; to see it again, put it here in place of chance.
fn runner(cases: u32) -> (u64, TestRunner) {
    let seed = RandomState::new().hash_one("the steps");
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let config = ProptestConfig {
        cases,
        ..ProptestConfig::default()
    };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    (seed, TestRunner::new_with_rng(config, rng))
}

#[test]
fn change_by_change_is_what_everything_at_once_is() {
    let connection = Connection::nowhere();
    let (seed, mut runner) = runner(48);
    let holds = |batches: Vec<Vec<steps::Step>>| {
        let mut world = Stored::default();
        let mut stage = Stage::new(&connection);
        for batch in &batches {
            for step in batch {
                world.play(&mut stage, step);
            }
            stage.rebuild();
            let compared = oracle::compare(&mut stage);
            prop_assert!(compared.is_ok(), "{}", compared.unwrap_err());
        }
        for _ in 0..3 {
            prop_assert!(
                !stage.builder.check(&stage.inputs),
                "the slow check finds something"
            );
        }
        Ok(())
    };
    let batches = proptest::collection::vec(proptest::collection::vec(steps::step(), 1..5), 1..24);
    let outcome = runner.run(&batches, holds);
    outcome.unwrap_or_else(|failure| panic!("seed {seed}: {failure}"));
}

/// The property can fail: what is not taken in is found by the comparison, and by the slow check, which repairs it.
#[test]
fn what_is_missed_is_found_counted_and_repaired() {
    let connection = Connection::nowhere();
    let mut stage = Stage::new(&connection);
    stage.client(
        "ns0",
        "web",
        1,
        &json!({ "allowedOrigins": ["https://a.example"] }),
    );
    stage.client("ns0", "api", 1, &json!({}));
    let admits_people = json!({ "users": { "namespaces": {} } });
    stage.tenant("default", 2, &admits_people);
    stage.rebuild();
    oracle::compare(&mut stage).unwrap();
    assert!(!stage.builder.check(&stage.inputs));
    let misses = [
        miss_a_change,
        miss_a_deletion,
        miss_a_move,
        miss_a_person,
        miss_a_password,
    ];
    for miss in misses {
        miss(&mut stage);
        assert!(oracle::compare(&mut stage).is_err());
        let counted = stage.inputs.context.metrics.registry.differences.get();
        assert!(stage.builder.check(&stage.inputs));
        assert!(stage.inputs.context.metrics.registry.differences.get() > counted);
        stage.rebuild();
        oracle::compare(&mut stage).unwrap();
        assert!(!stage.builder.check(&stage.inputs));
    }
}

fn miss_a_change(stage: &mut Stage) {
    stage.client("ns0", "web", 2, &json!({ "suspended": true }));
    stage.builder.pending = Pending::default();
}

fn miss_a_person(stage: &mut Stage) {
    stage.put_user(person("ns0", "alice", &json!({})));
    stage.rebuild();
    stage.put_user(person(
        "ns0",
        "alice",
        &json!({ "email": "alice@example.com" }),
    ));
    stage.builder.pending = Pending::default();
}

fn miss_a_password(stage: &mut Stage) {
    let refers = json!({ "passwordSecretRef": { "name": "people", "key": "first" } });
    stage.put_user(person("ns0", "bob", &refers));
    stage.rebuild();
    user_steps::passwords(stage, "ns0", Some([Some("a plain text"), None]));
    drop(stage.inputs.cache.passwords.take_changes());
}

fn miss_a_deletion(stage: &mut Stage) {
    stage.delete_client("ns0", "api");
    stage.builder.pending = Pending::default();
}

fn miss_a_move(stage: &mut Stage) {
    stage.client("ns0", "new", 1, &json!({}));
    stage.rebuild();
    let tables = stage.builder.tables.values_mut().next().unwrap();
    tables.served.remove("ns0.new");
    let tenants = stage.builder.tables.keys().cloned();
    let tenants: Vec<_> = tenants.map(|name| name.to_string()).collect();
    stage.builder.pending.tenants.extend(tenants);
    stage.rebuild();
}

#[test]
fn a_status_of_a_tenant_moves_no_client() {
    let connection = Connection::nowhere();
    let mut stage = Stage::new(&connection);
    for name in ["a", "b", "c"] {
        stage.client("ns0", name, 1, &json!({}));
    }
    stage.rebuild();
    stage.asked();
    let before = stage.builder.work();
    let status = json!({ "issuer": "https://id.example", "observedGeneration": 1 });
    stage.tenant_with_status("default", 1, &json!({}), &status);
    stage.rebuild();
    assert_eq!(stage.asked(), Vec::<String>::new());
    assert_eq!(stage.builder.work().looked_at, before.looked_at);
    // A manifest that says the same to a client moves none either.
    stage.tenant("default", 2, &json!({ "displayName": "Acme" }));
    stage.rebuild();
    assert_eq!(stage.asked(), Vec::<String>::new());
    assert_eq!(stage.builder.work().looked_at, before.looked_at);
    let narrow = json!({ "namespaces": { "matchLabels": { "team": "none" } } });
    stage.tenant("default", 3, &narrow);
    stage.rebuild();
    assert_eq!(stage.asked(), ["ns0/a", "ns0/b", "ns0/c"]);
    let served = stage.outputs.registry.load().client_count();
    assert_eq!(served, 0, "a tightening is in force at once");
}

/// How much is done for one change among this many clients.
fn work_per_change(connection: &Connection, clients: usize) -> Vec<Work> {
    let mut stage = Stage::new(connection);
    let namespace = |n: usize| format!("ns{}", n % 50);
    for n in 0..50 {
        stage.namespace(&namespace(n), "a");
    }
    let generous =
        json!({ "customClientIds": { "namespaces": {} }, "users": { "namespaces": {} } });
    stage.tenant("default", 2, &generous);
    for n in 0..clients {
        stage.client(&namespace(n), &format!("client-{n}"), 1, &json!({}));
        stage.put_user(person(&namespace(n), &format!("person-{n}"), &json!({})));
    }
    stage.rebuild();
    let mut works = Vec::new();
    let mut measure = |stage: &mut Stage, change: &dyn Fn(&mut Stage)| {
        let before = stage.builder.work();
        change(stage);
        stage.rebuild();
        let after = stage.builder.work();
        works.push(Work {
            looked_at: after.looked_at - before.looked_at,
            judged: after.judged - before.judged,
            tenants: after.tenants - before.tenants,
            people: after.people - before.people,
            copied: after.copied - before.copied,
        });
    };
    let edited = json!({ "displayName": "Other" });
    measure(&mut stage, &|stage| {
        stage.client("ns7", "client-7", 2, &edited);
    });
    measure(&mut stage, &|stage| {
        stage.client("ns7", "new", 1, &json!({}));
    });
    let brought = json!({ "clientId": "legacy" });
    measure(&mut stage, &|stage| {
        stage.client("ns7", "brought", 1, &brought);
    });
    measure(&mut stage, &|stage| {
        stage.client("ns8", "brought", 1, &brought);
    });
    measure(&mut stage, &|stage| stage.delete_client("ns7", "brought"));
    measure(&mut stage, &|stage| stage.delete_client("ns7", "new"));
    measure(&mut stage, &|stage| stage.namespace("ns-new", "b"));
    measure(&mut stage, &|stage| {
        let status = json!({ "observedGeneration": 1 });
        stage.tenant_with_status("default", 2, &generous, &status);
    });
    measure(&mut stage, &|stage| stage.tenant("third", 1, &json!({})));
    measure(&mut stage, &|stage| {
        let spec = json!({ "email": "person-7@example.com" });
        stage.put_user(person("ns7", "person-7", &spec));
    });
    measure(&mut stage, &|stage| {
        let same = json!({ "username": "person-7" });
        stage.put_user(person("ns8", "another", &same));
    });
    measure(&mut stage, &|stage| {
        stage.delete_user(person("ns8", "another", &json!({})));
    });
    measure(&mut stage, &|stage| {
        let spec = json!({ "passwordSecretRef": { "name": "people" } });
        stage.put_user(person("ns7", "person-7", &spec));
    });
    measure(&mut stage, &|stage| {
        stage.inputs.cache.passwords.forget("ns7", "people");
    });
    let registry = stage.outputs.registry.load();
    assert_eq!(registry.client_count(), clients + 1);
    assert_eq!(registry.tenants["default"].users.len(), clients - 1);
    works
}

fn person(namespace: &str, name: &str, spec: &Value) -> OAuthUser {
    let mut whole = json!({ "username": name });
    for (field, value) in spec.as_object().into_iter().flatten() {
        whole[field] = value.clone();
    }
    let mut user = OAuthUser::new(name, serde_json::from_value(whole).unwrap());
    user.metadata.namespace = Some(namespace.into());
    user
}

#[test]
fn the_cost_of_a_change_does_not_follow_the_total() {
    let connection = Connection::nowhere();
    let small = work_per_change(&connection, 1_000);
    assert_eq!(small, work_per_change(&connection, 10_000));
    let most = small.iter().map(|work| work.looked_at).max();
    assert!(
        most <= Some(2),
        "who wants the same ID, and no other: {small:?}"
    );
    let people = small.iter().map(|work| work.people);
    assert!(
        people.max() <= Some(2),
        "who wants the same username, and no other: {small:?}"
    );
}
