//! The project for the tests of this crate, parsed once, and small ones with a planted violation.

use std::sync::OnceLock;

use crate::project::Project;

/// This repository.
pub fn here() -> &'static Project {
    static PROJECT: OnceLock<Project> = OnceLock::new();
    PROJECT.get_or_init(|| Project::load().unwrap_or_else(|error| panic!("{error}")))
}

/// A source tree of these files.
pub fn planted(files: &[(&str, &str)]) -> Project {
    let files = files
        .iter()
        .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()));
    Project::of(files.collect()).unwrap_or_else(|error| panic!("{error}"))
}
