//! A map whose copies share what they have in common: a copy is free, and a change of a copy copies the path to it.
//!
//! A hash trie: a branch has sixteen children, chosen by four bits of the hash of the key; a leaf has a few entries.
//! Nodes that no other map has are changed in place, so a map that is being filled is copied nowhere.

use std::borrow::Borrow;
use std::collections::hash_map::RandomState;
use std::fmt;
use std::hash::{BuildHasher, Hash};
use std::ops::Index;
use std::sync::Arc;

/// How many bits of the hash choose a child.
const BITS: u32 = 4;
const CHILDREN: usize = 1 << BITS;
/// The most entries of a leaf, but for those whose hashes are equal.
const LEAF: usize = 12;

/// An entry with the hash of its key.
type Entry<K, V> = (u64, K, V);

enum Node<K, V> {
    Leaf(Arc<Vec<Entry<K, V>>>),
    Branch(Arc<[Node<K, V>; CHILDREN]>),
}

impl<K, V> Clone for Node<K, V> {
    fn clone(&self) -> Self {
        match self {
            Self::Leaf(entries) => Self::Leaf(entries.clone()),
            Self::Branch(children) => Self::Branch(children.clone()),
        }
    }
}

impl<K, V> Default for Node<K, V> {
    fn default() -> Self {
        Self::Leaf(Arc::default())
    }
}

/// A map whose copies share what they have in common.
pub struct SharedMap<K, V> {
    root: Node<K, V>,
    len: usize,
    hasher: RandomState,
}

impl<K, V> Clone for SharedMap<K, V> {
    fn clone(&self) -> Self {
        Self {
            root: self.root.clone(),
            len: self.len,
            hasher: self.hasher.clone(),
        }
    }
}

impl<K, V> Default for SharedMap<K, V> {
    fn default() -> Self {
        Self {
            root: Node::default(),
            len: 0,
            hasher: RandomState::default(),
        }
    }
}

impl<K, V> SharedMap<K, V> {
    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The entries, in no order.
    pub fn iter(&self) -> Iter<'_, K, V> {
        Iter {
            branches: vec![std::slice::from_ref(&self.root).iter()],
            leaf: [].iter(),
        }
    }

    /// The keys, in no order.
    pub fn keys(&self) -> impl Iterator<Item = &K> {
        self.iter().map(|(key, _)| key)
    }

    /// The values, in no order.
    pub fn values(&self) -> impl Iterator<Item = &V> {
        self.iter().map(|(_, value)| value)
    }
}

impl<K: Hash + Eq, V> SharedMap<K, V> {
    /// The value of a key.
    pub fn get<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        let hash = self.hasher.hash_one(key);
        let (mut node, mut rest) = (&self.root, hash);
        loop {
            match node {
                Node::Branch(children) => {
                    node = &children[child(rest)];
                    rest >>= BITS;
                }
                Node::Leaf(entries) => {
                    let found = entries
                        .iter()
                        .find(|(h, k, _)| *h == hash && k.borrow() == key);
                    return found.map(|(_, _, value)| value);
                }
            }
        }
    }

    /// Whether there is a value of a key.
    pub fn contains_key<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.get(key).is_some()
    }
}

impl<K: Hash + Eq + Clone, V: Clone> SharedMap<K, V> {
    /// Sets the value of a key. Returns what it was.
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        let hash = self.hasher.hash_one(&key);
        let before = insert(&mut self.root, (hash, key, value), 0);
        self.len += usize::from(before.is_none());
        before
    }

    /// Removes a key. Returns what its value was.
    pub fn remove<Q: Hash + Eq + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        // Else the path to it would be copied in vain.
        self.get(key)?;
        let hash = self.hasher.hash_one(key);
        let before = remove(&mut self.root, hash, hash, key);
        self.len -= usize::from(before.is_some());
        before
    }
}

/// Which child the next bits of a hash choose.
fn child(rest: u64) -> usize {
    // Four bits.
    usize::try_from(rest % CHILDREN as u64).unwrap_or_default()
}

