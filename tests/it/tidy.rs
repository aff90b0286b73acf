//! What a reader relies on and no compiler checks: who may know whom, names, sizes, generated files, documents.
//!
//! Needs no cluster; `make check` runs these tests, too.

mod alerts;
mod cases;
mod documents;
mod generated;
mod imports;
mod machine;
mod names;
mod sizes;
mod source;
mod table;
