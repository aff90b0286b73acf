use std::collections::HashMap;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;

use proptest::prelude::*;

use super::*;

/// A value that counts how often it is cloned.
struct Counted(Arc<AtomicUsize>);

impl Clone for Counted {
    fn clone(&self) -> Self {
        self.0.fetch_add(1, Relaxed);
        Self(self.0.clone())
    }
}

/// How many entries are cloned when one of this many is changed and the former map is still there.
fn clones_per_change(entries: usize) -> usize {
    let clones = Arc::new(AtomicUsize::new(0));
    let value = || Counted(clones.clone());
    let mut map: SharedMap<usize, Counted> = (0..entries).map(|n| (n, value())).collect();
    let changes = 2000;
    let before = clones.load(Relaxed);
    for n in 0..changes {
        let former = map.clone();
        map.insert(n * 7 % entries, value());
        drop(former);
    }
    (clones.load(Relaxed) - before) * 100 / changes
}

#[test]
fn a_change_costs_the_same_in_a_map_ten_times_as_large() {
    let (small, large) = (clones_per_change(1_000), clones_per_change(10_000));
    // A leaf of twelve, of which a few more than half are taken.
    assert!(large <= 1200 && small <= 1200, "{small} and {large} of 100");
}

#[test]
fn a_map_that_no_other_shares_is_filled_without_a_clone() {
    let clones = Arc::new(AtomicUsize::new(0));
    let map: SharedMap<u32, Counted> = (0..5000).map(|n| (n, Counted(clones.clone()))).collect();
    assert_eq!((map.len(), clones.load(Relaxed)), (5000, 0));
}

#[test]
fn a_former_copy_is_what_it_was() {
    let mut map: SharedMap<u32, u32> = (0..1000).map(|n| (n, n)).collect();
    let former = map.clone();
    for n in 0..1000 {
        if n % 3 == 0 {
            map.remove(&n);
        } else {
            map.insert(n, n + 1);
        }
    }
    assert!((0..1000).all(|n| former[&n] == n) && former.len() == 1000);
    assert!((0..1000).all(|n| map.get(&n).copied() == (n % 3 != 0).then_some(n + 1)));
    for n in 0..1000 {
        map.remove(&n);
    }
    assert!(map.is_empty() && map.iter().next().is_none() && map.root.is_empty());
}

/// Equal hashes are no endless way down.
#[test]
fn entries_with_equal_hashes_stay_apart() {
    let mut node: Node<u32, u32> = Node::default();
    for n in 0..100 {
        insert(&mut node, (7, n, n), 0);
    }
    let map = SharedMap {
        root: node,
        len: 100,
        hasher: RandomState::default(),
    };
    let mut known: Vec<u32> = map.values().copied().collect();
    known.sort_unstable();
    assert_eq!(known, (0..100).collect::<Vec<_>>());
}

proptest! {
    #[test]
    fn it_is_the_map_that_std_has(steps in proptest::collection::vec((0_u8..80, any::<Option<u8>>()), 0..400)) {
        let (mut ours, mut theirs) = (SharedMap::default(), HashMap::new());
        for (key, value) in steps {
            let (a, b) = match value {
                Some(value) => (ours.insert(key, value), theirs.insert(key, value)),
                None => (ours.remove(&key), theirs.remove(&key)),
            };
            prop_assert_eq!(a, b);
        }
        prop_assert_eq!(ours.len(), theirs.len());
        let listed: HashMap<u8, u8> = ours.iter().map(|(k, v)| (*k, *v)).collect();
        prop_assert_eq!(&listed, &theirs);
        let again: SharedMap<u8, u8> = theirs.into_iter().collect();
        prop_assert_eq!(ours, again);
    }
}
