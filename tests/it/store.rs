//! The store: one contract over SQLite and PostgreSQL, and what becomes of it when something dies.

mod assertions;
mod backup;
mod cancellation;
mod child;
mod codes;
mod consents;
mod crash;
mod database;
mod failed_logins;
mod families;
mod model;
mod opening;
mod postgres_outages;
mod purge;
mod samples;
mod sessions;
mod subjects;
mod tokens;
mod upgraded_hashes;
mod usage;
