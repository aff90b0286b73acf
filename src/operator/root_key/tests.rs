use std::collections::BTreeMap;

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;

use crate::root_key::rotate::Place;
use crate::root_key::{RootKeyJudgement, fresh, judge};

const PLACE: Place<'_> = Place {
    namespace: "ns",
    name: "root",
};

fn marks(secret: &Secret) -> BTreeMap<String, String> {
    match judge(PLACE, Some(secret), &BTreeMap::new(), false) {
        RootKeyJudgement::Usable(_, marks) => marks,
        _ => panic!("a fresh key is usable"),
    }
}

fn outcome(
    secret: Option<&Secret>,
    marks: &BTreeMap<String, String>,
    issued: bool,
) -> &'static str {
    match judge(PLACE, secret, marks, issued) {
        RootKeyJudgement::FirstStart => "make a key",
        RootKeyJudgement::Usable(_, new) if new.is_empty() => "use",
        RootKeyJudgement::Usable(..) => "record and use",
        RootKeyJudgement::Refuse(sentence) => {
            for remedy in [
                "restore it from a backup",
                "kubectl -n ns delete secret root ",
                "clientele root-key --namespace ns --name root |",
            ] {
                assert!(sentence.contains(remedy), "{sentence}");
            }
            "refuse"
        }
    }
}

#[test]
fn a_key_is_made_only_when_nothing_was_ever_issued() {
    let none = BTreeMap::new();
    let recorded = marks(&fresh("ns", "root").unwrap());
    assert_eq!(outcome(None, &none, false), "make a key");
    assert_eq!(outcome(None, &none, true), "refuse");
    assert_eq!(outcome(None, &recorded, false), "refuse");
    assert_eq!(outcome(None, &recorded, true), "refuse");
}

#[test]
fn the_recorded_key_is_used_and_another_is_refused() {
    let (own, other) = (fresh("ns", "root").unwrap(), fresh("ns", "root").unwrap());
    assert_eq!(
        outcome(Some(&own), &BTreeMap::new(), true),
        "record and use"
    );
    assert_eq!(outcome(Some(&own), &marks(&own), true), "use");
    assert_eq!(outcome(Some(&other), &marks(&own), true), "refuse");
}

#[test]
fn the_same_name_with_other_bytes_is_refused() {
    let own = fresh("ns", "root").unwrap();
    let mut forged = own.clone();
    for (name, value) in forged.data.as_mut().unwrap() {
        if name != "current" {
            *value = ByteString(vec![1; 32]);
        }
    }
    assert_eq!(outcome(Some(&forged), &marks(&own), true), "refuse");
}

#[test]
fn a_keyring_that_gained_a_key_is_used() {
    let (own, new) = (fresh("ns", "root").unwrap(), fresh("ns", "root").unwrap());
    let mut both = own.clone();
    both.data.as_mut().unwrap().extend(new.data.unwrap());
    assert_eq!(outcome(Some(&both), &marks(&own), true), "record and use");
}

#[test]
fn a_damaged_keyring_is_refused() {
    let own = fresh("ns", "root").unwrap();
    let damaged = |change: fn(&mut BTreeMap<String, ByteString>)| {
        let mut secret = own.clone();
        change(secret.data.as_mut().unwrap());
        outcome(Some(&secret), &BTreeMap::new(), false)
    };
    assert_eq!(damaged(BTreeMap::clear), "refuse");
    assert_eq!(damaged(|data| drop(data.remove("current"))), "refuse");
    assert_eq!(
        damaged(|data| drop(data.insert("current".into(), ByteString(b"nobody00".to_vec())))),
        "refuse"
    );
    assert_eq!(
        damaged(|data| drop(data.insert("short000".into(), ByteString(vec![1; 16])))),
        "refuse"
    );
    assert_eq!(
        damaged(|data| drop(data.insert("Bad-Name".into(), ByteString(vec![1; 32])))),
        "refuse"
    );
}

#[test]
fn a_key_that_was_withdrawn_is_passed_over_and_never_derives_again() {
    let (old, new) = (fresh("ns", "root").unwrap(), fresh("ns", "root").unwrap());
    let mut known = marks(&old);
    known.extend(marks(&new));
    for (mark, fingerprint) in marks(&old) {
        let id = mark.strip_prefix("root-key.").unwrap();
        known.insert(format!("withdrawn-root-key.{id}"), fingerprint);
    }
    // It need not be there, and if it is, it verifies nothing.
    assert_eq!(outcome(Some(&new), &known, true), "use");
    let mut both = old.clone();
    both.data
        .as_mut()
        .unwrap()
        .extend(new.data.clone().unwrap());
    let RootKeyJudgement::Usable(keyring, _) = judge(PLACE, Some(&both), &known, true) else {
        panic!("the other one is usable")
    };
    assert_eq!(keyring.keys().len(), 1);
    // A backup from before brings nothing back.
    assert_eq!(outcome(Some(&old), &known, true), "refuse");
}
