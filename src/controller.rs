//! The Kubernetes world: read → plan → write, and the observer that turns watches into the registry.
//!
//! The controller writes Kubernetes and nothing else; the observer replaces the registry and nothing
//! else. They meet in [`register::register`], a pure function. This folder knows neither axum nor hyper.

pub mod brake;
pub mod claims;
pub mod credentials_secret;
pub mod facts;
pub mod plan;
pub mod policy;
pub mod reason;
pub mod register;
pub mod status;
