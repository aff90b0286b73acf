//! No import circles: between the files of a crate, and between the rooms of the operator.
//!
//! An import of a parent by its own child is not counted, nor is one of the crate's root, which is above every file: what
//! the rooms of the operator may import of it is for [`crate::storeys`] to say. `use` and paths are resolved, re-exports
//! followed.

use std::collections::{BTreeMap, BTreeSet};

use crate::known::Findings;
use crate::project::{Crate, ModulePath, Project};

/// Who imports whom.
pub type Graph = BTreeMap<String, BTreeSet<String>>;

/// Every file that lies in a circle of files, and every room of the operator that lies in a circle of rooms.
pub fn files_in_circles(project: &Project) -> Findings {
    let mut findings = Findings::new();
    for one in &project.crates {
        findings.extend(
            in_circles(&file_graph(one))
                .into_iter()
                .map(|file| (file, 1)),
        );
    }
    if let Some(operator) = project.library("src/operator") {
        let mut graph = room_graph(operator);
        graph.remove("lib");
        let rooms = in_circles(&graph).into_iter();
        findings.extend(rooms.map(|room| (format!("room {room} of the operator"), 1)));
    }
    findings
}

/// The imports between files that lie in circles, to read.
pub fn explain(project: &Project) -> Vec<String> {
    let mut lines = Vec::new();
    for one in &project.crates {
        let circles = in_circles(&file_graph(one));
        for (from, module) in production(one) {
            let uses = one.uses(from).into_iter();
            for (to, names) in uses.filter(|(to, _)| counts(from, to)) {
                let to = &one.modules[&to].file;
                if circles.contains(&module.file) && circles.contains(to) {
                    lines.push(format!("{} -> {to}: {}", module.file, join(&names)));
                }
            }
        }
    }
    lines
}

fn join(names: &BTreeSet<String>) -> String {
    names.iter().cloned().collect::<Vec<_>>().join(", ")
}

fn production(one: &Crate) -> impl Iterator<Item = (&ModulePath, &crate::project::Module)> {
    one.modules.iter().filter(|(_, module)| !module.for_tests)
}

/// Which file imports which.
fn file_graph(one: &Crate) -> Graph {
    let mut graph = Graph::new();
    for (from, module) in production(one) {
        let targets = one.uses(from).into_keys();
        let targets = targets.filter(|to| counts(from, to));
        let targets = targets.map(|to| one.modules[&to].file.clone());
        graph
            .entry(module.file.clone())
            .or_default()
            .extend(targets);
    }
    graph
}

/// Whether an import can make a circle of files.
fn counts(from: &ModulePath, to: &ModulePath) -> bool {
    let is_parent = from
        .split_last()
        .is_some_and(|(_, parent)| parent == &to[..]);
    !is_parent && !to.is_empty()
}

/// Which room imports which. A room is a file beside the crate's root with the folder of its name; the root is `lib`.
pub fn room_graph(one: &Crate) -> Graph {
    let room = |module: &ModulePath| module.first().map_or("lib", String::as_str).to_owned();
    let mut graph = Graph::new();
    for (from, _) in production(one) {
        let targets = one.uses(from).into_keys().map(|to| room(&to));
        let targets = targets.filter(|to| *to != room(from));
        graph
            .entry(room(from))
            .or_default()
            .extend(targets.collect::<Vec<_>>());
    }
    graph
}

/// Every node from which a way leads back to it.
fn in_circles(graph: &Graph) -> BTreeSet<String> {
    let on_a_circle = |node: &&String| reachable(graph, node).contains(*node);
    graph.keys().filter(on_a_circle).cloned().collect()
}

fn reachable<'a>(graph: &'a Graph, from: &str) -> BTreeSet<&'a String> {
    let mut seen = BTreeSet::new();
    let mut open: Vec<&String> = graph.get(from).into_iter().flatten().collect();
    while let Some(node) = open.pop() {
        if seen.insert(node) {
            open.extend(graph.get(node).into_iter().flatten());
        }
    }
    seen
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::known::judge;
    use crate::source::none;
    use crate::testing::{here, planted};

    #[test]
    fn no_circle_that_is_not_known() {
        let findings = judge("circles", &files_in_circles(here()));
        let detail = if findings.is_empty() {
            Vec::new()
        } else {
            explain(here())
        };
        none(&[findings, detail].concat(), "imports form a circle");
    }

    fn circles(files: &[(&str, &str)]) -> Vec<String> {
        files_in_circles(&planted(files)).into_keys().collect()
    }

    #[test]
    fn a_planted_circle_is_found() {
        let root = ("src/a/lib.rs", "mod x; mod y; mod z; pub use z::Z;");
        let z = (
            "src/a/z.rs",
            "#[cfg(test)] mod tests { use crate::x; } pub struct Z;",
        );
        let path = ("src/a/y.rs", "fn f() { vec![super::x::g()]; }");
        let import = ("src/a/x.rs", "use crate::{Z, y::f};");
        assert_eq!(
            circles(&[root, z, path, import]),
            ["src/a/x.rs", "src/a/y.rs"]
        );
        let none = ("src/a/x.rs", "use crate::Z; fn g() { y::f() }");
        assert!(circles(&[root, z, path, none]).is_empty());
        let renamed = ("src/a/x.rs", "use super as above; fn g() { above::y::f() }");
        assert_eq!(
            circles(&[root, z, path, renamed]),
            ["src/a/x.rs", "src/a/y.rs"]
        );
        let reexport = ("src/a/z.rs", "pub use crate::y::f as Z;");
        assert_eq!(
            circles(&[root, reexport, path, ("src/a/x.rs", "use crate::Z;")]),
            ["src/a/x.rs", "src/a/y.rs"],
            "a re-export is followed"
        );
    }

    #[test]
    fn a_child_may_import_its_parent_but_no_other_room() {
        let root = ("src/operator/lib.rs", "mod cache; mod watch;");
        let cache = (
            "src/operator/cache.rs",
            "mod child; pub struct Cache; use self::child::Child;",
        );
        let child = ("src/operator/cache/child.rs", "use super::Cache;");
        let watch = (
            "src/operator/watch.rs",
            "use crate::cache::Cache; mod below;",
        );
        let below = ("src/operator/watch/below.rs", "");
        assert!(circles(&[root, cache, child, watch, below]).is_empty());
        let rooms = ["room cache of the operator", "room watch of the operator"];
        let child = ("src/operator/cache/child.rs", "use crate::watch::below::x;");
        assert_eq!(
            circles(&[root, cache, child, watch, below]),
            rooms,
            "through other files of the rooms"
        );
    }
}
