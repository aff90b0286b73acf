use clientele_api::{OAuthClient, OAuthClientStatus};
use clientele_oauth::Keyring;
use clientele_oauth::client::secret_rotation::{Cause, End, Observed, Step};
use clientele_oauth::keys::root_keyring::RootKey;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::domain::client::identity::ClientObject;
use crate::domain::client::rotation::{RotationStep, turn};
use crate::domain::client::status::{Published, status};
use crate::domain::reason::Reason;
use crate::tests::{generous, judged, keyring, object};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

/// A client whose passes are made one by one, by hand.
struct Life {
    object: OAuthClient,
    keyring: Keyring,
    observed: Option<Observed>,
}

impl Life {
    /// A client with its first secret, at 0.
    fn begin(rotation: &Value) -> Self {
        let mut life = Self {
            object: object("web", json!({ "rotation": rotation })),
            keyring: keyring(),
            observed: None,
        };
        assert_eq!(life.pass(0), Step::Publish);
        life
    }

    fn turn(&self, now: i64) -> RotationStep {
        let client = judged(&self.object, &generous()).unwrap();
        turn(
            &ClientObject::parse(&self.object),
            &client,
            None,
            &self.keyring,
            self.observed,
            at(now),
        )
    }

    /// One pass: what was due, and the status afterwards.
    fn pass(&mut self, now: i64) -> Step {
        let turn = self.turn(now);
        let published = (!matches!(turn.step, Step::Ask(_))).then(|| Published {
            name: "web-oauth".into(),
            uid: "secret-uid".into(),
            at: Some(at(0)),
        });
        let status = status(
            &ClientObject::parse(&self.object),
            None,
            published,
            &Ok(()),
            &turn,
            at(now),
        );
        self.object.status = Some(status);
        turn.step
    }

    fn request(&mut self, id: &str) {
        let rotation = self.object.spec.rotation.get_or_insert_default();
        rotation.request_id = Some(id.to_owned());
    }

    fn status(&self) -> &OAuthClientStatus {
        self.object.status.as_ref().unwrap()
    }

    fn ledger(&self) -> (i64, i64, i64) {
        let ledger = self.status().secret_generation.as_ref().unwrap();
        (ledger.requested, ledger.published, ledger.oldest_accepted)
    }

    /// Rotates by request within a second.
    fn rotate(&mut self, id: &str, now: i64) {
        self.request(id);
        assert_eq!(self.pass(now), Step::Ask(Cause::Requested));
        assert_eq!(self.pass(now), Step::Publish);
    }
}

#[test]
fn a_request_is_answered_once_and_in_the_status_that_asks_for_the_generation() {
    let mut life = Life::begin(&json!({}));
    life.request("one");
    assert_eq!(life.pass(10), Step::Ask(Cause::Requested));
    let rotation = life.status().rotation.clone().unwrap();
    assert_eq!(rotation.last_handled_request_id.as_deref(), Some("one"));
    assert_eq!(life.ledger(), (2, 1, 1));
    // A crash here, and whatever is applied again, rotates nothing twice.
    life.request("one");
    assert_eq!(life.pass(11), Step::Publish);
    assert_eq!(life.ledger(), (2, 2, 1));
    assert!(matches!(life.pass(12), Step::Rest(Some(_))));
    let at_rest = life.status().clone();
    life.pass(13);
    assert_eq!(*life.status(), at_rest, "nothing is written at rest");
}

#[test]
fn the_first_secret_answers_what_was_asked_for_before_it() {
    let life = Life::begin(&json!({ "requestId": "one" }));
    let rotation = life.status().rotation.clone().unwrap();
    assert_eq!(rotation.last_handled_request_id.as_deref(), Some("one"));
    assert_eq!(
        (life.ledger(), life.turn(1).step),
        ((1, 1, 1), Step::Rest(None))
    );
}

#[test]
fn without_overlap_the_record_of_the_new_secret_retires_the_old_one() {
    let mut life = Life::begin(&json!({ "maxOverlap": "0s" }));
    life.rotate("leak", 10);
    assert_eq!(life.ledger(), (2, 2, 2));
    let record = life.status().secret_generation.as_ref().unwrap();
    assert_eq!(record.overlap, None);
    assert_eq!(record.published_at.as_ref().unwrap().0, at(10));
}

#[test]
fn each_generation_has_its_own_longest_overlap() {
    let mut life = Life::begin(&json!({ "maxOverlap": "100s", "quietPeriod": "100s" }));
    life.rotate("one", 10);
    life.rotate("two", 60);
    assert_eq!(life.ledger(), (3, 3, 1));
    assert!(matches!(life.pass(109), Step::Rest(_)));
    assert_eq!(life.pass(110), Step::Retire(2, End::Expired));
    assert_eq!(
        life.ledger(),
        (3, 3, 2),
        "the second has worked on for 50 s"
    );
    let overlap = |life: &Life| life.status().secret_generation.clone().unwrap().overlap;
    assert_eq!(overlap(&life).unwrap().retires_at.0, at(160));
    assert_eq!(life.pass(160), Step::Retire(3, End::Expired));
    assert_eq!((life.ledger(), overlap(&life)), ((3, 3, 3), None));
}

