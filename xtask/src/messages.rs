//! Every message that a user of the program can read, by kind. `xtask/messages/` has a list of each kind, so that a
//! change of a message is seen in a review, and all of them can be read beside each other.
//!
//! A message is a string literal of production code that is a sentence. What is around it decides its kind: an attribute
//! `#[error]`, a log macro, an attribute of clap, else the crate. Doc comments count where clap prints them. The texts of
//! the custom resources are those of the definitions.

use std::collections::{BTreeMap, BTreeSet};
use std::{fs, io};

use crate::code::{Code, Token};
use crate::project::Project;
use crate::source::{self, read, root};

mod definitions;
pub(crate) mod help;

const FOLDER: &str = "xtask/messages";
const REFRESH: &str = "run `cargo run -p xtask -- messages` and commit what it writes";

/// What a message is, which is also the name of its list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// An `#[error]`, or a message of the store and of the common parts.
    Errors,
    /// A log message at info and above.
    Log,
    /// A condition, an event, or a message of a validation.
    Conditions,
    /// An `error_description`, or a text of a page.
    Answers,
    /// A text of `--help`, or what a command prints.
    CommandLine,
    /// A description or a message of a custom resource.
    Definitions,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 6] = [
        Self::Errors,
        Self::Log,
        Self::Conditions,
        Self::Answers,
        Self::CommandLine,
        Self::Definitions,
    ];

    /// The name of its list, without the ending.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Errors => "errors",
            Self::Log => "log",
            Self::Conditions => "conditions-and-events",
            Self::Answers => "answers-and-pages",
            Self::CommandLine => "command-line",
            Self::Definitions => "custom-resources",
        }
    }
}

/// The messages of each kind, each with its file.
pub type Messages = BTreeMap<Kind, BTreeSet<String>>;

/// What is around a literal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Around {
    /// An expression or an item.
    Code,
    /// An attribute that no user reads.
    Attribute,
    /// `#[error(…)]`.
    Error,
    /// `#[arg(…)]`, `#[command(…)]`.
    Help,
    /// A log macro, with its level.
    Log(&'static str),
    /// What only a developer reads: assertions, `expect`, debug logs.
    Internal,
}

/// Every message of a source tree.
pub fn of_code(project: &Project) -> Messages {
    let mut messages = Messages::new();
    let production = project.production();
    for module in production.filter(|module| module.file.starts_with("src/")) {
        let file = &module.file;
        for (around, text) in literals(&module.code) {
            if let Some((kind, text)) = classify(file, around, text) {
                add(&mut messages, kind, file, &text);
            }
        }
        for text in help::texts(&project.files[file]) {
            add(&mut messages, Kind::CommandLine, file, &text);
        }
    }
    messages
}

/// Every message of this repository.
pub fn all(project: &Project) -> Messages {
    let mut messages = of_code(project);
    for file in source::files("crds", &["yaml"]) {
        for (place, text) in definitions::texts(&file) {
            add(&mut messages, Kind::Definitions, &place, &text);
        }
    }
    messages
}

fn add(messages: &mut Messages, kind: Kind, place: &str, text: &str) {
    let text = text.trim().replace('\n', "\\n");
    let list = messages.entry(kind).or_default();
    list.insert(format!("{place}: {text}"));
}

/// The literals with what is around each.
fn literals(code: &Code) -> Vec<(Around, &str)> {
    let mut open = vec![Around::Code];
    let mut found = Vec::new();
    for (at, token) in code.tokens.iter().enumerate() {
        let around = open.last().copied().unwrap_or(Around::Code);
        match token.text.as_str() {
            "(" | "[" | "{" => open.push(context(&code.tokens, at, around)),
            ")" | "]" | "}" => {
                open.pop();
            }
            _ => found.extend(token.literal.as_deref().map(|text| (around, text))),
        }
    }
    found
}

