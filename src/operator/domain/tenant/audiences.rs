//! Which of the audiences that a tenant declares it has: none twice, and none that stands for something else.

use std::collections::HashMap;
use std::sync::Arc;

use clientele_api::tenant::TenantAudience;
use clientele_oauth::uri::{name_key, resource_key};
use clientele_oauth::user::subject::has_reserved_prefix;

use crate::domain::names::Installation;

/// The audiences of a tenant with what is known of each, and those that it declares and does not have.
#[derive(Debug)]
pub struct Audiences<P> {
    /// By URI, as declared.
    pub known: HashMap<Arc<str>, P>,
    /// Why the others are refused, each with the remedy.
    pub refused: Vec<String>,
}

impl<P> Audiences<P> {
    /// Takes in what a tenant with this issuer declares, in its order.
    pub fn read(
        declared: &[TenantAudience],
        installation: &Installation,
        issuer: &str,
        policy: impl Fn(&TenantAudience) -> P,
    ) -> Self {
        let mut audiences = Self {
            known: HashMap::with_capacity(declared.len()),
            refused: Vec::new(),
        };
        let mut keys: HashMap<String, &str> = HashMap::new();
        for (at, audience) in declared.iter().enumerate() {
            let uri = &*audience.uri;
            let key = resource_key(uri).into_owned();
            let problem = match keys.get(&key) {
                Some(first) => Some(format!(
                    "names the same API as {first:?}; remove one of them"
                )),
                None => of_something_else(uri, installation, issuer).map(str::to_owned),
            };
            if let Some(problem) = problem {
                let refused = format!("spec.audiences[{at}].uri {uri:?} {problem}");
                audiences.refused.push(refused);
            } else {
                keys.insert(key, uri);
                audiences.known.insert(uri.into(), policy(audience));
            }
        }
        audiences
    }

    /// The audience that a client names, in whatever spelling.
    pub fn get(&self, uri: &str) -> Option<(&Arc<str>, &P)> {
        let same = |known: &str| resource_key(known) == resource_key(uri);
        let spelled = || self.known.iter().find(|(known, _)| same(known));
        self.known.get_key_value(uri).or_else(spelled)
    }

    /// Refuses an audience that another object uses as another kind of name.
    pub fn refuse(&mut self, uri: &str, holder: &str) {
        if self.known.remove(uri).is_some() {
            self.refused.push(format!(
                "the audience {uri:?} is used by {holder}, which declared it first, and each value is unique in an installation; declare another URI"
            ));
        }
    }
}

/// What else the value stands for, and what to do about it.
fn of_something_else(uri: &str, installation: &Installation, issuer: &str) -> Option<&'static str> {
    let key = name_key(uri);
    if has_reserved_prefix(&key) {
        Some(
            "must not begin with usr:, system: or fam_, which are reserved for people, for the cluster and for grants; declare another URI",
        )
    } else if installation.is_issuer(&key) && key != name_key(issuer) {
        Some("is an issuer of this installation; declare another URI")
    } else {
        None
    }
}
