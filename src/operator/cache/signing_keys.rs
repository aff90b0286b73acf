//! The signing keys of tenants as listed and watched, with the brake on what only vanishes from a relist.

use std::collections::{HashMap, HashSet};
use std::time::Instant;

use k8s_openapi::api::core::v1::Secret;
use kube::ResourceExt;
use kube::runtime::watcher;

use crate::cache::place::Place;
use crate::cache::relist_check::{List, RelistCheck};
use crate::domain::tenant::signing_secret;
use crate::domain::tenant::signing_secret::StoredKeys;

/// The keys of a tenant as last seen.
pub(crate) struct SigningState {
    pub keys: Result<StoredKeys, String>,
    pub owner_uids: Vec<String>,
    secret: Place,
}

/// The keys of each tenant, by its name.
pub(crate) struct Signing {
    known: HashMap<String, SigningState>,
    /// What the list that comes in has brought so far.
    listed: HashMap<String, SigningState>,
    doubt: RelistCheck<Secret, ()>,
}

impl Signing {
    /// Nothing listed yet.
    pub fn new(doubt: RelistCheck<Secret, ()>) -> Self {
        Self {
            known: HashMap::new(),
            listed: HashMap::new(),
            doubt,
        }
    }

    /// The keys of a tenant.
    pub fn of(&self, tenant: &str) -> Option<&SigningState> {
        self.known.get(tenant)
    }

    /// Takes in what the watch of the operator's namespace said. Returns whether keys may have changed.
    pub fn apply(&mut self, event: watcher::Event<Secret>) -> bool {
        match event {
            watcher::Event::Init => {
                self.listed.clear();
                false
            }
            watcher::Event::InitApply(secret) => {
                self.doubt.settled(&Place::of(&secret));
                self.listed.extend(signing_state(&secret));
                false
            }
            watcher::Event::InitDone => {
                self.relisted();
                true
            }
            watcher::Event::Apply(secret) => {
                self.doubt.settled(&Place::of(&secret));
                let state = signing_state(&secret);
                let changed = state.is_some();
                self.known.extend(state);
                changed
            }
            watcher::Event::Delete(secret) => {
                let secret = Place::of(&secret);
                self.doubt.settled(&secret);
                self.forget(&secret)
            }
        }
    }

    /// A list is complete: what it lacks was deleted, unless it lacks so much that the list is doubted.
    fn relisted(&mut self) {
        let listed = std::mem::take(&mut self.listed);
        let names: HashSet<_> = listed.values().map(|state| state.secret.clone()).collect();
        let known = self.known.values().map(|state| state.secret.clone());
        let known = known.filter(|secret| !self.doubt.holds(secret));
        let before = known.map(|secret| (secret, ())).collect();
        self.doubt.relisted(before, &names);
        let doubt = &self.doubt;
        self.known.retain(|_, state| doubt.holds(&state.secret));
        self.known.extend(listed);
    }

    /// The second list, when one was asked for and has arrived; never otherwise.
    pub async fn confirmation(&mut self) -> List<Secret> {
        self.doubt.second().await
    }

    /// Settles the doubt by the second list.
    pub fn confirm(&mut self, list: List<Secret>) {
        let (there, gone) = self.doubt.settle(list);
        self.known.extend(there.iter().filter_map(signing_state));
        for secret in gone.keys() {
            self.forget(secret);
        }
    }

    /// When the brake lets go.
    pub fn guard_until(&self) -> Option<Instant> {
        self.doubt.until()
    }

    /// Lets go of what the brake held for too long. Returns whether it did.
    pub fn release_guard(&mut self) -> bool {
        let gone = self.doubt.expire();
        for secret in gone.keys() {
            self.forget(secret);
        }
        !gone.is_empty()
    }

    fn forget(&mut self, secret: &Place) -> bool {
        let tenant = signing_secret::tenant_of(&secret.name);
        tenant.is_some_and(|tenant| self.known.remove(tenant).is_some())
    }
}

/// What a Secret of the operator's namespace says, if it holds signing keys.
fn signing_state(secret: &Secret) -> Option<(String, SigningState)> {
    let name = secret.name_any();
    let tenant = signing_secret::tenant_of(&name)?;
    let state = SigningState {
        keys: signing_secret::parse(secret),
        owner_uids: secret
            .owner_references()
            .iter()
            .map(|owner| owner.uid.clone())
            .collect(),
        secret: Place::of(secret),
    };
    Some((tenant.to_owned(), state))
}

#[cfg(test)]
mod tests {
    use kube::runtime::watcher::Event::{self, Init, InitApply, InitDone};

    use super::*;

    fn secret(name: &str) -> Secret {
        let mut secret = Secret::default();
        secret.metadata.namespace = Some("own".into());
        secret.metadata.name = Some(name.into());
        secret
    }

    fn keys(tenant: &str) -> Secret {
        secret(&signing_secret::name_of(tenant))
    }

    fn relist(signing: &mut Signing, tenants: &[&str]) {
        signing.apply(Init);
        for tenant in tenants {
            signing.apply(InitApply(keys(tenant)));
        }
        // There are others, which are not needed here.
        signing.apply(InitApply(secret("clientele-root-key")));
        signing.apply(InitDone);
    }

    /// The tenants of which there are keys.
    fn known(signing: &Signing) -> Vec<&str> {
        let mut known: Vec<_> = signing.known.keys().map(String::as_str).collect();
        known.sort_unstable();
        known
    }

    fn of_two() -> Signing {
        let mut signing = Signing::new(RelistCheck::of_a_test());
        relist(&mut signing, &["default", "second"]);
        assert_eq!(known(&signing), ["default", "second"]);
        signing
    }

    #[test]
    fn f14_an_empty_list_of_signing_keys_is_doubted_until_a_second_one_is_there() {
        let mut signing = of_two();
        for _ in 0..2 {
            relist(&mut signing, &[]);
            assert_eq!(known(&signing), ["default", "second"]);
            assert!(signing.guard_until().is_some());
        }
        signing.confirm(Ok(vec![keys("default"), secret("clientele-root-key")]));
        assert_eq!(known(&signing), ["default"]);
        assert!(signing.guard_until().is_none());
    }

    #[test]
    fn keys_that_alone_are_missing_are_gone_at_once() {
        let mut signing = of_two();
        relist(&mut signing, &["default"]);
        assert_eq!(known(&signing), ["default"]);
        assert!(signing.guard_until().is_none());
    }

    #[test]
    fn keys_that_are_seen_to_be_deleted_while_a_list_is_doubted_are_gone_at_once() {
        let mut signing = of_two();
        relist(&mut signing, &[]);
        assert!(signing.apply(Event::Delete(keys("second"))));
        assert_eq!(known(&signing), ["default"]);
        // The second list was asked for before.
        signing.confirm(Ok(vec![keys("default"), keys("second")]));
        assert_eq!(known(&signing), ["default"]);
    }

    #[test]
    fn keys_that_come_back_are_not_held_any_more() {
        let mut signing = of_two();
        relist(&mut signing, &[]);
        signing.apply(Event::Apply(keys("default")));
        relist(&mut signing, &["default", "second"]);
        assert!(signing.guard_until().is_none());
        assert_eq!(known(&signing), ["default", "second"]);
    }
}
