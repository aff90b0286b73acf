//! What only a real API server can judge. Each test has a namespace of its own; most share one cluster.

mod admission;
mod explain;
mod forgery;
mod isolation;
mod issue;
mod namespaces;
mod policies;
mod refusals;
mod repair;
mod reshape;
mod rights;
mod samples;
