use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

const SHARE: WorkerShare = WorkerShare { one: 4, all: 5 };

fn place(namespace: &str, number: usize) -> Place {
    Place {
        namespace: namespace.into(),
        name: format!("client-{number}").into(),
    }
}

fn turns(asked: &[(&str, usize)]) -> FairQueue {
    let mut turns = FairQueue::new(SHARE);
    for (namespace, number) in asked {
        turns.ask(place(namespace, *number));
    }
    turns
}

fn given(turns: &mut FairQueue) -> Option<Place> {
    turns.give().map(|given| given.place)
}

#[test]
fn a_newcomer_has_the_next_turn_however_many_wait_elsewhere() {
    let mut turns = FairQueue::new(SHARE);
    for number in 0..5000 {
        turns.ask(place("hog", number));
    }
    // It has as many workers as it may, and one is left.
    let running: Vec<Place> = std::iter::from_fn(|| given(&mut turns)).collect();
    assert_eq!(running.len(), SHARE.one);
    turns.ask(place("other", 1));
    assert_eq!(given(&mut turns), Some(place("other", 1)));
    assert_eq!(given(&mut turns), None);
    turns.ask(place("other", 2));
    turns.ended(running[0].clone());
    let next: Vec<Place> = std::iter::from_fn(|| given(&mut turns)).collect();
    assert_eq!(next.len(), 1, "there is one worker");
    turns.ended(place("other", 1));
    let after = given(&mut turns).unwrap();
    assert!([&next[0], &after].contains(&&place("other", 2)));
}

#[test]
fn namespaces_take_turns_and_objects_keep_their_order() {
    let mut turns = turns(&[("a", 1), ("a", 2), ("a", 3), ("b", 1), ("c", 1)]);
    let order: Vec<Place> = std::iter::from_fn(|| given(&mut turns)).collect();
    let expected = [("a", 1), ("b", 1), ("c", 1), ("a", 2), ("a", 3)];
    assert_eq!(order, expected.map(|(n, i)| place(n, i)));
}

#[test]
fn who_is_asked_about_during_a_pass_is_passed_over_once_more_and_not_at_the_same_time() {
    let mut turns = turns(&[("a", 1), ("a", 1)]);
    assert_eq!(given(&mut turns), Some(place("a", 1)));
    turns.ask(place("a", 1));
    turns.ask(place("a", 1));
    assert_eq!(given(&mut turns), None);
    assert!(turns.ended(place("a", 1)), "there is another one");
    assert_eq!(given(&mut turns), Some(place("a", 1)));
    assert!(!turns.ended(place("a", 1)));
    // One that was not given.
    assert!(!turns.ended(place("a", 1)));
    assert_eq!(given(&mut turns), None);
    assert!(turns.is_idle() && turns.states.is_empty() && turns.namespaces.is_empty());
}

proptest! {
    /// Whatever is asked and ended in whatever order: no object is lost, none runs twice, and the shares are kept.
    #[test]
    fn nobody_is_lost_and_the_shares_are_kept(acts in proptest::collection::vec((0usize..3, 0usize..4, 0usize..6), 0..300)) {
        let mut turns = FairQueue::new(SHARE);
        let mut running: BTreeSet<Place> = BTreeSet::new();
        let mut owed: BTreeSet<Place> = BTreeSet::new();
        for (act, namespace, number) in acts {
            let place = place(["a", "b", "c", ""][namespace], number);
            match act {
                0 => {
                    owed.insert(place.clone());
                    turns.ask(place);
                }
                1 => {
                    running.remove(&place);
                    turns.ended(place);
                }
                _ => {}
            }
            while let Some(next) = given(&mut turns) {
                owed.remove(&next);
                prop_assert!(running.insert(next), "it runs already");
            }
            let mut each: BTreeMap<&str, usize> = BTreeMap::new();
            for place in &running {
                *each.entry(&place.namespace).or_default() += 1;
            }
            prop_assert!(running.len() <= SHARE.all && each.values().all(|count| *count <= SHARE.one));
        }
        for _ in 0..1000 {
            for place in std::mem::take(&mut running) {
                turns.ended(place);
            }
            while let Some(next) = given(&mut turns) {
                owed.remove(&next);
                running.insert(next);
            }
        }
        prop_assert!(owed.is_empty() && running.is_empty() && turns.is_idle());
    }
}
