//! The protocol level: the router in this process, or a listener on loopback. Each test is named after
//! the row of the table of attacks that it answers, or after the RFC section.

mod audit;
mod authorize;
mod browser;
mod client_auth;
mod dashboard;
mod import;
mod metadata;
mod token_endpoint;
mod tokens;
mod traces;
mod wire;
