//! Which replica writes: the election and its Lease.

pub mod election;
pub mod lease;
