//! Which root keys an installation has recorded, and whether a Secret holds them. The operator goes by these rules, and who
//! looks for what is wrong goes by the same.

use std::collections::BTreeMap;

use super::root_keyring::{Keyring, RootKey};

/// The entry of the Secret that names the key which derives. Every other entry is a key.
pub const CURRENT: &str = "current";
/// What precedes the ID of a key in the marks of an installation; the value is its fingerprint.
pub const FINGERPRINT: &str = "root-key.";
/// The same for a key that was withdrawn.
pub const WITHDRAWN: &str = "withdrawn-root-key.";

/// The marks of an installation: among others the fingerprints of its root keys.
pub type Marks = BTreeMap<String, String>;

/// The keys that a Secret holds, but for those that were withdrawn: entry `current` names the one which derives, every other
/// entry is a key.
///
/// # Errors
/// The problem, as what follows the name of the Secret in a sentence.
pub fn read_keyring<'a>(
    entries: impl Iterator<Item = (&'a str, &'a [u8])> + Clone,
    marks: &Marks,
) -> Result<Keyring, String> {
    let mut named = entries.clone().filter(|(name, _)| *name == CURRENT);
    let (_, current) = named.next().ok_or("has no entry current")?;
    let current =
        std::str::from_utf8(current).map_err(|_| "has an entry current that is not text")?;
    let current = current.trim();
    let mut keys = entries
        .filter(|(name, _)| *name != CURRENT)
        .map(|(name, bytes)| RootKey::new(name, bytes))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| format!("cannot be used: {error}"))?;
    keys.retain(|key| !is_withdrawn(key, marks));
    if keys.iter().all(|key| key.id() != current) && withdrawn(current, marks).is_some() {
        return Err(
            "names a withdrawn root key as current (`clientele root-key rotate --emergency` creates another)".to_owned(),
        );
    }
    Keyring::new(current, keys).map_err(|error| format!("cannot be used: {error}"))
}

/// The ID of a key that is recorded, was not withdrawn, and is not in the keyring.
pub fn missing_key<'a>(keyring: &Keyring, marks: &'a Marks) -> Option<&'a str> {
    let is_there = |id: &str, fingerprint: &str| {
        let key = keyring.keys().iter().find(|key| key.id() == id);
        key.is_some_and(|key| key.fingerprint() == fingerprint)
    };
    let missing = counting(marks).find(|(id, fingerprint)| !is_there(id, fingerprint));
    missing.map(|(id, _)| id)
}

/// The ID and the fingerprint of each key that is recorded and was not withdrawn.
pub fn counting(marks: &Marks) -> impl Iterator<Item = (&str, &String)> {
    let recorded = marks
        .iter()
        .filter_map(|(mark, fingerprint)| Some((mark.strip_prefix(FINGERPRINT)?, fingerprint)));
    recorded.filter(move |(id, fingerprint)| withdrawn(id, marks) != Some(fingerprint))
}

/// The fingerprint of the key of this ID that was withdrawn.
pub fn withdrawn<'a>(id: &str, marks: &'a Marks) -> Option<&'a String> {
    marks.get(&format!("{WITHDRAWN}{id}"))
}

/// Whether this key was withdrawn.
pub fn is_withdrawn(key: &RootKey, marks: &Marks) -> bool {
    withdrawn(key.id(), marks).is_some_and(|fingerprint| fingerprint == key.fingerprint())
}
