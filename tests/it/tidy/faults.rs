//! The table of faults, tests/fault-cases.md: every row has tests that exist, or says what it waits for.

use std::collections::BTreeSet;

use super::attacks::{named_in, rows_of, table, test_names};
use super::source::none;

pub const TABLE: &str = "tests/fault-cases.md";

/// How many faults there are.
const ROWS: usize = 92;

/// The rows whose names are names of attacks, too.
const SHARED: usize = 20;

#[test]
fn every_fault_has_a_test_or_a_reason_to_wait() {
    let table = table(TABLE);
    let listed: BTreeSet<String> = table.keys().cloned().collect();
    let all: BTreeSet<String> = (1..=ROWS).map(|row| format!("f{row:02}")).collect();
    assert_eq!(listed, all, "the rows of {TABLE}");
    let open: Vec<String> = table
        .iter()
        .filter(|(_, cell)| named_in(cell).is_empty() && !cell.contains("later: "))
        .map(|(row, _)| row.clone())
        .collect();
    none(&open, "rows with neither a test nor `later: why`");
}

#[test]
fn every_test_that_the_table_of_faults_names_exists() {
    let tests = test_names();
    let mut missing = Vec::new();
    for (row, cell) in table(TABLE) {
        // What a row waits for may quote a field.
        let cell = cell.split("later: ").next().unwrap_or_default();
        let names = named_in(cell).into_iter();
        missing.extend(
            names
                .filter(|name| !tests.contains(*name))
                .map(|name| format!("{row}: {name}")),
        );
    }
    none(&missing, "named in the table, and not a test");
}

#[test]
fn every_test_named_after_a_fault_stands_in_its_row() {
    let table = table(TABLE);
    let mut missing = Vec::new();
    for test in test_names() {
        for row in rows_of(&test) {
            let only_a_fault = row
                .strip_prefix('f')
                .and_then(|number| number.parse::<usize>().ok())
                .is_some_and(|number| number > SHARED);
            let listed = table
                .get(&row)
                .is_some_and(|cell| named_in(cell).contains(&&*test));
            if only_a_fault && !listed {
                missing.push(format!("{row}: `{test}`"));
            }
        }
    }
    none(&missing, "named after a row and not in it");
}
