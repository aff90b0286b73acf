//! The tables of cases, each of whose rows has tests that exist, or says what it waits for.

use std::collections::{BTreeMap, BTreeSet};

use crate::known::Findings;
use crate::source::{none, read, rust_files};

/// The faults of installing and operating.
pub const OPERATIONS: &str = "tests/operation-cases.md";

/// A table of cases.
pub struct Table {
    path: &'static str,
    rows: BTreeMap<String, Row>,
}

struct Row {
    tests: BTreeSet<String>,
    waits: bool,
}

impl Table {
    /// Reads it. A row's last cell names tests in backquotes; what stands after `later: ` is what it waits for.
    pub fn read(path: &'static str) -> Self {
        let mut rows = BTreeMap::new();
        for line in read(path).lines() {
            let cells: Vec<&str> = line.split(" | ").collect();
            let name = cells[0].trim_start_matches("| ").to_lowercase();
            let is_row = name.len() <= 3 && name.bytes().any(|b| b.is_ascii_digit());
            if let (true, Some(last)) = (is_row, cells.last()) {
                let twice = rows.insert(name.clone(), Row::read(last)).is_some();
                assert!(!twice, "{name} stands twice in {path}");
            }
        }
        Self { path, rows }
    }

    /// It has these rows, and each has a test or says what it waits for.
    pub fn is_complete(&self, all: &BTreeSet<String>) {
        let listed: BTreeSet<String> = self.rows.keys().cloned().collect();
        assert_eq!(&listed, all, "the rows of {}", self.path);
        let rows = self.rows.iter();
        let open = rows.filter(|(_, row)| row.tests.is_empty() && !row.waits);
        let open: Vec<String> = open.map(|(name, _)| name.clone()).collect();
        none(&open, "rows with neither a test nor `later: why`");
    }

    /// The rows that have no test yet.
    pub fn waiting(&self) -> Findings {
        let rows = self.rows.iter();
        let waiting = rows.filter(|(_, row)| row.tests.is_empty());
        waiting.map(|(name, _)| (name.clone(), 1)).collect()
    }

    /// Every test that it names exists.
    pub fn names_tests(&self) {
        let tests = test_names();
        let mut missing = Vec::new();
        for (name, row) in &self.rows {
            let gone = row.tests.difference(&tests);
            missing.extend(gone.map(|test| format!("{name}: {test}")));
        }
        none(&missing, "named in the table, and not a test");
    }

    /// Whether it has this row, and with it the test.
    pub fn says(&self, row: &str, test: &str) -> Option<bool> {
        self.rows.get(row).map(|row| row.tests.contains(test))
    }
}

impl Row {
    fn read(cell: &str) -> Self {
        // What a row waits for may quote a field.
        let (named, waits) = match cell.split_once("later: ") {
            Some((named, _)) => (named, true),
            None => (cell, false),
        };
        let tests = named.split('`').skip(1).step_by(2);
        Self {
            tests: tests.map(str::to_owned).collect(),
            waits,
        }
    }
}

/// Every test of the project, by the function's name.
pub fn test_names() -> BTreeSet<String> {
    let files = ["src", "tests", "xtask/src"]
        .into_iter()
        .flat_map(rust_files);
    files.flat_map(|file| tests_of(&file.text)).collect()
}

/// The tests of a file, by the function's name.
pub fn tests_of(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut is_test = false;
    for line in text.lines().map(str::trim) {
        is_test |= line.starts_with("#[test]") || line.starts_with("#[tokio::test");
        let name = line
            .trim_start_matches("async ")
            .strip_prefix("fn ")
            .and_then(|rest| rest.split(['(', '<']).next());
        if let (true, Some(name)) = (is_test, name) {
            names.push(name.to_owned());
            is_test = false;
        }
    }
    names
}

/// The rows that a test is named after: `a06_b28_a_sentence` is of A06 and B28, `a04_to_a06_a_sentence` of A04, A05, A06.
pub fn rows_of(test: &str) -> Vec<String> {
    let mut rows: Vec<String> = Vec::new();
    let mut words = test.split('_').peekable();
    while let Some(word) = words.next() {
        let until = words.peek().and_then(|next| number(next));
        match (rows.last().and_then(|row| number(row)), until) {
            (Some(from), Some(until)) if word == "to" => {
                let section = rows[0][..1].to_owned();
                rows.extend((from + 1..until).map(|row| format!("{section}{row:02}")));
            }
            _ if number(word).is_some() => rows.push(word.to_owned()),
            _ => break,
        }
    }
    rows
}

/// The number of a row in its section.
fn number(word: &str) -> Option<usize> {
    let (section, number) = word.split_at_checked(1)?;
    let digits = if section == "p" { 1 } else { 2 };
    let is_row = matches!(section.as_bytes(), [b'a'..=b'p'])
        && number.len() == digits
        && number.bytes().all(|b| b.is_ascii_digit());
    is_row.then(|| number.parse().ok())?
}
