//! The token endpoint: its requests, its grants, its errors.

mod clock;
mod code_grant;
mod error_table;
mod grants;
mod refresh_grant;
mod request;
