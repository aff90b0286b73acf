//! Clients and people of other servers → manifests, Secrets and a report that says field by field what became of it.
//! A reader is a function from documents to an `Import`: no clock, no network, the same bytes from the same input.

mod apply;
mod authelia;
mod authentik;
pub mod command;
mod dex;
pub mod documents;
mod draft;
mod durations;
mod folder;
mod kaniop;
mod keycloak;
mod keycloak_client;
mod keycloak_cr;
mod keycloak_user;
mod maester;
pub mod model;
mod names;
pub mod needs;
mod password;
mod pocket_id;
pub mod preview;
mod prove;
mod readers;
mod rules;
mod settings;
mod tenant_now;
mod tenant_patch;
#[cfg(test)]
mod tests;
mod user_draft;

pub use readers::read;
pub use settings::Settings;
