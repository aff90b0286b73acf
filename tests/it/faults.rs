//! The exhaustive runs: a workload runs once without a fault, then again with a fault at every write and in every
//! interval of watch events, and the two must not differ.
//!
//! The operator runs in this process and talks to a real API server through a [`fault_proxy::FaultProxy`], the one
//! place that numbers its writes and ends, delays or fails them. Nothing is sampled: `fault-cases.md` says why chance
//! does not find these.

mod act;
mod bug;
mod call;
mod case;
mod churn;
mod command;
mod crashes;
mod cuts;
mod difference;
mod exhaustive_runs;
mod fault_cluster;
mod fault_proxy;
mod hashing;
mod leaks;
mod normalized_snapshot;
mod object_history;
mod operator;
mod oracles;
mod planted;
mod root_keys;
mod run;
mod run_driver;
mod storms;
mod wire;
mod workloads;
