//! The two databases, and how one operation runs on either.

pub(crate) mod open;
pub(crate) mod operation;
pub(crate) mod postgres;
pub(crate) mod schema;
pub(crate) mod sqlite;
