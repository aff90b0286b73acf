//! Clientele: a Kubernetes operator with an OAuth 2.1 / OpenID Connect server inside.
//!
//! [`oauth`] is the core and knows nothing of the others; [`controller`] is the Kubernetes world and
//! [`http`] the web world, and they do not know each other. See `ARCHITECTURE.md`.

pub mod api;
pub mod audit;
pub mod config;
pub mod histogram;
pub mod http;
pub mod logging;
pub mod oauth;
pub mod operator;
pub mod run;
pub mod store;
pub mod supervisor;
