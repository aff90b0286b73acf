//! Derived secrets: against vectors computed elsewhere, and what no secret may ever do.

use std::collections::HashSet;

use proptest::prelude::*;
use serde::Deserialize;

use super::*;
use crate::client::secret::SECRET_LEN;

#[derive(Deserialize)]
struct Vectors {
    vectors: Vec<Vector>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Vector {
    root_key: String,
    key_id: String,
    client_id: String,
    #[serde(rename = "registrationId")]
    client_uid: String,
    generation: u32,
    secret: String,
    namespace: String,
    secret_name: String,
    proof: String,
}

fn from_hex(text: &str) -> Vec<u8> {
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
        .collect()
}

fn keyring(id: &str, bytes: &[u8]) -> Keyring {
    Keyring::new(id, vec![RootKey::new(id, bytes).unwrap()]).unwrap()
}

fn who<'a>(client_id: &'a str, uid: &'a str) -> Registration<'a> {
    Registration {
        client_id,
        client_uid: uid,
    }
}

#[test]
fn secrets_and_proofs_equal_those_computed_by_another_program() {
    let text = include_str!("../../../../docs/client-secret-vectors.json");
    let Vectors { vectors } = serde_json::from_str(text).unwrap();
    assert!(vectors.len() >= 5);
    for v in vectors {
        let keyring = keyring(&v.key_id, &from_hex(&v.root_key));
        let registration = who(&v.client_id, &v.client_uid);
        let secret = keyring.derive(registration, v.generation);
        assert_eq!(secret.expose(), v.secret);
        assert_eq!(secret.expose().len(), SECRET_LEN);
        assert_eq!(
            keyring.verify(registration, v.secret.as_bytes()),
            Some(v.generation)
        );
        let proof = keyring.prove(&v.namespace, &v.secret_name, &v.client_uid);
        assert_eq!(proof, v.proof);
        assert!(keyring.verify_proof(&proof, &v.namespace, &v.secret_name, &v.client_uid));
    }
}

#[test]
fn a_secret_of_a_root_key_that_is_no_longer_live_is_refused() {
    let old = RootKey::new("oldkey01", &[1; 32]).unwrap();
    let before = Keyring::new("oldkey01", vec![old]).unwrap();
    let secret = before.derive(who("a", "b"), 1);
    let both = || {
        vec![
            RootKey::new("oldkey01", &[1; 32]).unwrap(),
            RootKey::new("newkey01", &[2; 32]).unwrap(),
        ]
    };
    let during = Keyring::new("newkey01", both()).unwrap();
    let after = Keyring::new("newkey01", both().split_off(1)).unwrap();
    assert_eq!(
        during.verify(who("a", "b"), secret.expose().as_bytes()),
        Some(1)
    );
    assert_eq!(
        after.verify(who("a", "b"), secret.expose().as_bytes()),
        None
    );
    assert!(
        during
            .derive(who("a", "b"), 1)
            .expose()
            .starts_with("clt_newkey01")
    );
}

#[test]
fn a_root_key_of_the_same_name_with_other_bytes_verifies_nothing() {
    let secret = keyring("samename", &[1; 32]).derive(who("a", "b"), 1);
    let other = keyring("samename", &[2; 32]);
    assert_eq!(
        other.verify(who("a", "b"), secret.expose().as_bytes()),
        None
    );
}

#[test]
fn neither_keyring_nor_secret_prints_what_it_holds() {
    let keyring = keyring("keyid000", b"0123456789abcdef0123456789abcdef");
    let secret = keyring.derive(who("a", "b"), 1);
    let printed = format!("{keyring:?} {secret:?}");
    assert!(!printed.contains(secret.expose()));
    assert!(!printed.contains("0123456789abcdef"));
}

proptest! {
    #[test]
    fn distinct_inputs_give_distinct_secrets(
        inputs in proptest::collection::hash_set((".{0,12}", ".{0,12}", 0u32..4), 1..40),
    ) {
        let keyring = keyring("keyid000", &[7; 32]);
        let secrets: HashSet<String> = inputs
            .iter()
            .map(|(client, registration, generation)| {
                keyring.derive(who(client, registration), *generation).expose().to_owned()
            })
            .collect();
        prop_assert_eq!(secrets.len(), inputs.len());
    }

    /// Length prefixes: moving a character from one input to the next is another registration.
    #[test]
    fn inputs_do_not_run_together(text in "[a-z]{2,20}", cut in 1usize..19) {
        let cut = cut.min(text.len() - 1);
        let keyring = keyring("keyid000", &[7; 32]);
        let secret = keyring.derive(who(&text[..cut], &text[cut..]), 1);
        prop_assert_eq!(keyring.verify(who(&text[..cut - 1], &text[cut - 1..]), secret.expose().as_bytes()), None);
        prop_assert_eq!(keyring.verify(who(&text, ""), secret.expose().as_bytes()), None);
    }

    #[test]
    fn d05_any_change_of_one_character_is_refused(generation in any::<u32>(), at in 0..SECRET_LEN, with in any::<u8>()) {
        let keyring = keyring("keyid000", &[7; 32]);
        let mut secret = keyring.derive(who("a", "b"), generation).expose().as_bytes().to_vec();
        prop_assume!(secret[at] != with);
        secret[at] = with;
        prop_assert_eq!(keyring.verify(who("a", "b"), &secret), None);
    }

    #[test]
    fn a_truncated_or_extended_secret_is_refused(length in 0..SECRET_LEN, more in ".{1,9}") {
        let keyring = keyring("keyid000", &[7; 32]);
        let secret = keyring.derive(who("a", "b"), 1);
        prop_assert_eq!(keyring.verify(who("a", "b"), &secret.expose().as_bytes()[..length]), None);
        let longer = format!("{}{more}", secret.expose());
        prop_assert_eq!(keyring.verify(who("a", "b"), longer.as_bytes()), None);
    }

    #[test]
    fn a_secret_of_another_registration_is_refused(one in ".{1,20}", other in ".{1,20}") {
        prop_assume!(one != other);
        let keyring = keyring("keyid000", &[7; 32]);
        let secret = keyring.derive(who("client", &one), 1);
        prop_assert_eq!(keyring.verify(who("client", &other), secret.expose().as_bytes()), None);
        let secret = keyring.derive(who(&one, "uid"), 1);
        prop_assert_eq!(keyring.verify(who(&other, "uid"), secret.expose().as_bytes()), None);
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = keyring("keyid000", &[7; 32]).verify(who("a", "b"), &bytes);
    }
}

#[test]
fn what_a_key_made_stops_when_it_is_not_among_those_that_stay() {
    let both = || {
        let keys = ["former00", "current0"].map(|id| RootKey::new(id, id.repeat(4).as_bytes()));
        Keyring::new("current0", keys.map(Result::unwrap).into()).unwrap()
    };
    let registration = who("web", "uid");
    let secret = |id| both().under(id).unwrap().derive(registration, 1);
    let works = |ring: &Keyring, id| {
        let secret = secret(id);
        ring.verify(registration, secret.expose().as_bytes())
            .is_some()
    };
    let all = both().only(|_| true).unwrap();
    assert!(all.is_same(&both()) && works(&all, "former00") && works(&all, "current0"));
    let current = both().only(|key| key.id() == "current0").unwrap();
    assert!(!current.is_same(&both()) && !both().is_same(&current));
    assert!(works(&current, "current0") && !works(&current, "former00"));
    assert_eq!(current.current_id(), "current0");
    assert!(both().only(|key| key.id() == "former00").is_none());
}
