//! The keys that labels and annotations of credentials Secrets may have: an allow-list, because any controller of the
//! cluster may act on a key. The outer list is the installation's; a tenant makes it narrower.

use schemars::{Schema, SchemaGenerator, json_schema};

/// The keys of an installation that names none. `values.yaml` of the chart has the same list.
pub const DEFAULT_KEYS: [&str; 3] = [
    "app.kubernetes.io/part-of",
    "reloader.stakater.com/*",
    "servicebinding.io/*",
];
/// The most entries of a list.
pub const MAX_KEYS: usize = 64;
/// The longest entry, in characters: a domain, a slash and a name.
const MAX_KEY: usize = 317;
/// What is wrong with an entry.
const MESSAGE: &str = "must be a key such as app.kubernetes.io/part-of, or a domain with every key below it, such as reloader.stakater.com/*";

/// Keys, and domains with every key below them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllowedKeys(Vec<String>);

impl Default for AllowedKeys {
    fn default() -> Self {
        Self(DEFAULT_KEYS.map(str::to_owned).into())
    }
}

impl AllowedKeys {
    /// A list of entries. One that is malformed admits nothing.
    pub fn new(entries: impl IntoIterator<Item = String>) -> Self {
        let entries = entries.into_iter();
        Self(entries.filter(|entry| check_entry(entry).is_ok()).collect())
    }

    /// Whether a label or an annotation may have this key.
    pub fn admits(&self, key: &str) -> bool {
        self.0.iter().any(|entry| match entry.strip_suffix('*') {
            Some(domain) => key.len() > domain.len() && key.starts_with(domain),
            None => entry == key,
        })
    }

    /// The entries, for a message.
    pub fn to_text(&self) -> String {
        if self.0.is_empty() {
            return "none".to_owned();
        }
        self.0.join(", ")
    }
}

/// Checks an entry; the error completes the sentence "the key …".
pub fn check_entry(entry: &str) -> Result<(), &'static str> {
    let name = |name: &str| {
        let inside = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
        let ends = [name.bytes().next(), name.bytes().last()];
        (1..=63).contains(&name.len())
            && name.bytes().all(inside)
            && ends.iter().flatten().all(u8::is_ascii_alphanumeric)
    };
    let domain = |domain: &str| {
        let inside = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-.".contains(&b);
        let ends = [domain.bytes().next(), domain.bytes().last()];
        let ends = ends
            .iter()
            .all(|end| end.is_some_and(|b| b.is_ascii_alphanumeric()));
        domain.len() <= 253 && domain.bytes().all(inside) && ends
    };
    let formed = match entry.split_once('/') {
        Some((before, "*")) => domain(before),
        Some((before, after)) => domain(before) && name(after),
        None => name(entry),
    };
    formed.then_some(()).ok_or(MESSAGE)
}

/// The list of a tenant.
pub fn allowed_keys_schema(_: &mut SchemaGenerator) -> Schema {
    const NAME: &str = "[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?";
    const DOMAIN: &str = "[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?";
    json_schema!({
        "type": "array",
        "maxItems": MAX_KEYS,
        "x-kubernetes-list-type": "set",
        "items": {
            "type": "string",
            "minLength": 1,
            "maxLength": MAX_KEY,
            "x-kubernetes-validations": [{
                "rule": format!("self.matches('^({DOMAIN}/)?{NAME}$') || self.matches('^{DOMAIN}/[*]$')"),
                "message": MESSAGE,
            }],
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn n03_only_listed_keys_are_admitted() {
        let keys = AllowedKeys::default();
        for good in [
            "app.kubernetes.io/part-of",
            "reloader.stakater.com/match",
            "servicebinding.io/x",
        ] {
            assert!(keys.admits(good), "{good}");
        }
        for bad in [
            "grafana_datasource",
            "team",
            "istio/multiCluster",
            "app.kubernetes.io/part-of-it",
            "app.kubernetes.io/name",
            "replicator.v1.mittwald.de/replicate-to",
            "reflector.v1.k8s.emberstack.com/reflection-allowed",
            "cluster.x-k8s.io/cluster-name",
            "evil.reloader.stakater.com/match",
            "reloader.stakater.com",
            "reloader.stakater.com/",
            "reloader.stakater.com.evil/match",
            "",
        ] {
            assert!(!keys.admits(bad), "{bad}");
        }
    }

    #[test]
    fn a_malformed_entry_admits_nothing() {
        for bad in [
            "*",
            "",
            "/*",
            "a/b/*",
            "a*",
            "A.example/*",
            "example.com/a*",
            "-a/*",
            "a b",
        ] {
            assert!(check_entry(bad).is_err(), "{bad}");
            let keys = AllowedKeys::new([bad.to_owned()]);
            assert!(!keys.admits("a") && !keys.admits("example.com/a"), "{bad}");
        }
        for good in ["team", "example.com/team", "example.com/*", "a/B_c.d"] {
            assert_eq!(check_entry(good), Ok(()), "{good}");
        }
        assert_eq!(AllowedKeys::new([]).to_text(), "none");
    }
}
