//! Several operators, restarts, and clients that are many.

mod fairness;
mod lagging;
pub mod replicas;
mod restart;
