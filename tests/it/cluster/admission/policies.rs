//! What the admission policies of the chart let whom do, whatever their rights are.

mod definitions;
mod secrets;
mod status;
mod tenants;
