//! What every part of the process records and relies on: the audit log, histograms, and the supervisor of long tasks.

pub mod audit;
pub mod histogram;
pub mod supervisor;
