//! Clientele: a Kubernetes operator with an OAuth 2.1 / OpenID Connect server inside.

pub mod api;
pub mod controller;
pub mod http;
pub mod oauth;
