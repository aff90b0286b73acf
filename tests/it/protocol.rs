//! The protocol level: the router in this process, or a listener on loopback. Each test is named after
//! the row of the table of attacks that it answers, or after the RFC section.

mod access_token;
mod account;
mod admin;
mod audit;
mod authentication;
mod authorize_destination;
mod authorize_request;
mod authorize_table;
mod browser_sessions;
mod client_assertions;
mod clock;
mod code_grant;
mod connections;
mod consent;
mod cors;
mod error_table;
mod error_table_people;
mod grants;
mod http1;
mod http2;
mod introspection;
mod logout;
mod metadata;
mod metadata_promises;
mod people_tokens;
mod redaction;
mod redaction_people;
mod refresh_grant;
mod revocation;
mod rotation;
mod sign_in;
mod tls;
mod token_request;
mod userinfo;
mod whole_flow;
