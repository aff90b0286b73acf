//! The authorization endpoint: its parameters, its errors, and where they are sent.

mod destination;
mod error_table;
mod request;
mod size;
