//! Random objects: the program's own validation admits what the API server admits, and nothing else.
//!
//! Each object is a valid one with one or two fields replaced by values from a table; every value is tried. The API server judges it by a dry
//! run, the program as if it had been stored with admission bypassed. They must agree on every rule that the object alone
//! decides. What depends on other objects ends in a condition with another reason.

mod client;
mod tenant;
mod user;

use std::collections::BTreeMap;

use serde_json::Value;

use crate::support::judge::Judgement;
use crate::support::test_namespace::{TestNamespace, dry_run_raw};

/// Another seed plays other pairs.
const SEED: u64 = 1;
/// How many objects of each kind have two random fields.
const PAIRS: usize = 300;

/// A kind, its valid objects, and values for its fields.
struct Kind {
    plural: &'static str,
    kind: &'static str,
    namespaced: bool,
    valid: fn() -> Vec<Value>,
    fields: fn() -> Vec<(&'static str, Vec<Value>)>,
    judge: fn(Value) -> Judgement,
    /// Parts of messages of rules that the API server cannot judge.
    program_only: &'static [&'static str],
}

/// A sequence of numbers that follows from a seed (splitmix64).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((z ^ (z >> 31)) % bound as u64).unwrap()
    }

    fn one<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())].clone()
    }
}

/// Every value by itself, in turn on each of the valid objects, and random pairs of values.
fn specs(
    valid: &[Value],
    fields: &[(&'static str, Vec<Value>)],
    numbers: &mut Numbers,
) -> Vec<Value> {
    let values = fields
        .iter()
        .flat_map(|(field, values)| values.iter().map(move |value| (*field, value)));
    let mut specs: Vec<Value> = values
        .zip(valid.iter().cycle())
        .map(|((field, value), valid)| {
            let mut spec = valid.clone();
            spec[field] = value.clone();
            spec
        })
        .collect();
    for _ in 0..PAIRS {
        let mut spec = numbers.one(valid);
        for _ in 0..2 {
            let (field, values) = numbers.one(fields);
            spec[field] = numbers.one(&values);
        }
        specs.push(spec);
    }
    specs
}

/// Plays the kind; panics with every disagreement.
async fn agree(kind: Kind) {
    let mut numbers = Numbers(SEED);
    let space = TestNamespace::new("agreement").await;
    let (valid, fields) = ((kind.valid)(), (kind.fields)());
    let (mut accepted, mut disagreements) = (0, BTreeMap::new());
    let every = specs(&valid, &fields, &mut numbers);
    let objects = every.len();
    let namespace = format!("namespaces/{}/", space.name);
    let place = if kind.namespaced { &*namespace } else { "" };
    let path = format!("/apis/clientele.dev/v1alpha1/{place}{}", kind.plural);
    for (number, spec) in every.into_iter().enumerate() {
        let mut object = serde_json::json!({
            "apiVersion": "clientele.dev/v1alpha1",
            "kind": kind.kind,
            "metadata": { "name": format!("object-{number}"), "uid": "0f8fad5b-d9cb-469f-a165-70867728950e" },
            "spec": spec,
        });
        if kind.namespaced {
            object["metadata"]["namespace"] = space.name.as_str().into();
        }
        let admitted = dry_run_raw(&space.kube, &path, &object).await;
        accepted += usize::from(admitted.is_ok());
        let name = format!("object-{number}");
        let disagreement = match (admitted, (kind.judge)(object)) {
            (Ok(()), Judgement::Refused(message)) if !is_known(&kind, &message) => {
                format!("only the program refuses it: {message}")
            }
            (Err(message), Judgement::Accepted | Judgement::RefusedByOthers) => {
                let message = message.replace(&name, "…");
                format!("only the API server refuses it: {message}")
            }
            _ => continue,
        };
        // One object for each sentence.
        disagreements.entry(disagreement).or_insert(spec);
    }
    assert!(
        accepted > objects / 10 && accepted < objects * 9 / 10,
        "{accepted} of {objects} were accepted: too few or too many to compare"
    );
    assert!(
        disagreements.is_empty(),
        "seed {SEED}: {} disagreements:\n{}",
        disagreements.len(),
        disagreements
            .iter()
            .map(|(disagreement, spec)| format!("{disagreement}\n    {spec:.400}"))
            .collect::<Vec<_>>()
            .join("\n")
    );
}

fn is_known(kind: &Kind, message: &str) -> bool {
    kind.program_only.iter().any(|part| message.contains(part))
}
