//! What a reader relies on and no compiler checks: which room may import which, names, sizes, tables of cases.
//!
//! Each module is a rule: functions from a [`project::Project`] to findings. Its tests apply the rule to this repository,
//! and to sources with a planted violation, which the rule must find. The rules read production code as `rustc` compiles
//! it: [`code`] cuts out what is compiled for tests only, and [`project`] follows `mod` declarations from each crate's
//! root. `make check` runs the tests; `cargo test -p xtask` runs them alone. The crates of the program are not
//! dependencies, so the rules build in seconds.

#[cfg(test)]
mod cases;
pub mod circles;
pub mod code;
pub mod imports;
pub mod known;
pub mod limits;
pub mod manifests;
pub mod messages;
pub mod names;
pub mod never_renamed;
pub mod olm;
pub mod pictures;
pub mod project;
pub mod references;
pub mod retired;
pub mod rules;
pub mod shell;
pub mod sizes;
pub mod source;
pub mod storeys;
pub mod table;
#[cfg(test)]
mod testing;
