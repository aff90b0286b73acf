//! The people of each tenant as the server finds them. They share with the registry what has not changed since.

use std::collections::HashSet;
use std::sync::Arc;

use clientele_oauth::{User, Users};

use super::RegistryBuilder;
use super::memo::Change;
use super::slices::Slices;
use crate::domain::verdict::UserVerdict;

/// The tenant and the person that a verdict stands for, unless the object is going.
fn person(verdict: &UserVerdict) -> Option<(&str, &Arc<User>)> {
    let is_going = verdict.object.is_going();
    let person = verdict.registered.as_ref().ok().filter(|_| !is_going);
    Some((&verdict.tenant.as_ref()?.policy.name, person?))
}

fn is_same(before: &UserVerdict, after: &UserVerdict) -> bool {
    match (person(before), person(after)) {
        (Some((tenant, person)), Some((other_tenant, other))) => {
            tenant == other_tenant && Arc::ptr_eq(person, other)
        }
        (None, None) => true,
        _ => false,
    }
}

impl RegistryBuilder {
    /// Moves people to where their verdicts say. Returns the tenants whose people changed.
    pub(super) async fn move_people(
        &mut self,
        changes: &[Change<UserVerdict>],
        slices: &mut Slices,
    ) -> HashSet<String> {
        let mut touched = HashSet::new();
        // A name may pass from one person to another: first all leave, then all come.
        for change in changes {
            if change.moves(is_same) {
                touched.extend(change.before.as_ref().and_then(|it| self.take_person(it)));
            }
            slices.turn().await;
        }
        for change in changes {
            if change.moves(is_same) {
                touched.extend(change.after.as_ref().and_then(|it| self.put_person(it)));
            }
            slices.turn().await;
        }
        self.drop_empty(&touched);
        touched
    }

    fn take_person(&mut self, verdict: &UserVerdict) -> Option<String> {
        let (tenant, person) = person(verdict)?;
        let people = self.people.get_mut(tenant)?;
        let is_gone = Arc::make_mut(people).remove(person);
        self.registered_people -= usize::from(is_gone);
        Some(tenant.to_owned())
    }

    /// Fills the tables with everybody, from nothing. Returns the tenants that have people or had some.
    pub(super) async fn fill_user_tables(&mut self, slices: &mut Slices) -> HashSet<String> {
        let mut touched: HashSet<String> = self.people.drain().map(|(tenant, _)| tenant).collect();
        self.registered_people = 0;
        let memos = self.user_memos.iter();
        let verdicts: Vec<_> = memos.map(|(_, memo)| memo.verdict.clone()).collect();
        for verdict in verdicts {
            touched.extend(self.put_person(&verdict));
            slices.turn().await;
        }
        touched
    }

    fn put_person(&mut self, verdict: &UserVerdict) -> Option<String> {
        let (tenant, person) = person(verdict)?;
        let people = self.people.entry(tenant.to_owned()).or_default();
        let is_new = Arc::make_mut(people).insert(person.clone());
        self.registered_people += usize::from(is_new);
        Some(tenant.to_owned())
    }

    /// Anybody may write down the name of a tenant that does not exist.
    fn drop_empty(&mut self, tenants: &HashSet<String>) {
        for tenant in tenants {
            if self.people.get(tenant).is_some_and(|it| it.is_empty()) {
                self.people.remove(tenant);
            }
        }
    }

    /// Whether the tables have the person of a verdict where it says.
    pub(super) fn has_its_person(&self, verdict: &UserVerdict) -> bool {
        let Some((tenant, person)) = person(verdict) else {
            return true;
        };
        let people: Option<&Arc<Users>> = self.people.get(tenant);
        let found = people.and_then(|people| people.by_subject(&person.subject, &person.uid));
        found.is_some_and(|found| Arc::ptr_eq(found, person))
    }
}
