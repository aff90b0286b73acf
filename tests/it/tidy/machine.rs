//! What a test takes from the machine is what `tests/it/support.rs` lists.

use xtask::source::{none, rust_files};

#[test]
fn a_test_starts_programs_with_a_pinned_environment() {
    let findings: Vec<String> = rust_files("tests/it")
        .iter()
        .filter(|file| file.path != "tests/it/support/machine.rs" && !file.path.ends_with(THIS))
        .filter(|file| file.text.contains("Command::new("))
        .map(|file| file.path.clone())
        .collect();
    none(
        &findings,
        "programs are started by machine::program or machine::build_tool",
    );
}

/// It names what it forbids.
const THIS: &str = "tidy/machine.rs";
