//! Names that installations have stored, or that others build upon: they are never renamed or removed.
//!
//! `xtask/never-renamed.txt` holds them. `cargo run -p xtask -- record` adds new ones and removes none.

use std::collections::BTreeSet;
use std::fs;
use std::io;

use serde_yaml::Value;

use crate::project::{Module, Project};
use crate::source::{self, Source, read, root};

mod crds;
mod sql;

const LIST: &str = "xtask/never-renamed.txt";

const HEADER: &str = "# Stored or public: never renamed, never removed. `cargo run -p xtask -- record` adds what is new.\n";

/// Constants of the operator whose values are names of objects: the part of the constant's name, and what it names.
const CONSTANTS: [(&str, &str); 3] = [
    ("LEASE", "Lease"),
    ("INSTALLATION", "ConfigMap of the marks"),
    ("FIELD_MANAGER", "field manager"),
];

/// Marks of the installation, and entries and names of the Secrets with keys, as literals of the operator and the rules of keys.
const LITERALS: [(&str, &str); 8] = [
    ("mark", "bootstrapped"),
    ("mark", "dashboard-client"),
    ("mark", "root-key."),
    ("mark", "withdrawn-root-key."),
    ("mark", "current-root-key"),
    ("entry of the root key Secret", "current"),
    ("Secret of signing keys", "clientele-signing-{tenant}"),
    ("default Secret of the root key", "clientele-root-key"),
];

/// Every such name that the sources have today.
pub fn names(project: &Project) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    names.extend(sql::names(&source::files("src/store/migrations", &["sql"])));
    for file in source::files("crds", &["yaml"]) {
        names.extend(definition(&file));
    }
    names.extend(in_code(project));
    names
}

fn definition(file: &Source) -> BTreeSet<String> {
    let value: Value =
        serde_yaml::from_str(&file.text).unwrap_or_else(|error| panic!("{}: {error}", file.path));
    crds::names(&value)
}

fn in_code(project: &Project) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for module in project
        .production()
        .filter(|module| module.file.starts_with("src/"))
    {
        names.extend(module.code.literals().flat_map(annotations));
        let contexts = module.code.literals().filter(|text| is_context(text));
        names.extend(contexts.map(|text| format!("MAC context {text}")));
        if module.file.starts_with("src/http/") {
            let cookies = module.code.literals().filter(|text| is_cookie(text));
            names.extend(cookies.map(|text| format!("cookie {text}")));
        }
        if module.file.starts_with("src/telemetry/") {
            names.extend(audit_events(module));
        }
        if module.file == "src/operator/domain/reason.rs" {
            names.extend(reasons(module));
        }
        let folders = ["src/operator/", "src/clientele/", "src/oauth/keys/"];
        if folders.iter().any(|folder| module.file.starts_with(folder)) {
            names.extend(objects(module));
        }
    }
    names
}

/// The keys `clientele.dev/…` in a literal.
fn annotations(text: &str) -> Vec<String> {
    const DOMAIN: &str = "clientele.dev/";
    let rests = text.split(DOMAIN).skip(1);
    let keys = rests.map(|rest| {
        let is_key = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        rest.split(|c| !is_key(c)).next().unwrap_or_default()
    });
    let keys = keys.filter(|key| !key.is_empty());
    keys.map(|key| format!("key {DOMAIN}{key}")).collect()
}

/// `clientele refresh token v1`.
pub(crate) fn is_context(text: &str) -> bool {
    let version = text.rsplit_once(" v").map(|(_, version)| version);
    let numbered = version.is_some_and(|version| version.parse::<u32>().is_ok());
    text.starts_with("clientele ") && numbered && !text.contains('\n')
}

fn is_cookie(text: &str) -> bool {
    text.starts_with("__Host-")
        || text.contains("}clientele-")
        || ["_browser", "_known"].contains(&text)
}

/// The rows `SignIn, "sign_in", "signed in";` of a macro.
fn audit_events(module: &Module) -> Vec<String> {
    let rows = module.code.tokens.windows(6);
    let rows = rows.filter_map(|row| {
        let punctuation = [&row[1].text, &row[3].text, &row[5].text];
        let is_row = punctuation.into_iter().eq([",", ",", ";"]) && row[4].literal.is_some();
        row[2].literal.as_ref().filter(|_| is_row)
    });
    rows.map(|name| format!("audit event {name}")).collect()
}

/// The arms `Self::Registered => "Registered"`.
fn reasons(module: &Module) -> Vec<String> {
    let arms = module.code.tokens.windows(6);
    let arms = arms.filter_map(|arm| {
        let is_arm = arm[0].text == "Self"
            && arm[1].text == "::"
            && arm[3].text == "="
            && arm[4].text == ">";
        arm[5].literal.as_ref().filter(|_| is_arm)
    });
    arms.map(|name| format!("condition reason {name}"))
        .collect()
}

/// Names of objects, and of what lies in them.
fn objects(module: &Module) -> Vec<String> {
    let mut names = Vec::new();
    let operator = module.file.starts_with("src/operator/");
    let constants = module
        .code
        .tokens
        .windows(7)
        .filter(|window| operator && window[0].text == "const");
    for window in constants {
        // const NAME : & str = "value"
        let value = window[6].literal.as_ref();
        let matching = CONSTANTS.iter().filter(|(part, _)| window[1].text == *part);
        names.extend(matching.filter_map(|(_, what)| Some(format!("{what} {}", value?))));
    }
    for text in module.code.literals() {
        let held = LITERALS.iter().filter(|(_, literal)| *literal == text);
        names.extend(held.map(|(what, literal)| format!("{what} {literal}")));
    }
    names
}

fn listed(list: &str) -> BTreeSet<String> {
    let lines = list
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty());
    lines.map(str::to_owned).collect()
}

/// How the names of the sources differ from the list.
pub fn compare(list: &str, names: &BTreeSet<String>) -> Vec<String> {
    let listed = listed(list);
    let missing = listed.difference(names);
    let missing = missing.map(|name| {
        format!("{name}: is stored or public, and was renamed or removed; give it back its name")
    });
    let new = names.difference(&listed);
    let new =
        new.map(|name| format!("{name}: is new; `cargo run -p xtask -- record` adds it to {LIST}"));
    missing.chain(new).collect()
}

/// Adds to the list what the sources have and it has not. Returns how many.
pub fn record(project: &Project) -> io::Result<usize> {
    let path = root().join(LIST);
    let mut all = if path.exists() {
        listed(&read(LIST))
    } else {
        BTreeSet::new()
    };
    let before = all.len();
    all.extend(names(project));
    let lines: Vec<&str> = all.iter().map(String::as_str).collect();
    fs::write(path, format!("{HEADER}{}\n", lines.join("\n")))?;
    Ok(all.len() - before)
}

#[cfg(test)]
mod tests;
