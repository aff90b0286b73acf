//! The protocol level: the router in this process, or a listener on loopback. Each test is named after
//! the row of the table of attacks that it answers, or after the RFC section.

mod access_token;
mod admin;
mod authentication;
mod clock;
mod code_grant;
mod connections;
mod cors;
mod error_table;
mod grants;
mod http1;
mod http2;
mod introspection;
mod metadata;
mod people_tokens;
mod redaction;
mod refresh_grant;
mod revocation;
mod rotation;
mod tls;
mod token_request;
mod userinfo;
