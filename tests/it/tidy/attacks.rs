//! The table of attacks, tests/attack-cases.md: every row has tests that exist, or says why it has none yet.

use std::collections::{BTreeMap, BTreeSet};

use super::faults;
use super::source::{none, read, rust_files};

const TABLE: &str = "tests/attack-cases.md";

/// How many rows each section of the table of attacks has, and how many properties there are.
const SECTIONS: [(char, usize); 14] = [
    ('a', 30),
    ('b', 38),
    ('c', 21),
    ('d', 29),
    ('e', 24),
    ('f', 20),
    ('g', 13),
    ('h', 16),
    ('i', 20),
    ('j', 16),
    ('k', 25),
    ('l', 14),
    ('m', 14),
    ('p', 7),
];

fn all_rows() -> BTreeSet<String> {
    SECTIONS
        .iter()
        .flat_map(|&(section, rows)| {
            (1..=rows).map(move |row| match section {
                'p' => format!("p{row}"),
                _ => format!("{section}{row:02}"),
            })
        })
        .collect()
}

/// What the table says of each row: the last cell.
pub fn table(path: &str) -> BTreeMap<String, String> {
    let mut rows = BTreeMap::new();
    for line in read(path).lines() {
        let cells: Vec<&str> = line.split(" | ").collect();
        let row = cells[0].trim_start_matches("| ").to_lowercase();
        let is_row = row.len() <= 3 && row.bytes().any(|b| b.is_ascii_digit());
        if let (true, Some(last)) = (is_row, cells.last()) {
            let last = last.trim_end_matches(" |").to_owned();
            assert!(
                rows.insert(row.clone(), last).is_none(),
                "{row} stands twice"
            );
        }
    }
    rows
}

/// Every test of the project, by the function's name.
pub fn test_names() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for file in ["src", "tests/it"].into_iter().flat_map(rust_files) {
        let mut is_test = false;
        for line in file.text.lines().map(str::trim) {
            is_test |= line.starts_with("#[test]") || line.starts_with("#[tokio::test");
            let name = line
                .trim_start_matches("async ")
                .strip_prefix("fn ")
                .and_then(|rest| rest.split(['(', '<']).next());
            if let (true, Some(name)) = (is_test, name) {
                names.insert(name.to_owned());
                is_test = false;
            }
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
    let is_row = matches!(section.as_bytes(), [b'a'..=b'm' | b'p'])
        && number.len() == digits
        && number.bytes().all(|b| b.is_ascii_digit());
    is_row.then(|| number.parse().ok())?
}

pub fn named_in(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

#[test]
fn every_attack_has_a_test_or_a_reason_to_wait() {
    let table = table(TABLE);
    let listed: BTreeSet<String> = table.keys().cloned().collect();
    assert_eq!(listed, all_rows(), "the rows of {TABLE}");
    let open: Vec<String> = table
        .iter()
        .filter(|(_, cell)| named_in(cell).is_empty() && !cell.contains("later: "))
        .map(|(row, _)| row.clone())
        .collect();
    none(&open, "rows with neither a test nor `later: why`");
}

#[test]
fn every_test_that_the_table_of_attacks_names_exists() {
    let tests = test_names();
    let missing: Vec<String> = table(TABLE)
        .iter()
        .flat_map(|(row, cell)| {
            let names = named_in(cell).into_iter();
            let missing = names.filter(|name| !tests.contains(*name));
            missing
                .map(|name| format!("{row}: {name}"))
                .collect::<Vec<_>>()
        })
        .collect();
    none(&missing, "named in the table, and not a test");
}

#[test]
fn every_test_named_after_an_attack_stands_in_its_row() {
    let table = table(TABLE);
    let faults = self::table(faults::TABLE);
    let mut missing = Vec::new();
    for test in test_names() {
        for row in rows_of(&test) {
            // F21 and above are rows of the table of faults.
            let Some(cell) = table.get(&row) else {
                continue;
            };
            let is_in = |cell: &str| named_in(cell).contains(&test.as_str());
            // F01 to F20 are rows of both.
            let of_a_fault = faults.get(&row).is_some_and(|cell| is_in(cell));
            if !is_in(cell) && !of_a_fault {
                missing.push(format!("{row}: `{test}`"));
            }
        }
    }
    none(&missing, "named after a row and not in it");
}
