//! What differs between two pictures.

use std::collections::BTreeMap;

use serde_json::Value;

use super::mask::Picture;

/// What differs, value by value.
pub fn difference(wanted: &Picture, seen: &Picture) -> String {
    let (wanted, seen) = (flat(wanted), flat(seen));
    let names = wanted.keys().chain(seen.keys());
    let mut differ: Vec<String> = names
        .filter(|name| wanted.get(*name) != seen.get(*name))
        .map(|name| {
            let (seen, wanted) = (seen.get(name), wanted.get(name));
            format!("{name}: {seen:?}, without a fault {wanted:?}")
        })
        .collect();
    differ.sort();
    differ.dedup();
    differ.join("; ")
}

/// Whether they are the same, but for the how-manieth each Secret is of its name.
pub fn same_but_for_incarnations(wanted: &Picture, seen: &Picture) -> bool {
    let without = |(name, value): (String, String)| {
        let numbered = value.contains("UID of Secret/");
        let value = match value.split_once('#') {
            Some((before, _)) if numbered => before.to_owned(),
            _ => value,
        };
        Some((name, value))
    };
    same(wanted, seen, without)
}

/// Whether they are the same, but for the number of rotations: requests in haste may be answered together.
pub fn same_but_for_generations(wanted: &Picture, seen: &Picture) -> bool {
    let without = |(name, value): (String, String)| {
        if name.starts_with("generation ") || name.contains(".secretGeneration.") {
            return None;
        }
        let value = match value.split_once(" of ") {
            Some((before, owner)) if before.starts_with("\"generation ") => owner.to_owned(),
            _ => value,
        };
        Some((name, value))
    };
    same(wanted, seen, without)
}

fn same(
    wanted: &Picture,
    seen: &Picture,
    without: impl Fn((String, String)) -> Option<(String, String)>,
) -> bool {
    let part =
        |picture| -> BTreeMap<_, _> { flat(picture).into_iter().filter_map(&without).collect() };
    part(wanted) == part(seen)
}

fn flat(picture: &Picture) -> BTreeMap<String, String> {
    let mut lines = BTreeMap::new();
    for (name, value) in picture {
        flatten(name, value, &mut lines);
    }
    lines
}

fn flatten(name: &str, value: &Value, lines: &mut BTreeMap<String, String>) {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            for (field, value) in fields {
                flatten(&format!("{name}.{field}"), value, lines);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for (at, value) in items.iter().enumerate() {
                flatten(&format!("{name}.{at}"), value, lines);
            }
        }
        value => {
            lines.insert(name.to_owned(), value.to_string());
        }
    }
}
