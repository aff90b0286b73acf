//! Clients that have no secret, on a real API server.

mod keys;
