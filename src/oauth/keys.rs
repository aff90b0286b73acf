//! Root keys that derive secrets, and signing keys with their rotation schedule.

pub mod former_key;
pub mod recorded_keys;
pub mod root_keyring;
pub mod seal;
pub mod signing_key_schedule;
pub mod signing_keys;
