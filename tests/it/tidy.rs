//! What a reader relies on and no compiler checks: who may know whom, names, sizes, generated files, documents.
//!
//! Needs no cluster; `make check` runs these tests, too.

mod alerts;
#[path = "../../xtask/src/cases.rs"]
mod cases;
mod documents;
mod generated;
#[path = "../../xtask/src/imports.rs"]
mod imports;
#[path = "../../xtask/src/names.rs"]
mod names;
#[path = "../../xtask/src/sizes.rs"]
mod sizes;
#[path = "../../xtask/src/source.rs"]
mod source;
#[path = "../../xtask/src/table.rs"]
mod table;
