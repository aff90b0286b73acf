//! What the admission policies of the chart let whom do, whatever their rights are.

mod secrets;
mod status;
mod tenants;
