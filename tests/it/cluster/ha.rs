//! Several operators, restarts, and clients that are many.

mod fairness;
mod lagging;
mod outages;
pub mod replicas;
mod restart;