/// Inserts below a node at which this number of bits of the hash was used.
fn insert<K: Eq + Clone, V: Clone>(
    node: &mut Node<K, V>,
    entry: Entry<K, V>,
    used: u32,
) -> Option<V> {
    let entries = match node {
        Node::Branch(children) => {
            let at = child(entry.0 >> used);
            return insert(&mut Arc::make_mut(children)[at], entry, used + BITS);
        }
        Node::Leaf(entries) => entries,
    };
    let known = entries
        .iter()
        .position(|(hash, key, _)| *hash == entry.0 && *key == entry.1);
    if let Some(at) = known {
        let value = &mut Arc::make_mut(entries)[at].2;
        return Some(std::mem::replace(value, entry.2));
    }
    if entries.len() < LEAF || used + BITS > u64::BITS {
        Arc::make_mut(entries).push(entry);
        return None;
    }
    let mut children: [Node<K, V>; CHILDREN] = Default::default();
    let all = Arc::unwrap_or_clone(std::mem::take(entries));
    for entry in all.into_iter().chain([entry]) {
        let at = child(entry.0 >> used);
        insert(&mut children[at], entry, used + BITS);
    }
    *node = Node::Branch(Arc::new(children));
    None
}

fn remove<K, V, Q>(node: &mut Node<K, V>, hash: u64, rest: u64, key: &Q) -> Option<V>
where
    K: Borrow<Q> + Eq + Clone,
    V: Clone,
    Q: Eq + ?Sized,
{
    match node {
        Node::Branch(children) => {
            let children = Arc::make_mut(children);
            let before = remove(&mut children[child(rest)], hash, rest >> BITS, key);
            if children.iter().all(Node::is_empty) {
                *node = Node::default();
            }
            before
        }
        Node::Leaf(entries) => {
            let mut each = entries.iter();
            let at = each.position(|(h, k, _)| *h == hash && k.borrow() == key)?;
            Some(Arc::make_mut(entries).swap_remove(at).2)
        }
    }
}

impl<K, V> Node<K, V> {
    fn is_empty(&self) -> bool {
        matches!(self, Self::Leaf(entries) if entries.is_empty())
    }
}

/// The entries of a map.
pub struct Iter<'m, K, V> {
    branches: Vec<std::slice::Iter<'m, Node<K, V>>>,
    leaf: std::slice::Iter<'m, Entry<K, V>>,
}

impl<'m, K, V> Iterator for Iter<'m, K, V> {
    type Item = (&'m K, &'m V);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some((_, key, value)) = self.leaf.next() {
                return Some((key, value));
            }
            match self.branches.last_mut()?.next() {
                None => drop(self.branches.pop()),
                Some(Node::Branch(children)) => self.branches.push(children.iter()),
                Some(Node::Leaf(entries)) => self.leaf = entries.iter(),
            }
        }
    }
}

impl<'m, K, V> IntoIterator for &'m SharedMap<K, V> {
    type Item = (&'m K, &'m V);
    type IntoIter = Iter<'m, K, V>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<K: Hash + Eq + Clone, V: Clone> Extend<(K, V)> for SharedMap<K, V> {
    fn extend<T: IntoIterator<Item = (K, V)>>(&mut self, entries: T) {
        for (key, value) in entries {
            self.insert(key, value);
        }
    }
}

impl<K: Hash + Eq + Clone, V: Clone> FromIterator<(K, V)> for SharedMap<K, V> {
    fn from_iter<T: IntoIterator<Item = (K, V)>>(entries: T) -> Self {
        let mut map = Self::default();
        map.extend(entries);
        map
    }
}

impl<K: Hash + Eq + Clone, V: Clone, const N: usize> From<[(K, V); N]> for SharedMap<K, V> {
    fn from(entries: [(K, V); N]) -> Self {
        entries.into_iter().collect()
    }
}

impl<K: Hash + Eq + Borrow<Q>, V, Q: Hash + Eq + ?Sized> Index<&Q> for SharedMap<K, V> {
    type Output = V;

    fn index(&self, key: &Q) -> &V {
        self.get(key).expect("the map has the key")
    }
}

impl<K: Hash + Eq, V: PartialEq> PartialEq for SharedMap<K, V> {
    fn eq(&self, other: &Self) -> bool {
        self.len == other.len
            && self
                .iter()
                .all(|(key, value)| other.get(key) == Some(value))
    }
}

impl<K: fmt::Debug, V: fmt::Debug> fmt::Debug for SharedMap<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests;
