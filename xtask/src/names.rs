//! Names and layout.

use super::source::{none, rust_files};

/// A type with such a name has not found out yet what it is.
const EMPTY_WORDS: [&str; 9] = [
    "Manager", "Service", "Helper", "Helpers", "Util", "Utils", "Info", "Impl", "Data",
];

#[test]
fn the_name_of_a_type_says_what_it_is() {
    let findings: Vec<String> = rust_files("src")
        .iter()
        .flat_map(|file| {
            let code = file.everything();
            let bad =
                types(&code).filter(|name| EMPTY_WORDS.iter().any(|word| name.ends_with(word)));
            bad.map(|name| format!("{}: {name}", file.path))
                .collect::<Vec<_>>()
        })
        .collect();
    none(
        &findings,
        &format!("no type ends in one of {EMPTY_WORDS:?}"),
    );
}

/// The types that the code declares.
fn types(code: &str) -> impl Iterator<Item = &str> {
    code.lines().filter_map(|line| {
        let mut words = line
            .trim_start()
            .split(|c: char| !(c.is_alphanumeric() || c == '_'));
        let declares = ["struct", "enum", "trait", "type", "union"];
        words.find(|word| declares.contains(word))?;
        words
            .find(|word| !word.is_empty())
            .filter(|name| name.starts_with(char::is_uppercase))
    })
}

#[test]
fn a_folder_has_its_file_beside_it() {
    let findings: Vec<String> = rust_files("src")
        .into_iter()
        .chain(rust_files("tests"))
        .map(|file| file.path)
        .filter(|path| path.ends_with("/mod.rs"))
        .collect();
    none(&findings, "foo.rs beside foo/, never foo/mod.rs");
}

#[test]
fn every_file_says_what_it_is_for() {
    let findings: Vec<String> = ["src", "tests", "benches", "examples"]
        .into_iter()
        .flat_map(rust_files)
        // A file of unit tests is told by the file beside it.
        .filter(|file| !(file.path.starts_with("src/") && file.is_test()))
        .filter(|file| !file.text.starts_with("//! "))
        .map(|file| file.path)
        .collect();
    none(&findings, "a file begins with its one job: //! …");
}