#[test]
fn the_status_tells_within_the_hour_when_the_old_secret_was_used() {
    let mut life = Life::begin(&json!({}));
    life.rotate("one", 10);
    life.observed = Some(Observed {
        since: at(0),
        until: at(7000),
        old: Some(at(5000)),
        new: None,
    });
    life.pass(7000);
    let last_used = |life: &Life| {
        let overlap = life.status().secret_generation.clone().unwrap().overlap;
        overlap.unwrap().last_used.map(|time| time.0)
    };
    assert_eq!(last_used(&life), Some(at(3600)));
    // What a restart has yet to learn is not forgotten, and nothing is written for it.
    let told = life.status().clone();
    life.observed = None;
    life.pass(7001);
    assert_eq!(*life.status(), told);
}

#[test]
fn a_generation_stays_with_its_root_key_and_the_next_one_moves() {
    let mut life = Life::begin(&json!({}));
    let key = |id, byte| RootKey::new(id, &[byte; 32]).unwrap();
    let both = || vec![key("testkey1", 7), key("testkey2", 8)];
    life.keyring = Keyring::new("testkey2", both()).unwrap();
    let keys = |life: &Life| {
        let record = life.status().secret_generation.clone().unwrap();
        (record.root_key.unwrap(), record.older_root_keys)
    };
    assert_eq!(life.turn(5).root_key.as_deref(), Some("testkey1"));
    assert_eq!(life.pass(5), Step::Ask(Cause::RootKeyRotated));
    let moving = ("testkey2".to_owned(), vec!["testkey1".to_owned()]);
    assert_eq!(keys(&life), moving);
    assert_eq!(life.pass(6), Step::Publish);
    assert_eq!((life.ledger(), keys(&life)), ((2, 2, 1), moving));
    // The former key is withdrawn in the middle of the overlap: nothing of it works, and the ledger says so.
    life.keyring = Keyring::new("testkey2", both().split_off(1)).unwrap();
    life.pass(7);
    assert_eq!(life.ledger(), (2, 2, 2));
    assert_eq!(keys(&life), ("testkey2".to_owned(), vec![]));
    // So is the other one.
    life.keyring = Keyring::new("testkey3", vec![key("testkey3", 9)]).unwrap();
    assert_eq!(life.pass(8), Step::Ask(Cause::RootKeyWithdrawn));
    assert_eq!(life.pass(9), Step::Publish);
    assert_eq!(life.ledger(), (3, 3, 3));
}

fn refused(spec: Value) -> bool {
    let verdict = judged(&object("web", spec), &generous());
    verdict.is_err_and(|refusal| refusal.reason == Reason::InvalidSpec)
}

#[test]
fn what_the_api_server_refuses_is_refused_here_too() {
    for rotation in [
        json!({ "every": "59m", "maxOverlap": "1m" }),
        json!({ "every": "168h" }),
        json!({ "quietPeriod": "2h", "maxOverlap": "1h" }),
        json!({ "quietPeriod": "0s" }),
        json!({ "maxOverlap": "9000h" }),
        json!({ "maxOverlap": "7d" }),
    ] {
        assert!(refused(json!({ "rotation": rotation })), "{rotation}");
    }
}

#[test]
fn f72_a_rotation_that_could_do_nothing_is_refused_here_too() {
    let key = json!({ "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" });
    let by_key = json!({ "jwks": { "keys": [key] } });
    let by_account = json!({ "serviceAccounts": [{ "name": "web" }] });
    for (method, mut spec) in [("private_key_jwt", by_key), ("service_account", by_account)] {
        spec["rotation"] = json!({ "every": "720h" });
        assert!(!refused(spec.clone()), "the secret works beside {method}");
        spec["tokenEndpointAuthMethod"] = json!(method);
        assert!(refused(spec.clone()), "{method}");
        spec["rotation"] = Value::Null;
        assert!(!refused(spec), "{method}");
    }
    let uri = ["https://a.example/cb"];
    for spec in [
        json!({ "type": "Public", "redirectUris": uri, "rotation": {} }),
        json!({ "secretRef": { "name": "mine" }, "rotation": { "requestId": "one" } }),
    ] {
        assert!(refused(spec.clone()), "{spec}");
    }
}

#[test]
fn a_client_without_a_derived_secret_is_not_said_to_have_a_rotation_in_progress() {
    let mut life = Life::begin(&json!({}));
    life.rotate("one", 10);
    let message = |spec: Value| {
        let mut object = object("web", spec);
        object.status = life.object.status.clone();
        let client = judged(&object, &generous()).unwrap();
        let published = Some(Published {
            name: "web-oauth".into(),
            uid: "secret-uid".into(),
            at: Some(at(10)),
        });
        let registered = Some((&client, "https://id.example"));
        let status = status(
            &ClientObject::parse(&object),
            registered,
            published,
            &Ok(()),
            &RotationStep::default(),
            at(20),
        );
        status.conditions[0].message.clone()
    };
    let clause = "the old client secret works until";
    assert!(message(json!({})).contains(clause));
    let secretless = json!({ "tokenEndpointAuthMethod": "service_account", "serviceAccounts": [{ "name": "web" }] });
    let public = json!({ "type": "Public", "redirectUris": ["https://a.example/cb"] });
    for spec in [public, secretless] {
        let message = message(spec);
        assert!(!message.contains("rotation"), "{message}");
    }
}
