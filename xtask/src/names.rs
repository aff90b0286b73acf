//! Names and layout.

use crate::code::{Code, Part};
use crate::project::Project;
use crate::source::{Source, rust_files};
use crate::table::tests_of;

/// A type with such a name has not found out yet what it is.
const EMPTY_WORDS: [&str; 9] = [
    "Manager", "Service", "Helper", "Helpers", "Util", "Utils", "Info", "Impl", "Data",
];

/// Types of `http_body::Body` and of `tower::Layer`.
const OF_TRAITS: [&str; 2] = ["Data", "Service"];

/// The keywords that declare a type.
pub const TYPES: [&str; 5] = ["struct", "enum", "trait", "type", "union"];

/// Types whose names end in an empty word, unit tests included.
pub fn empty_words(project: &Project) -> Vec<String> {
    let mut findings = Vec::new();
    for (path, text) in &project.files {
        let code =
            Code::parse(text, Part::Everything).unwrap_or_else(|error| panic!("{path}: {error}"));
        let is_empty = |name: &&str| {
            let of_trait = OF_TRAITS.contains(name);
            !of_trait && EMPTY_WORDS.iter().any(|word| name.ends_with(word))
        };
        findings.extend(
            code.declared(&TYPES)
                .filter(is_empty)
                .map(|name| format!("{path}: {name}")),
        );
    }
    findings
}

/// Files `foo/mod.rs`.
pub fn mod_files<'a>(files: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mod_files = files.filter(|path| path.ends_with("/mod.rs"));
    mod_files.map(str::to_owned).collect()
}

/// Files that do not begin with `//! `. A file of unit tests is told by the file beside it.
pub fn silent<'a>(files: impl Iterator<Item = &'a Source>) -> Vec<String> {
    let files = files.filter(|file| !(file.path.contains("src/") && file.is_test()));
    let silent = files.filter(|file| !file.text.starts_with("//! "));
    silent.map(|file| file.path.clone()).collect()
}

/// Integration tests with a name of more than 60 characters.
pub fn long_test_names<'a>(files: impl Iterator<Item = &'a Source>) -> Vec<String> {
    let names = files.flat_map(|file| tests_of(&file.text));
    names.filter(|name| name.len() > 60).collect()
}

/// Every Rust file of the repository.
pub fn everything() -> Vec<Source> {
    let folders = ["src", "xtask/src", "tests", "benches", "examples", "fuzz"];
    folders.into_iter().flat_map(rust_files).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::none;
    use crate::testing::{here, planted};

    #[test]
    fn the_name_of_a_type_says_what_it_is() {
        none(
            &empty_words(here()),
            &format!("no type ends in one of {EMPTY_WORDS:?}"),
        );
        let code = "#[cfg(test)]\nmod tests;\nmacro_rules! m { () => { pub enum KeyInfo {} } }";
        let planted = planted(&[
            ("src/a/lib.rs", code),
            ("src/a/tests.rs", "struct JobManager; struct Datatype;"),
        ]);
        assert_eq!(
            empty_words(&planted),
            ["src/a/lib.rs: KeyInfo", "src/a/tests.rs: JobManager"]
        );
    }

    #[test]
    fn the_name_of_a_test_has_at_most_60_characters() {
        let levels = ["cluster", "faults", "protocol", "store"];
        let files = levels
            .into_iter()
            .flat_map(|level| rust_files(&format!("tests/it/{level}")));
        let files: Vec<Source> = files.collect();
        none(&long_test_names(files.iter()), "longer than 60 characters");
        let long = "a_name_that_says_far_too_much_about_what_the_test_does_and_why";
        let planted = Source {
            path: "tests/it/store/a.rs".to_owned(),
            text: format!("#[test]\nfn {long}() {{}}\n#[test]\nfn short() {{}}\n"),
        };
        assert_eq!(long_test_names([planted].iter()), [long]);
    }

    #[test]
    fn a_folder_has_its_file_beside_it() {
        let files = everything();
        none(
            &mod_files(files.iter().map(|file| &*file.path)),
            "foo.rs beside foo/, never foo/mod.rs",
        );
        assert_eq!(
            mod_files(["src/a/mod.rs", "src/a/model.rs"].into_iter()),
            ["src/a/mod.rs"]
        );
    }

    #[test]
    fn every_file_says_what_it_is_for() {
        none(
            &silent(everything().iter()),
            "a file begins with its one job: //! …",
        );
        let file = |path: &str, text: &str| Source {
            path: path.to_owned(),
            text: text.to_owned(),
        };
        let planted = [
            file("src/a/b.rs", "fn f() {}"),
            file("src/a/tests.rs", ""),
            file("tests/it/c.rs", "// no"),
        ];
        assert_eq!(silent(planted.iter()), ["src/a/b.rs", "tests/it/c.rs"]);
    }
}
