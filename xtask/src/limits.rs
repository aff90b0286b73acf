//! What strangers and neighbours may fill: every bound, queue, channel and table of the program is on the page about limits, so
//! that a developer who adds one says there how large it becomes, whose it is, and who goes first.

use std::collections::BTreeSet;

use crate::project::Project;
use crate::source;

/// The page.
pub const PAGE: &str = "docs/concepts/limits.md";

/// A person runs these for themselves.
const ELSEWHERE: [&str; 2] = ["src/kubectl/", "src/dashboard/"];

/// What makes something that can be filled: a call of one of these, by type and function, or by function alone.
const CONSTRUCTORS: [&str; 12] = [
    "unbounded_channel",
    "mpsc::channel",
    "broadcast::channel",
    "Semaphore::new",
    "LruCache::new",
    "Gate::new",
    "Workers::new",
    "FairQueue::new",
    "Throttle::new",
    "Room::new",
    "Budget::new",
    "BoundedQueue::new",
];

/// The words in the name of a constant that bounds something.
const BOUNDS: [&str; 4] = ["MAX_", "_MAX", "CAPACITY", "LIMIT"];

/// Something that the page has to name: on one line stand `name` and `file`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Limit {
    /// The constant, the constructor or the table.
    pub name: String,
    /// Where it stands.
    pub file: String,
}

/// Every bound and constructor.
pub fn limits(project: &Project) -> BTreeSet<Limit> {
    let mut limits = BTreeSet::new();
    for module in project.production() {
        let file = &module.file;
        if !file.starts_with("src/") || ELSEWHERE.iter().any(|other| file.starts_with(other)) {
            continue;
        }
        let tokens: Vec<&str> = module
            .code
            .tokens
            .iter()
            .map(|token| &*token.text)
            .collect();
        let names = bounds(&tokens).chain(constructors(&tokens));
        limits.extend(names.map(|name| Limit {
            name,
            file: file.clone(),
        }));
    }
    limits
}

/// Every table of the database.
pub fn tables() -> BTreeSet<Limit> {
    let mut tables = BTreeSet::new();
    for migration in source::files("src/store/migrations", &["sql"]) {
        let created = migration
            .text
            .lines()
            .filter_map(|line| line.strip_prefix("CREATE TABLE "));
        tables.extend(created.map(|rest| Limit {
            name: rest.trim_end_matches(" (").to_owned(),
            file: migration.path.clone(),
        }));
    }
    tables
}

fn bounds<'t>(tokens: &'t [&'t str]) -> impl Iterator<Item = String> + 't {
    let names = tokens
        .windows(3)
        .filter(|window| window[0] == "const" && window[2] == ":");
    let names = names.map(|window| window[1]);
    names
        .filter(|name| BOUNDS.iter().any(|word| name.contains(word)))
        .map(str::to_owned)
}

fn constructors<'t>(tokens: &'t [&'t str]) -> impl Iterator<Item = String> + 't {
    CONSTRUCTORS
        .into_iter()
        .filter(|constructor| {
            let mut wanted: Vec<&str> = Vec::new();
            for part in constructor.split("::") {
                if !wanted.is_empty() {
                    wanted.push("::");
                }
                wanted.push(part);
            }
            wanted.push("(");
            tokens
                .windows(wanted.len())
                .any(|window| *window == *wanted)
        })
        .map(str::to_owned)
}

/// Those that no line of the page names together with their file.
pub fn missing(limits: &BTreeSet<Limit>, page: &str) -> Vec<String> {
    let said = |limit: &&Limit| {
        let (name, file) = (format!("`{}`", limit.name), format!("`{}`", limit.file));
        !page
            .lines()
            .any(|line| line.contains(&name) && line.contains(&file))
    };
    let missing = limits.iter().filter(said);
    missing
        .map(|limit| format!("`{}` of `{}`", limit.name, limit.file))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::none;
    use crate::testing::{here, planted};

    #[test]
    fn every_limit_is_on_the_page_about_limits() {
        let page = &std::fs::read_to_string(crate::source::root().join(PAGE)).unwrap();
        let all = limits(here()).into_iter().chain(tables()).collect();
        none(
            &missing(&all, page),
            &format!(
                "limits that {PAGE} does not name with their file: say the bound, whose it is, and who goes first"
            ),
        );
    }

    #[test]
    fn planted_limits_are_found() {
        let text = "const MAX_ROOM: usize = 7;\nfn f() { let (a, b) = unbounded_channel(); Gate::new(1); }\n\
            #[cfg(test)]\nmod tests { const MAX_TEST: u8 = 1; fn g() { Semaphore::new(1); } }\n";
        let planted = planted(&[("src/http/lib.rs", text), ("src/kubectl/lib.rs", text)]);
        let limits = limits(&planted);
        let names: Vec<&str> = limits.iter().map(|limit| &*limit.name).collect();
        assert_eq!(names, ["Gate::new", "MAX_ROOM", "unbounded_channel"]);
        let page = "| `MAX_ROOM` | `src/http/lib.rs` |\n| `Gate::new` | `src/other.rs` |\n";
        let expected = [
            "`Gate::new` of `src/http/lib.rs`",
            "`unbounded_channel` of `src/http/lib.rs`",
        ];
        assert_eq!(missing(&limits, page), expected);
    }
}
