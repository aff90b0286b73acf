//! What is known of the definitions in the cluster.

use std::collections::{BTreeSet, HashMap};
use std::sync::Mutex;

use arc_swap::ArcSwapOption;

/// What is known of the definitions in the cluster.
#[derive(Debug, Default)]
pub struct Definitions {
    /// Why this program cannot work with them; nothing while it can.
    too_old: ArcSwapOption<String>,
    /// The fields of a status that are not written, by kind.
    undeclared: Mutex<HashMap<String, BTreeSet<String>>>,
}

impl Definitions {
    /// Whether the program can work with them; the sentence has the remedy.
    pub fn check(&self) -> Result<(), String> {
        match &*self.too_old.load() {
            None => Ok(()),
            Some(why) => Err(why.to_string()),
        }
    }

    /// Notes why the program cannot work with them, or that it can.
    pub fn judged(&self, too_old: Option<String>) {
        self.too_old.store(too_old.map(Into::into));
    }

    /// Every field is written again.
    pub fn are_current(&self) {
        self.undeclared().clear();
    }

    /// The fields that the statuses of a kind are written without.
    pub fn left_out(&self, kind: &str) -> Vec<String> {
        let known = self.undeclared();
        known.get(kind).into_iter().flatten().cloned().collect()
    }

    /// Leaves these fields out as well. Whether one of them is new.
    pub fn leave_out(&self, kind: &str, fields: Vec<String>) -> bool {
        let mut known = self.undeclared();
        let of_kind = known.entry(kind.to_owned()).or_default();
        let before = of_kind.len();
        of_kind.extend(fields);
        of_kind.len() > before
    }

    fn undeclared(&self) -> std::sync::MutexGuard<'_, HashMap<String, BTreeSet<String>>> {
        self.undeclared
            .lock()
            .expect("no holder of this lock panics")
    }
}
