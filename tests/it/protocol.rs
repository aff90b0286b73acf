//! The protocol level: the router in this process, or a listener on loopback. Each test is named after
//! the row of the table of attacks that it answers, or after the RFC section.

mod access_token;
mod admin;
mod authentication;
mod clock;
mod connections;
mod error_table;
mod grants;
mod http1;
mod http2;
mod metadata;
mod redaction;
mod rotation;
mod tls;
mod token_request;
