//! What needs the program to be checked: documents, alerts and generated files say what it does.
//!
//! The other checks of the source tree are those of the package `xtask`. Needs no cluster; `make check` runs both.

mod alerts;
mod chart;
mod dashboard;
mod documents;
mod generated;
mod machine;
mod monitoring;
mod platform;
mod releases;
