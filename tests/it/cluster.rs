//! What only a real API server can judge. Each test has a namespace of its own; most share one cluster.

mod delete;
mod forgery;
mod installation;
mod issue;
mod leaks;
mod outage;
mod repair;
mod reshape;
mod restart;
mod root_key;
mod signing;
