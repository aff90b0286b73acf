//! Clientele: a Kubernetes operator with an OAuth 2.1 / OpenID Connect server inside.
//!
//! This crate puts the others together: it parses the command line, builds the parts and runs them. See `ARCHITECTURE.md`.

pub mod config;
pub mod logging;
pub mod run;
pub mod traces;
