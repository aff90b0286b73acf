use std::sync::Arc;

use clientele_oauth::keys::root_keyring::RootKey;
use clientele_oauth::user::PasswordHash;
use clientele_oauth::{Keyring, User};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::domain::reason::Refusal;
use crate::domain::user::password::{Fingerprint, Found, Hash, Password};
use crate::domain::user::validate::{UserInputs, ValidatedUser, prune_user, validate_user};
use crate::tests::{generous, keyring, namespace, user};

/// Circumstances that can be changed one at a time.
struct Around {
    space: &'static str,
    tenant_uid: &'static str,
    username_holder: Option<&'static str>,
    subject_holder: Option<&'static str>,
    password: Option<Found>,
    keyring: Keyring,
}

impl Default for Around {
    fn default() -> Self {
        Self {
            space: "team-a",
            tenant_uid: "uid-of-tenant",
            username_holder: None,
            subject_holder: None,
            password: None,
            keyring: keyring(),
        }
    }
}

impl Around {
    fn validate_user(&self, spec: Value) -> Result<ValidatedUser, Refusal> {
        let mut object = user("alice", spec);
        object.metadata.namespace = Some(self.space.to_owned());
        let tenant = generous();
        validate_user(
            &object,
            UserInputs {
                tenant: Some((&tenant, self.tenant_uid)),
                namespace: &namespace(self.space),
                username_holder: self.username_holder,
                subject_holder: self.subject_holder,
                password: self.password.as_ref(),
                keyring: &self.keyring,
                valid_from: Timestamp::UNIX_EPOCH,
            },
        )
    }

    fn person(&self, spec: Value) -> User {
        self.validate_user(spec).unwrap().person
    }

    /// With this password.
    fn knowing(hash: Hash, fingerprint: u8) -> Self {
        let fingerprint = Fingerprint([fingerprint; 32]);
        Self {
            password: Some(Found::Known(Arc::new(Password { fingerprint, hash }))),
            ..Self::default()
        }
    }
}

fn alice() -> Value {
    json!({ "username": "alice", "passwordSecretRef": { "name": "alice", "key": "password" } })
}

fn hash() -> PasswordHash {
    PasswordHash("$argon2id$".into())
}

#[test]
fn a_person_has_the_claims_of_the_fields_and_the_free_ones() {
    let person = Around::default().person(json!({
        "username": "alice", "name": "Alice", "email": "alice@example.com", "emailVerified": true,
        "groups": ["staff"], "claims": { "locale": "de", "department": { "id": 7 } },
    }));
    assert_eq!(
        Value::Object(person.claims),
        json!({
            "preferred_username": "alice", "name": "Alice", "email": "alice@example.com", "email_verified": true,
            "locale": "de", "department": { "id": 7 },
        })
    );
    assert_eq!(*person.groups, ["staff".into()]);
    assert!(person.password.is_none() && !person.disabled);
    assert_eq!(&*person.uid, "uid-of-alice");
}

#[test]
fn n02_email_verified_is_said_only_when_the_manifest_states_it() {
    let claims = |verified: Value| {
        let mut spec = json!({ "username": "alice", "email": "alice@example.com" });
        if !verified.is_null() {
            spec["emailVerified"] = verified;
        }
        Around::default().person(spec).claims
    };
    assert_eq!(claims(json!(null)).get("email_verified"), None);
    for stated in [true, false] {
        assert_eq!(claims(json!(stated))["email_verified"], stated);
    }
    let without = json!({ "username": "alice", "emailVerified": true });
    let without = Around::default().person(without).claims;
    assert_eq!(without.get("email_verified"), None, "there is no address");
}

fn many(letter: &str, count: usize) -> Vec<String> {
    (0..count)
        .map(|n| format!("{}{n}", letter.repeat(100)))
        .collect()
}

#[test]
fn f15_a_recreated_person_or_tenant_is_somebody_else() {
    let around = Around::default();
    let before = around.person(alice());
    assert!(before.subject.starts_with("usr:"));
    assert_eq!(before.subject, around.person(alice()).subject);
    let tenant_uid = "uid-of-a-later-tenant";
    let after = Around {
        tenant_uid,
        ..Around::default()
    };
    assert_ne!(before.subject, after.person(alice()).subject);
}

#[test]
fn a_brought_subject_is_kept() {
    let spec = json!({ "username": "alice", "subject": "b7e0c1d2" });
    assert_eq!(&*Around::default().person(spec).subject, "b7e0c1d2");
}

