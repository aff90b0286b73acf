//! What thousands of objects have in common: of each there is one copy.

use std::borrow::Cow;
use std::collections::HashSet;
use std::hash::Hash;
use std::sync::Arc;

/// How many are kept before those are dropped that no object has any more.
const FEW: usize = 1024;

/// What conditions say beside their message.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct State {
    pub(super) type_: Cow<'static, str>,
    pub(super) status: Cow<'static, str>,
    pub(super) reason: Cow<'static, str>,
}

/// The words and states of which there is one copy.
#[derive(Debug, Default)]
pub struct Words {
    words: Pool<str>,
    states: Pool<State>,
}

impl Words {
    /// The one copy of a word.
    pub fn shared(&mut self, word: &str) -> Arc<str> {
        match self.words.known.get(word) {
            Some(known) => known.clone(),
            None => self.words.insert(word.into()),
        }
    }

    /// The one copy of what a condition says.
    pub(super) fn state(&mut self, state: State) -> Arc<State> {
        match self.states.known.get(&state) {
            Some(known) => known.clone(),
            None => self.states.insert(Arc::new(state)),
        }
    }
}

/// One copy of each. What no object has any more is dropped before there are twice as many as are in use: anyone can write
/// words into a manifest and delete it.
#[derive(Debug)]
struct Pool<T: ?Sized> {
    known: HashSet<Arc<T>>,
    used: usize,
}

impl<T: ?Sized> Default for Pool<T> {
    fn default() -> Self {
        Self {
            known: HashSet::new(),
            used: 0,
        }
    }
}

impl<T: ?Sized + Eq + Hash> Pool<T> {
    fn insert(&mut self, one: Arc<T>) -> Arc<T> {
        if self.known.len() >= (2 * self.used).max(FEW) {
            self.known.retain(|one| Arc::strong_count(one) > 1);
            self.known.shrink_to(FEW);
            self.used = self.known.len();
        }
        self.known.insert(one.clone());
        one
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_each_word_there_is_one_copy() {
        let mut words = Words::default();
        let (one, other) = (words.shared("default"), words.shared("default"));
        assert!(Arc::ptr_eq(&one, &other));
        assert_ne!(words.shared("another"), one);
    }

    #[test]
    fn words_that_no_object_has_any_more_do_not_fill_the_memory() {
        let mut words = Words::default();
        let used: Vec<_> = (0..3000).map(|n| words.shared(&n.to_string())).collect();
        for n in 0..100_000 {
            words.shared(&format!("no longer used {n}"));
        }
        assert!(words.words.known.len() <= 2 * used.len() + FEW);
        for word in &used {
            assert!(Arc::ptr_eq(word, &words.shared(word)));
        }
    }
}
