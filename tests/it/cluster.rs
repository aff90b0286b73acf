//! What only a real API server can judge. Each test has a namespace of its own; most share one cluster.

mod admission;
mod audit;
mod brought;
mod delete;
mod example;
mod explain;
mod fairness;
mod forgery;
mod installation;
mod isolation;
mod issue;
mod leaks;
mod namespaces;
mod outage;
mod policies;
mod refusals;
mod repair;
mod reshape;
mod restart;
mod rights;
mod root_key;
mod rotation;
mod samples;
mod secretless;
mod signing;
mod users;
