//! The slow check: whether what was made change by change is what would be made of everything at once.
//!
//! It looks at a few objects at a time, so that it takes nothing from the requests. What differs is counted and logged, and
//! the registry is made again of everything.

use super::RegistryBuilder;
use super::asker::Asker;
use crate::cache::place::Place;
use crate::registry::Inputs;

/// How many OAuthClients are looked at in one step.
const SLICE: usize = 48;

/// How far the check has come.
#[derive(Default)]
pub(super) struct Cursor {
    after: Option<Place>,
}

impl RegistryBuilder {
    /// Takes the next step. Returns whether something differs, and then everything is judged in the next rebuild.
    pub fn check(&mut self, inputs: &Inputs) -> bool {
        // What has changed and is not taken in yet is no difference.
        let is_at_rest = self.pending.is_empty() && self.revision > 0;
        if !is_at_rest || inputs.cache.client_secrets.has_changes() {
            return false;
        }
        let places = self.memos.after(self.cursor.after.as_ref(), SLICE);
        self.cursor.after = (places.len() == SLICE)
            .then(|| places.last().cloned())
            .flatten();
        let mut differs = false;
        for place in &places {
            if let Err(what) = self.is_right(inputs, place) {
                // Written by another task between the two looks.
                if inputs.cache.client_secrets.has_changes() {
                    return false;
                }
                differs = true;
                let Place { namespace, name } = place;
                difference(inputs, what, namespace, name);
            }
        }
        if self.cursor.after.is_none() {
            differs |= self.differs_in_total(inputs);
        }
        self.pending.whole |= differs;
        differs
    }

    /// What no single object shows. Once in a round.
    fn differs_in_total(&self, inputs: &Inputs) -> bool {
        let tables = self.tables.values();
        let served: usize = tables.map(|clients| clients.served.len()).sum();
        let strangers = self.names.askers().filter(|asker| match asker {
            Asker::Client(place) => self.memos.get(place).is_none(),
            Asker::Tenant(name) => !self.states.contains_key(name),
            Asker::Person(uid) => !self.people_who_ask.contains(uid),
        });
        let found = [
            (
                self.memos.len() == self.clients.len(),
                "an OAuthClient has no verdict, or one that was deleted has one",
            ),
            (
                served == self.served,
                "the registry has a client without an OAuthClient",
            ),
            (
                strangers.count() == 0,
                "a name is claimed by an object that was deleted",
            ),
            (
                self.tenants
                    .objects()
                    .iter()
                    .all(|object| self.knows(object)),
                "a tenant has another verdict than its object says",
            ),
        ];
        let wrong = found.iter().filter(|(right, _)| !right);
        let wrong: Vec<&str> = wrong.map(|(_, what)| *what).collect();
        for what in &wrong {
            difference(inputs, what, "", "");
        }
        !wrong.is_empty()
    }
}

/// Counts a difference and says what it is about. Never what the objects say.
fn difference(inputs: &Inputs, what: &str, namespace: &str, name: &str) {
    inputs.context.metrics.registry.differences.inc();
    tracing::error!(
        namespace,
        name,
        "the registry differs from what it is made of: {what}; it is made again of everything; please report this"
    );
}
