//! What every part of the process records and relies on: the audit log, histograms, spans, the supervisor of long tasks, and
//! threads for work that keeps a processor busy.

pub mod audit;
pub mod fair_queue;
pub mod gate;
pub mod histogram;
pub mod supervisor;
pub mod trace;
pub mod workers;
