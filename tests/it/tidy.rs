//! What needs the program to be checked: documents, alerts and generated files say what it does.
//!
//! The other checks of the source tree are those of the package `xtask`. Needs no cluster; `make check` runs both.

mod alerts;
mod artifact_hub;
mod chart;
mod dashboard;
mod documents;
mod generated;
mod machine;
#[path = "../../examples/metrics/page.rs"]
mod metrics_page;
mod monitoring;
mod olm;
mod platform;
pub mod releases;
