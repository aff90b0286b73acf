//! `clientele root-key rotate`: with the kubeconfig of an administrator, whether or not the operator runs.

use anyhow::Context;

use super::connect::{connect, install_crypto_provider};
use clientele_operator::root_key::rotate::{Place, rotate as rotate_by};

/// Rotates the root key; returns the message to print.
pub fn rotate(namespace: &str, name: &str, emergency: bool) -> anyhow::Result<String> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("the runtime could not be started")?
        .block_on(run(Place { namespace, name }, emergency))
}

async fn run(place: Place<'_>, emergency: bool) -> anyhow::Result<String> {
    install_crypto_provider()?;
    let (kube, _) = connect(None).await?;
    let Place { namespace, name } = place;
    let rotated = rotate_by(&kube, place, emergency).await;
    let id = rotated.with_context(|| {
        format!(
            "the root key in Secret {namespace}/{name} was not rotated; it is safe to try again"
        )
    })?;
    let what_follows = if emergency {
        "Every other one is withdrawn: earlier client secrets, refresh tokens and sessions have stopped, and the operator writes every credentials Secret again. Applications have to read theirs again"
    } else {
        "Clients move to it one after the other, and the former key leaves when no client and no session needs it"
    };
    Ok(format!(
        "Root key {id} is now current. {what_follows}. Back up Secret {namespace}/{name}.\n"
    ))
}
