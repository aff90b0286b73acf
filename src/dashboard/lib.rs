//! The dashboard: administrators see and manage OAuth clients on a page.
//!
//! Local mode: it listens on 127.0.0.1 and acts with the rights of the kubeconfig of the person who starts it. In the cluster people sign in at
//! the issuer, and it acts with the ID token of each. It is a process of its own: never that of the operator, which holds the root key, and never
//! at the address of the issuer.

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
mod home;
mod import;
mod list;
mod open;
mod page;
mod peer;
mod person;
mod problem;
mod resources;
mod root_key;
mod routes;
mod rows;
pub mod server;
mod session;
mod sign_in;
mod tenants;
mod users;

use std::process::ExitCode;

use clientele_kubectl::args::{ClusterFlags, DashboardFlags};

pub use client::{lifetimes, secret::FORMATS, spec};
pub use sign_in::{Settings as SignInSettings, refuse_origin_of_issuer};

/// Serves one person until they press Ctrl+C.
pub fn run_to_completion(cluster: &ClusterFlags, args: &DashboardFlags) -> ExitCode {
    complete(server::run(cluster, args))
}

/// Serves the people who sign in, until the process is told to end.
pub fn serve_people(settings: &server::ForPeople) -> ExitCode {
    complete(server::run_for_people(settings))
}

fn complete(serving: impl Future<Output = Result<(), clientele_kubectl::Failure>>) -> ExitCode {
    clientele_kubectl::connect::install_crypto_provider();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    let done = match runtime {
        Ok(runtime) => runtime.block_on(serving),
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
