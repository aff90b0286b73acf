//! What is issued, and the endpoints that take it: introspection, revocation, userinfo.

mod access_token;
mod error_table;
mod introspection;
mod kinds;
mod people;
mod revocation;
mod userinfo;
