//! The slow check: whether what was made change by change is what would be made of everything at once.
//!
//! It looks at a few objects at a time, so that it takes nothing from the requests. What differs is counted and logged, and
//! the registry is made again of everything.

use super::RegistryBuilder;
use super::asker::Asker;
use crate::cache::place::Place;
use crate::registry::Inputs;

/// How many OAuthClients, and how many OAuthUsers, are looked at in one step.
const SLICE: usize = 48;

/// How far the check has come.
#[derive(Default)]
pub(super) struct Cursor {
    client: Option<Place>,
    person: Option<Place>,
}

impl RegistryBuilder {
    /// Takes the next step. Returns whether something differs, and then everything is judged in the next rebuild.
    pub fn check(&mut self, inputs: &Inputs) -> bool {
        // What has changed and is not taken in yet is no difference.
        let is_at_rest = self.pending.is_empty() && self.revision > 0;
        if !is_at_rest || has_changes(inputs) {
            return false;
        }
        let mut wrong = self.wrong_clients(inputs);
        wrong.extend(self.wrong_people(inputs));
        if self.cursor.client.is_none() {
            let total = self.wrong_in_total().into_iter();
            wrong.extend(total.map(|what| (what, None)));
        }
        // Written by another task between the two looks.
        if wrong.is_empty() || has_changes(inputs) {
            return false;
        }
        for (what, place) in &wrong {
            difference(inputs, what, place.as_ref());
        }
        self.pending.whole = true;
        true
    }

    fn wrong_clients(&mut self, inputs: &Inputs) -> Vec<Wrong> {
        let places = self.memos.after(self.cursor.client.as_ref(), SLICE);
        self.cursor.client = next(&places);
        wrong(places, |place| self.is_right(inputs, place))
    }

    fn wrong_people(&mut self, inputs: &Inputs) -> Vec<Wrong> {
        let root_keys = inputs.root_keys.load();
        let Some(keyring) = &root_keys.verifying else {
            return Vec::new();
        };
        let places = self.user_memos.after(self.cursor.person.as_ref(), SLICE);
        self.cursor.person = next(&places);
        wrong(places, |place| {
            self.is_right_about_person(inputs, keyring, place)
        })
    }

    /// What no single object shows. Once in a round.
    fn wrong_in_total(&self) -> Vec<&'static str> {
        let tables = self.tables.values();
        let served: usize = tables.map(|clients| clients.served.len()).sum();
        let people = self.people.values().map(|people| people.len());
        let strangers = self.names.askers().filter(|asker| match asker {
            Asker::Client(place) => self.memos.get(place).is_none(),
            Asker::Tenant(name) => !self.states.contains_key(name),
            Asker::Person(place) => self.users.get(place).is_none(),
        });
        let found = [
            (
                self.memos.len() == self.clients.len(),
                "an OAuthClient has no verdict, or one that was deleted has one",
            ),
            (
                self.user_memos.len() == 0 || self.user_memos.len() == self.users.len(),
                "an OAuthUser has no verdict, or one that was deleted has one",
            ),
            (
                people.sum::<usize>() == self.registered_people,
                "the registry has a person without an OAuthUser",
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
                    .all()
                    .iter()
                    .all(|object| self.knows(&object.object())),
                "a tenant has another verdict than its object says",
            ),
        ];
        let wrong = found.iter().filter(|(right, _)| !right);
        wrong.map(|(_, what)| *what).collect()
    }
}

/// What differs, and of which object.
type Wrong = (&'static str, Option<Place>);

/// Where the next step begins: after the last of these, or from the start.
fn next(places: &[Place]) -> Option<Place> {
    places.last().filter(|_| places.len() == SLICE).cloned()
}

fn wrong(places: Vec<Place>, is_right: impl Fn(&Place) -> Result<(), &'static str>) -> Vec<Wrong> {
    let each = places.into_iter();
    each.filter_map(|place| Some((is_right(&place).err()?, Some(place))))
        .collect()
}

fn has_changes(inputs: &Inputs) -> bool {
    inputs.cache.client_secrets.has_changes() || inputs.cache.passwords.has_changes()
}

/// Counts a difference and says what it is about. Never what the objects say.
fn difference(inputs: &Inputs, what: &str, place: Option<&Place>) {
    let (namespace, name) = place.map_or(("", ""), |place| (&*place.namespace, &*place.name));
    inputs.context.metrics.registry.differences.inc();
    tracing::error!(
        namespace,
        name,
        "the registry differs from what it is made of: {what}; it is made again of everything; please report this"
    );
}
