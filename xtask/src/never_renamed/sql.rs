//! What the migrations of the store make.

use crate::source::Source;

/// Tables, columns, keys and indexes, and each migration with a digest: databases that applied one refuse another text.
pub fn names(files: &[Source]) -> Vec<String> {
    let mut names = Vec::new();
    for file in files {
        let name = file.path.rsplit('/').next().unwrap_or_default();
        names.push(format!("migration {name} {:016x}", digest(&file.text)));
        let lines = file
            .text
            .lines()
            .filter(|line| !line.trim_start().starts_with("--"));
        let text = lines.collect::<Vec<_>>().join(" ");
        names.extend(
            text.split(';')
                .flat_map(|statement| made_by(statement.trim())),
        );
    }
    names
}

fn made_by(statement: &str) -> Vec<String> {
    let words: Vec<&str> = statement.split_whitespace().collect();
    match words[..] {
        [] => Vec::new(),
        ["CREATE", "TABLE", table, ..] => {
            let columns = statement.split_once('(').map_or("", |(_, columns)| columns);
            let columns = columns.trim_end().trim_end_matches(')');
            let made = split(columns)
                .into_iter()
                .map(|column| match column.split_once(' ') {
                    Some(("PRIMARY", key)) => format!("SQL key {table} {key}"),
                    Some((column, _)) => format!("SQL column {table}.{column}"),
                    None => panic!("not a column: {column:?}"),
                });
            std::iter::once(format!("SQL table {table}"))
                .chain(made)
                .collect()
        }
        ["CREATE", "INDEX", index, ..] | ["CREATE", "UNIQUE", "INDEX", index, ..] => {
            vec![format!("SQL index {index}")]
        }
        ["ALTER", "TABLE", table, "ADD", "COLUMN", column, ..] => {
            vec![format!("SQL column {table}.{column}")]
        }
        _ => panic!("this check does not read {statement:?}: teach it to"),
    }
}

/// What stands between the commas outside parentheses.
fn split(list: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut depth = 0;
    for character in list.chars() {
        match character {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        if character == ',' && depth == 0 {
            parts.push(String::new());
        } else if let Some(part) = parts.last_mut() {
            part.push(character);
        }
    }
    parts.iter().map(|part| part.trim().to_owned()).collect()
}

/// FNV-1a: it need not withstand anybody, only notice a change.
fn digest(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |digest, byte| {
        (digest ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