/// What is around the tokens of the group that opens here.
fn context(tokens: &[Token], at: usize, around: Around) -> Around {
    const LEVELS: [&str; 3] = ["error", "warn", "info"];
    const INTERNAL: [&str; 12] = [
        "trace",
        "debug",
        "assert",
        "assert_eq",
        "assert_ne",
        "debug_assert",
        "debug_assert_eq",
        "unreachable",
        "panic",
        "todo",
        "debug_span",
        "info_span",
    ];
    let before = |back: usize| {
        at.checked_sub(back)
            .map_or("", |at| tokens[at].text.as_str())
    };
    let bang = before(1) == "!";
    if tokens[at].text == "[" && (before(1) == "#" || bang && before(2) == "#") {
        return Around::Attribute;
    }
    match (around, before(1)) {
        (Around::Attribute, "error") if before(2) == "[" => Around::Error,
        (Around::Attribute, "arg" | "command" | "value" | "group") if before(2) == "[" => {
            Around::Help
        }
        (Around::Code, "expect") if before(2) == "." => Around::Internal,
        (Around::Code, "!") if INTERNAL.contains(&before(2)) => Around::Internal,
        (Around::Code, "!") => {
            let level = LEVELS.into_iter().find(|level| *level == before(2));
            level.map_or(around, Around::Log)
        }
        _ => around,
    }
}

/// The kind and the line of a literal, if it is a message.
fn classify(file: &str, around: Around, text: &str) -> Option<(Kind, String)> {
    let kind = match around {
        Around::Attribute | Around::Internal => return None,
        Around::Error => return Some((Kind::Errors, text.to_owned())),
        Around::Log(level) => {
            let message = text.contains(char::is_whitespace);
            return message.then(|| (Kind::Log, format!("{level}: {text}")));
        }
        Around::Help => Kind::CommandLine,
        Around::Code => match file.split('/').nth(1)? {
            "operator" | "api" => Kind::Conditions,
            "oauth" | "http" | "dashboard" => Kind::Answers,
            "clientele" | "kubectl" => Kind::CommandLine,
            _ => Kind::Errors,
        },
    };
    is_sentence(text).then(|| (kind, text.to_owned()))
}

/// Whether people read it: two words at least, one with a small letter, and neither SQL nor the name of a MAC.
fn is_sentence(text: &str) -> bool {
    const SQL: [&str; 16] = [
        "ALTER", "AND", "BEGIN", "COMMIT", "CREATE", "DELETE", "DROP", "INSERT", "ON", "PRAGMA",
        "SELECT", "SET", "UPDATE", "VACUUM", "WHERE", "WITH",
    ];
    let first = text.split_whitespace().next().unwrap_or_default();
    let sql = SQL.contains(&first) || text.contains("$1") || text.contains(" = $");
    let part = text.starts_with([',', ';']);
    let words = text
        .split_whitespace()
        .map(|word| word.trim_matches(|c: char| c.is_ascii_punctuation()));
    let words = words.filter(|word| word.len() > 1 && word.chars().all(char::is_alphabetic));
    let words: Vec<&str> = words.collect();
    let spoken = words
        .iter()
        .any(|word| word.chars().any(char::is_lowercase));
    words.len() > 1 && spoken && !sql && !part && !crate::never_renamed::is_context(text)
}

fn path(kind: Kind) -> String {
    format!("{FOLDER}/{}.txt", kind.name())
}

fn render(list: Option<&BTreeSet<String>>) -> String {
    let lines = list.into_iter().flatten();
    lines.flat_map(|line| [line.as_str(), "\n"]).collect()
}

/// How the messages of a kind differ from its list.
pub fn compare(kind: Kind, list: &str, messages: &Messages) -> Vec<String> {
    let none = BTreeSet::new();
    let found = messages.get(&kind).unwrap_or(&none);
    let listed: BTreeSet<String> = list.lines().map(str::to_owned).collect();
    let missing = found.difference(&listed);
    let missing = missing.map(|line| format!("missing in {}: {line}; {REFRESH}", path(kind)));
    let stale = listed.difference(found);
    let stale = stale.map(|line| format!("stale in {}: {line}; {REFRESH}", path(kind)));
    missing.chain(stale).collect()
}

/// Writes the lists. Returns how many messages each has.
pub fn record(project: &Project) -> io::Result<Vec<(Kind, usize)>> {
    let messages = all(project);
    fs::create_dir_all(root().join(FOLDER))?;
    let mut counts = Vec::new();
    for kind in Kind::ALL {
        fs::write(root().join(path(kind)), render(messages.get(&kind)))?;
        counts.push((kind, messages.get(&kind).map_or(0, BTreeSet::len)));
    }
    Ok(counts)
}

/// How the messages of this repository differ from the lists.
pub fn judge(project: &Project) -> Vec<String> {
    let messages = all(project);
    let kinds = Kind::ALL.into_iter();
    kinds
        .flat_map(|kind| compare(kind, &read(&path(kind)), &messages))
        .collect()
}

#[cfg(test)]
mod tests;
