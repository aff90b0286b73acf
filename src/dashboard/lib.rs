//! The dashboard: administrators see and manage OAuth clients on a page.
//!
//! Local mode: it listens on 127.0.0.1 and acts with the rights of the kubeconfig of the person who starts it. It is a
//! process of its own: never that of the operator, which holds the root key, and never at the address of the issuer.

#![cfg_attr(
    test,
    allow(
        clippy::needless_pass_by_value,
        reason = "json! where it is needed reads better than a reference to it"
    )
)]

mod app;
mod assets;
mod client;
mod cluster;
mod form;
mod guard;
mod list;
mod open;
mod page;
mod peer;
mod person;
mod problem;
mod routes;
mod rows;
pub mod server;
mod session;

use std::process::ExitCode;

use clientele_kubectl::args::{ClusterFlags, DashboardFlags};

pub use client::{lifetimes, secret::FORMATS};

/// Serves until the person presses Ctrl+C.
pub fn run_to_completion(cluster: &ClusterFlags, args: &DashboardFlags) -> ExitCode {
    // Fails only if a provider is installed already, which then serves as well.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    let done = match runtime {
        Ok(runtime) => runtime.block_on(server::run(cluster, args)),
        Err(error) => Err(clientele_kubectl::Failure::new(format!(
            "the runtime cannot be started: {error}"
        ))),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::FAILURE
        }
    }
}
