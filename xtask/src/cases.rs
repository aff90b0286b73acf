//! The tables of attacks, of faults and of operations. Rows F01 to F20 and O01 to O09 are rows of two; a test named after
//! one stands in either.

use std::collections::BTreeSet;

use crate::known::judge;
use crate::source::none;
use crate::table::{OPERATIONS, Table, rows_of, test_names};

const ATTACKS: &str = "tests/attack-cases.md";
const FAULTS: &str = "tests/fault-cases.md";

/// How many rows each section of the table of attacks has, and how many properties there are.
const SECTIONS: [(char, usize); 17] = [
    ('a', 32),
    ('b', 38),
    ('c', 22),
    ('d', 29),
    ('e', 24),
    ('f', 20),
    ('g', 13),
    ('h', 16),
    ('i', 20),
    ('j', 17),
    ('k', 25),
    ('l', 14),
    ('m', 14),
    ('n', 10),
    ('o', 17),
    ('p', 7),
    ('q', 12),
];

fn attacks() -> BTreeSet<String> {
    let sections = SECTIONS.iter();
    let rows = sections.flat_map(|&(section, rows)| (1..=rows).map(move |row| (section, row)));
    let named = rows.map(|(section, row)| match section {
        'p' => format!("p{row}"),
        _ => format!("{section}{row:02}"),
    });
    named.collect()
}

#[test]
fn every_attack_has_a_test_or_a_reason_to_wait() {
    Table::read(ATTACKS).is_complete(&attacks());
}

#[test]
fn every_fault_has_a_test_or_a_reason_to_wait() {
    let all = (1..=93).map(|row| format!("f{row:02}")).collect();
    Table::read(FAULTS).is_complete(&all);
}

#[test]
fn every_operation_has_a_test_or_is_listed_as_open() {
    let all = (1..=19).map(|row| format!("o{row:02}")).collect();
    let table = Table::read(OPERATIONS);
    table.is_complete(&all);
    none(
        &judge("open-operations", &table.waiting()),
        "rows of operation-cases.md without a test",
    );
}

#[test]
fn every_test_that_a_table_names_exists() {
    Table::read(OPERATIONS).names_tests();
    Table::read(ATTACKS).names_tests();
    Table::read(FAULTS).names_tests();
}

#[test]
fn every_test_named_after_a_row_stands_in_it() {
    let tables = [ATTACKS, FAULTS, OPERATIONS].map(Table::read);
    let mut missing = Vec::new();
    for test in test_names() {
        for row in rows_of(&test) {
            let said: Vec<bool> = tables
                .iter()
                .filter_map(|table| table.says(&row, &test))
                .collect();
            if !said.is_empty() && !said.contains(&true) {
                missing.push(format!("{row}: `{test}`"));
            }
        }
    }
    none(&missing, "named after a row and not in it");
}