#[test]
fn f09_another_password_is_another_credential_and_the_same_one_is_the_same() {
    let credential = |hash: Hash, fingerprint| {
        let around = Around::knowing(hash, fingerprint);
        around.person(alice()).credential
    };
    let before = credential(Hash::Ready(hash()), 1);
    assert_ne!(before, credential(Hash::Ready(hash()), 2));
    let salted_anew = Hash::Ready(PasswordHash("$argon2id$v=19$other".into()));
    assert_eq!(before, credential(salted_anew, 1), "as after a restart");
    assert_eq!(before, credential(Hash::Pending, 1), "while it is hashed");
    let none = Around::default().person(json!({ "username": "alice" }));
    assert_ne!(before, none.credential);
}

#[test]
fn two_people_with_one_password_have_two_credentials() {
    let around = Around::knowing(Hash::Ready(hash()), 1);
    let mut bob = user("bob", alice());
    bob.metadata.namespace = Some("team-a".into());
    let tenant = generous();
    let bob = validate_user(
        &bob,
        UserInputs {
            tenant: Some((&tenant, "uid-of-tenant")),
            namespace: &namespace("team-a"),
            username_holder: None,
            subject_holder: None,
            password: around.password.as_ref(),
            keyring: &around.keyring,
            valid_from: Timestamp::UNIX_EPOCH,
        },
    );
    let bob = bob.unwrap().person;
    assert_ne!(around.person(alice()).credential, bob.credential);
}

#[test]
fn the_credential_says_nothing_without_the_root_key() {
    let here = Around::knowing(Hash::Ready(hash()), 1);
    let key = RootKey::new("testkey2", &[8; 32]).unwrap();
    let elsewhere = Around {
        keyring: Keyring::new("testkey2", vec![key]).unwrap(),
        ..Around::knowing(Hash::Ready(hash()), 1)
    };
    let (here, elsewhere) = (here.person(alice()), elsewhere.person(alice()));
    assert_ne!(here.credential, elsewhere.credential);
}

#[test]
fn while_a_password_is_hashed_nobody_signs_in_and_nobody_is_refused() {
    let enrolled = Around::knowing(Hash::Pending, 1)
        .validate_user(alice())
        .unwrap();
    assert!(enrolled.pending && enrolled.person.password.is_none());
}

#[test]
fn what_only_the_surroundings_know_is_refused_with_its_reason() {
    let found = |found| Around {
        password: Some(found),
        ..Around::default()
    };
    let around = Around::default;
    let subject = json!({ "username": "alice", "subject": "b7e0" });
    let table = [
        (
            Around {
                space: "team-b",
                ..around()
            },
            alice(),
            "NamespaceNotAllowed",
        ),
        (
            Around {
                username_holder: Some("OAuthUser a/b"),
                ..around()
            },
            alice(),
            "UsernameConflict",
        ),
        (
            Around {
                subject_holder: Some("OAuthClient a/b"),
                ..around()
            },
            subject,
            "SubjectConflict",
        ),
        (
            found(Found::Denied("no".into())),
            alice(),
            "NamespaceNotEnabled",
        ),
        (found(Found::NoSecret), alice(), "PasswordSecretNotFound"),
        (found(Found::NoEntry), alice(), "PasswordInvalid"),
        (
            Around::knowing(Hash::Unusable("is empty"), 1),
            alice(),
            "PasswordInvalid",
        ),
    ];
    for (around, spec, reason) in table {
        let refusal = around.validate_user(spec).unwrap_err();
        assert_eq!(refusal.reason.as_str(), reason);
        assert!(refusal.message.len() > 20 || reason == "NamespaceNotEnabled");
    }
    let nowhere = validate_user(
        &user("alice", alice()),
        UserInputs {
            tenant: None,
            namespace: &namespace("team-a"),
            username_holder: None,
            subject_holder: None,
            password: None,
            keyring: &keyring(),
            valid_from: Timestamp::UNIX_EPOCH,
        },
    );
    assert_eq!(nowhere.unwrap_err().reason.as_str(), "TenantNotFound");
}

