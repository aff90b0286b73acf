//! The chart, the manifests and what the API says about itself.

mod definitions;
mod example;
mod explain;
mod installation;
pub mod namespaces;
mod pod;
mod samples;
