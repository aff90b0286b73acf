//! The rooms of the operator in storeys. A room may import its own storey and those below, and nothing else.

use std::collections::BTreeSet;

use crate::circles::room_graph;
use crate::known::Findings;
use crate::project::{Crate, Project};

/// From the lowest to the highest. `lib` is the crate's root. `relist_check` lists and sleeps although it lies in `cache`;
/// see [`crate::imports`].
const STOREYS: [&[&str]; 12] = [
    &["domain", "list", "settings"],
    &["cache"],
    &["apply", "context", "error", "events", "metrics"],
    &["watch"],
    &["registry"],
    &["leader"],
    &["root_key"],
    &["parts"],
    &["reconcile"],
    &["bootstrap"],
    &[],
    &["lib"],
];

/// They may import `context` and what is below it; only `lib` imports them.
const BESIDE: [&str; 4] = [
    "etcd_restore",
    "readiness",
    "rotation_gauges",
    "token_review",
];

const CONTEXT: usize = 2;

/// Whether a room may import another one; `None` where a room has no storey.
fn may(from: &str, to: &str) -> Option<bool> {
    let storey = |room: &str| STOREYS.iter().position(|rooms| rooms.contains(&room));
    match (BESIDE.contains(&from), BESIDE.contains(&to)) {
        (true, true) => Some(false),
        (true, false) => Some(storey(to)? <= CONTEXT),
        (false, true) => Some(storey(from)? == STOREYS.len() - 1),
        (false, false) => Some(storey(to)? <= storey(from)?),
    }
}

/// Every import between rooms of the operator that the storeys do not allow, and every room without a storey.
pub fn upward(project: &Project) -> Findings {
    let operator = project.library("src/operator");
    let graph = operator.map(room_graph).unwrap_or_default();
    let mut findings = Findings::new();
    for (from, targets) in &graph {
        for to in targets {
            let finding = match may(from, to) {
                Some(true) => continue,
                Some(false) => format!("{from} -> {to}"),
                None => format!("{from} -> {to}: a room without a storey"),
            };
            findings.insert(finding, 1);
        }
    }
    findings
}

/// The imports behind an arrow between two rooms, to read.
pub fn explain(operator: &Crate) -> Vec<String> {
    let room = |module: &[String]| module.first().map_or("lib", String::as_str).to_owned();
    let mut lines = Vec::new();
    for (from, module) in operator
        .modules
        .iter()
        .filter(|(_, module)| !module.for_tests)
    {
        for (to, names) in operator.uses(from) {
            if room(from) != room(&to) && may(&room(from), &room(&to)) != Some(true) {
                let names: BTreeSet<String> = names;
                let file = &operator.modules[&to].file;
                lines.push(format!("{} -> {file}: {names:?}", module.file));
            }
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::known::judge;
    use crate::source::none;
    use crate::testing::{here, planted};

    #[test]
    fn arrows_between_the_rooms_of_the_operator_go_down() {
        let findings = judge("storeys", &upward(here()));
        let operator = here().library("src/operator").unwrap();
        let detail = if findings.is_empty() {
            Vec::new()
        } else {
            explain(operator)
        };
        none(
            &[findings, detail].concat(),
            "storeys.rs says which room may import which",
        );
    }

    #[test]
    fn a_planted_arrow_upward_is_found() {
        let root = (
            "src/operator/lib.rs",
            "mod cache; mod watch; mod readiness; mod attic; fn start() {}",
        );
        let planted = planted(&[
            root,
            ("src/operator/cache.rs", "mod deep;"),
            (
                "src/operator/cache/deep.rs",
                "fn f() { crate::watch::w(); crate::start() }",
            ),
            (
                "src/operator/watch.rs",
                "use super::{cache::C, readiness::R};",
            ),
            (
                "src/operator/readiness.rs",
                "use super::{cache::C, watch::W};",
            ),
            ("src/operator/attic.rs", "use super::cache::C;"),
        ]);
        let found: Vec<String> = upward(&planted).into_keys().collect();
        assert_eq!(
            found,
            [
                "attic -> cache: a room without a storey",
                "cache -> lib",
                "cache -> watch",
                "readiness -> watch",
                "watch -> readiness",
            ]
        );
    }
}
