//! What only a real API server can judge. Each test has a namespace of its own; most share one cluster.

mod admission;
mod credentials;
mod dashboard;
mod disaster;
mod documented;
mod ha;
mod install;
mod plugin;
mod root_key;
mod rotation;
mod security;
mod tracing;
mod users;
