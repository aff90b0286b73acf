//! The source files as text.

use std::fs;
use std::path::{Path, PathBuf};

/// A file of the project.
pub struct Source {
    /// Its path from the root of the project, with `/`.
    pub path: String,
    /// All of it.
    pub text: String,
}

impl Source {
    /// Whether it holds nothing but unit tests.
    pub fn is_test(&self) -> bool {
        self.path.contains("/tests/") || self.path.ends_with("/tests.rs")
    }
}

/// A file of the project as text.
pub fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Where the project lies.
pub fn root() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().expect("this crate has a folder of its own")
}

/// Every Rust file under a folder of the project.
pub fn rust_files(folder: &str) -> Vec<Source> {
    let files = files(folder, &["rs"]);
    assert!(!files.is_empty(), "{folder} has no Rust files");
    files
}

/// Every file under a folder of the project, or the file of that name, with one of these endings.
pub fn files(path: &str, endings: &[&str]) -> Vec<Source> {
    let mut files = Vec::new();
    collect(&root().join(path), &mut files);
    let wanted = |path: &PathBuf| {
        let ending = path.extension().and_then(|ending| ending.to_str());
        ending.is_some_and(|ending| endings.contains(&ending))
    };
    files.retain(wanted);
    files.sort();
    files
        .into_iter()
        .map(|path| Source {
            text: fs::read_to_string(&path)
                .unwrap_or_else(|error| panic!("{}: {error}", path.display())),
            path: path
                .strip_prefix(root())
                .unwrap_or(&path)
                .display()
                .to_string(),
        })
        .collect()
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) {
    // What builds and npm leave behind is not part of the project.
    const FOREIGN: [&str; 2] = ["target", "node_modules"];
    let name = path.file_name().and_then(|name| name.to_str());
    if name.is_some_and(|name| FOREIGN.contains(&name)) {
        return;
    }
    if path.is_dir() {
        let entries =
            fs::read_dir(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        for entry in entries.flatten() {
            collect(&entry.path(), files);
        }
    } else {
        files.push(path.to_owned());
    }
}

/// Fails with every finding on a line of its own.
#[track_caller]
pub fn none(findings: &[String], rule: &str) {
    assert!(findings.is_empty(), "{rule}\n  {}\n", findings.join("\n  "));
}
