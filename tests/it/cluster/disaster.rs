//! The API server, the disk or the whole cluster fails, and what comes back.

mod carried;
mod disk;
mod keys;
mod outage;
mod restored;
