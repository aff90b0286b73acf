//! Lists of violations that are known, which only shrink.
//!
//! `xtask/known/<rule>.txt` has a line `<number> <what>` for each: how often it occurs, or how many lines it has. A rule
//! fails if something occurs that is not listed, or more often than listed; and if something listed does not occur any
//! more, until `cargo run -p xtask -- shrink` has removed its line. Nothing adds lines.

use std::collections::BTreeMap;
use std::{fs, io};

use crate::source::{read, root};

/// What a rule found, and how often or how large.
pub type Findings = BTreeMap<String, usize>;

fn path(rule: &str) -> String {
    format!("xtask/known/{rule}.txt")
}

fn parse(list: &str) -> Findings {
    let lines = list.lines().filter(|line| !line.starts_with('#'));
    let entries = lines.filter_map(|line| line.split_once(' '));
    entries
        .filter_map(|(number, what)| Some((what.to_owned(), number.parse().ok()?)))
        .collect()
}

/// How the findings of a rule differ from its list for the worse, or for the better without the list saying so.
pub fn compare(rule: &str, list: &str, found: &Findings) -> Vec<String> {
    let known = parse(list);
    let worse = found
        .iter()
        .filter_map(|(what, number)| match known.get(what) {
            None => Some(format!("{what} ({number})")),
            Some(known) if number > known => Some(format!("{what} ({number}, was {known})")),
            Some(_) => None,
        });
    let better = known.keys().filter(|what| !found.contains_key(*what));
    let better = better.map(|what| {
        format!(
            "{what}: no longer so; `cargo run -p xtask -- shrink` removes its line from {}",
            path(rule)
        )
    });
    worse.chain(better).collect()
}

/// How what a rule found in this repository differs from its list.
pub fn judge(rule: &str, found: &Findings) -> Vec<String> {
    compare(rule, &read(&path(rule)), found)
}

/// Removes from a list what was not found, and lowers what occurs less often. Returns how many lines are left.
pub fn shrink(rule: &str, found: &Findings) -> io::Result<usize> {
    let shrunk = shrunk(&read(&path(rule)), found);
    fs::write(root().join(path(rule)), &shrunk)?;
    Ok(parse(&shrunk).len())
}

fn shrunk(list: &str, found: &Findings) -> String {
    let mut text = String::new();
    for line in list.lines() {
        let kept = match line.split_once(' ') {
            Some((number, what)) if !line.starts_with('#') => found.get(what).map(|found| {
                let number = number
                    .parse()
                    .map_or(*found, |number: usize| number.min(*found));
                format!("{number} {what}")
            }),
            _ => Some(line.to_owned()),
        };
        if let Some(line) = kept {
            text.push_str(&line);
            text.push('\n');
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_only_shrinks() {
        let list = "# Why.\n2 a b\n5 c\n";
        let found = |entries: &[(&str, usize)]| -> Findings {
            entries
                .iter()
                .map(|(what, number)| ((*what).to_owned(), *number))
                .collect()
        };
        assert!(compare("x", list, &found(&[("a b", 2), ("c", 4)])).is_empty());
        assert_eq!(
            compare("x", list, &found(&[("a b", 3), ("c", 5), ("d", 1)])).len(),
            2
        );
        let stale = compare("x", list, &found(&[("a b", 2)]));
        assert!(
            stale.len() == 1 && stale[0].starts_with("c: no longer so"),
            "{stale:?}"
        );
        assert_eq!(
            shrunk(list, &found(&[("a b", 9), ("d", 1)])),
            "# Why.\n2 a b\n"
        );
        assert_eq!(shrunk(list, &found(&[("c", 4)])), "# Why.\n4 c\n");
    }
}
