//! What differs between two snapshots.

use std::collections::BTreeMap;

use serde_json::Value;

use super::normalized_snapshot::NormalizedSnapshot;

/// What differs, value by value.
pub fn difference(wanted: &NormalizedSnapshot, seen: &NormalizedSnapshot) -> String {
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

/// What may differ all the same.
#[derive(Clone, Copy, Debug, Default)]
pub struct Slack {
    /// The how-manieth each Secret is of its name: what was not heard of in time was not repaired as often.
    pub incarnations: bool,
    /// The number of rotations: requests in haste are answered together.
    pub generations: bool,
}

/// Whether two snapshots are the same.
pub fn same(wanted: &NormalizedSnapshot, seen: &NormalizedSnapshot, slack: Slack) -> bool {
    let part = |snapshot| -> BTreeMap<_, _> {
        let lines = flat(snapshot).into_iter();
        lines.filter_map(|line| slack.reduced(line)).collect()
    };
    part(wanted) == part(seen)
}

impl Slack {
    fn reduced(self, (name, mut value): (String, String)) -> Option<(String, String)> {
        // Who is down while a namespace goes publishes nothing, and what was never published is refused as well.
        if name.starts_with("generation ") && value == "\"refused\"" {
            return None;
        }
        if self.generations {
            if name.starts_with("generation ") || name.contains(".secretGeneration.") {
                return None;
            }
            if let Some(owner) = value.strip_prefix("\"generation ") {
                value = owner.trim_start_matches(char::is_numeric).to_owned();
            }
        }
        if self.incarnations && value.contains("UID of Secret/") {
            value.truncate(value.find('#').unwrap_or(value.len()));
        }
        Some((name, value))
    }
}

fn flat(snapshot: &NormalizedSnapshot) -> BTreeMap<String, String> {
    let mut lines = BTreeMap::new();
    for (name, value) in snapshot {
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
