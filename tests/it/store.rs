//! The store: one contract, over SQLite and PostgreSQL.

mod codes;
mod samples;