#[test]
fn what_admission_would_have_refused_is_refused_here_too() {
    for spec in [
        json!({ "username": "" }),
        json!({ "username": "Alice" }),
        json!({ "username": "a b" }),
        json!({ "username": "-alice" }),
        json!({ "username": "a".repeat(129) }),
        json!({ "username": "alice", "groups": ["system:masters"] }),
        json!({ "username": "alice", "groups": ["System:Masters"] }),
        json!({ "username": "alice", "groups": ["a\nb"] }),
        json!({ "username": "alice", "subject": "team-a.web" }),
        json!({ "username": "alice", "subject": "system:admin" }),
        json!({ "username": "alice", "subject": "USR:AAAA" }),
        json!({ "username": "alice", "subject": "https://id.example" }),
        json!({ "username": "alice", "subject": "HTTPS://ID.example:443/t/other" }),
        json!({ "username": "alice", "claims": { "sub": "root" } }),
        json!({ "username": "alice", "claims": { "groups": ["root"] } }),
        json!({ "username": "alice", "claims": { "email_verified": true } }),
        json!({ "username": "alice", "claims": { "big": "x".repeat(5 * 1024) } }),
        json!({ "username": "alice", "claims": { "big": "x".repeat(3000) }, "groups": many("x", 64) }),
        json!({ "username": "alice", "claims": { "given_name": 7 } }),
        json!({ "username": "alice", "claims": { "birthdate": "tomorrow" } }),
        json!({ "username": "alice", "claims": { "address": "somewhere" } }),
    ] {
        let refusal = Around::default().validate_user(spec.clone()).unwrap_err();
        assert_eq!(refusal.reason.as_str(), "InvalidSpec", "{spec}");
    }
}

#[test]
fn k13_claims_that_are_too_long_are_refused_and_not_kept() {
    let claiming = |length: usize| {
        let claims = json!({ "essay": "x".repeat(length), "groups_of": ["x"] });
        user("alice", json!({ "username": "alice", "claims": claims }))
    };
    let fine = claiming(5_000);
    assert_eq!(prune_user(fine.clone()).spec, fine.spec);
    let kept = prune_user(claiming(1_000_000));
    let text = serde_json::to_string(&kept).unwrap();
    assert!(text.len() < 10_000 && !text.contains("xx"));
    let spec = serde_json::to_value(&kept.spec).unwrap();
    let refusal = Around::default().validate_user(spec).unwrap_err();
    assert!(refusal.message.contains("5120"), "{}", refusal.message);
}

#[test]
fn f91_claims_that_are_nested_too_deep_are_refused() {
    let nested = |depth| (0..depth).fold(json!("fine"), |inner, _| json!([inner]));
    let claiming = |claim: Value| json!({ "username": "alice", "claims": { "tree": claim } });
    Around::default().person(claiming(nested(16)));
    for deep in [nested(17), json!({ "b": nested(16) })] {
        let refusal = Around::default().validate_user(claiming(deep)).unwrap_err();
        assert!(refusal.message.contains("flatten"), "{}", refusal.message);
    }
}

#[test]
fn who_is_disabled_is_a_person_nobody_can_be() {
    let person = Around::default().person(json!({ "username": "alice", "disabled": true }));
    assert!(person.disabled);
    assert!(!person.stands_by(&person.credential, Timestamp::MAX));
}

#[test]
fn who_signed_in_before_the_root_key_rotated_is_still_signed_in() {
    let key = |id, byte| RootKey::new(id, &[byte; 32]).unwrap();
    let with = |current, keys| Around {
        keyring: Keyring::new(current, keys).unwrap(),
        ..Around::knowing(Hash::Ready(hash()), 1)
    };
    let before = with("formerk1", vec![key("formerk1", 1)]).person(alice());
    let during = with("currentk", vec![key("formerk1", 1), key("currentk", 2)]).person(alice());
    let after = with("currentk", vec![key("currentk", 2)]).person(alice());
    let now = Timestamp::UNIX_EPOCH;
    assert_ne!(before.credential, during.credential);
    assert!(during.stands_by(&before.credential, now) && during.stands_by(&during.credential, now));
    assert!(!after.stands_by(&before.credential, now) && after.stands_by(&during.credential, now));
    let another = Around {
        keyring: Keyring::new("currentk", vec![key("formerk1", 1), key("currentk", 2)]).unwrap(),
        ..Around::knowing(Hash::Ready(hash()), 2)
    };
    assert!(
        !another.person(alice()).stands_by(&before.credential, now),
        "another password"
    );
}

#[test]
fn the_definition_refuses_exactly_the_claims_that_no_person_is_given() {
    let refused = clientele_api::schema::PROTOCOL_CLAIMS;
    assert_eq!(refused, clientele_oauth::user::claims::OF_THE_PROTOCOL);
}
