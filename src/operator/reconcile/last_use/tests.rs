use clientele_api::OAuthClient;
use clientele_oauth::client::testing::client;
use clientele_oauth::client::used_days::Day;
use serde_json::json;

use super::*;
use crate::domain::kept::{Kept, Words};
use crate::tests::object;

/// A client that is ready and was used on that day; its status has recorded another day, or none.
fn used(name: &str, used: u32, recorded: Option<u32>) -> Arc<ClientVerdict> {
    let time = |day: u32| Day::from_number(day).begin().to_string();
    let condition = json!({
        "type": "Ready", "status": "True", "reason": "Registered", "message": "",
        "lastTransitionTime": time(1), "observedGeneration": 1,
    });
    let mut status = json!({ "observedGeneration": 1, "conditions": [condition] });
    match recorded {
        Some(day) => status["lastUsedAt"] = time(day).into(),
        None => status["unusedSince"] = time(1).into(),
    }
    let object = OAuthClient {
        status: serde_json::from_value(status).unwrap(),
        ..object(name, json!({}))
    };
    let registered = Client {
        uid: name.into(),
        uses: Arc::default(),
        ..client()
    };
    registered.uses.days().learn(Day::from_number(used));
    Arc::new(ClientVerdict {
        object: Arc::new(Kept::new(object, &mut Words::default())),
        registered: Ok(Arc::new(registered)),
        tenant: None,
        details: (),
    })
}

fn one(clients: &[Arc<ClientVerdict>], tried: &mut Tried) -> Vec<String> {
    let now = Day::from_number(100).begin();
    let chosen = next(clients, 1, tried, now).into_iter();
    chosen.map(|(_, client)| client.uid.to_string()).collect()
}

#[test]
fn f93_who_cannot_be_written_takes_no_turns_of_others() {
    let clients = [
        used("first-use", 100, None),
        used("yesterday", 100, Some(99)),
        used("today", 100, Some(100)),
        used("week", 100, Some(93)),
    ];
    let mut tried = Tried::new();
    // None of them is written, and each is tried before one is tried again.
    for _ in 0..2 {
        let order: Vec<_> = (0..4).map(|_| one(&clients, &mut tried)).collect();
        assert_eq!(order[..3].concat(), ["first-use", "week", "yesterday"]);
        assert!(order[3].is_empty() && tried.is_empty());
    }
}

#[test]
fn at_rest_nobody_has_a_turn() {
    let clients = [used("a", 100, Some(100)), used("b", 99, Some(99))];
    assert_eq!(one(&clients, &mut Tried::new()), [""; 0]);
}
