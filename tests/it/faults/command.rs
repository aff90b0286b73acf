//! A command of an administrator, through a proxy of its own: said again until it succeeds, the first time perhaps
//! with a fault at one of its writes.

use std::sync::Arc;

use clientele_operator::error::Error;
use clientele_operator::root_key::rotate::{Place, rotate};
use clientele_operator::settings::INSTALLATION;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::Api;
use kube::api::PostParams;
use serde_json::json;

use super::bug::Bug;
use super::fault_cluster::OWN;
use super::fault_proxy::{Fault, FaultProxy};
use super::root_keys::with_others_withdrawn;
use super::run::Run;

/// What is to happen to the next command, and what happened to the last one.
#[derive(Debug, Default)]
pub struct Command {
    /// The fault at one of its writes.
    pub fault: Option<Fault>,
    /// What is wrong with it.
    pub bug: Option<Bug>,
    /// How many writes it made.
    pub writes: usize,
}

/// `clientele root-key rotate`.
pub async fn rotate_root_key(run: &Arc<Run>, emergency: bool) {
    let (fault, bug) = {
        let mut command = run.command.lock().unwrap();
        (command.fault.take(), command.bug)
    };
    let first = FaultProxy::of_administrator(run);
    first.arm(fault, None);
    let mut done = say(&first, emergency, bug).await;
    if fault.is_some() && !first.fired.is_cancelled() {
        run.object("the fault of the command did not happen".to_owned());
    }
    while done.is_none() {
        done = say(&FaultProxy::of_administrator(run), emergency, bug).await;
    }
    // What is tried again, because the operator was faster, counts once: a key is added, and the others are withdrawn by
    // the marks, and leave the Secret.
    let most = if emergency { 3 } else { 1 };
    run.command.lock().unwrap().writes = first.writes().len().min(most);
}

/// Says it once. `None` if it has failed, or was killed.
async fn say(proxy: &Arc<FaultProxy>, emergency: bool, bug: Option<Bug>) -> Option<()> {
    let (kube, name) = (proxy.client(), &proxy.run.root_key);
    let place = Place {
        namespace: OWN,
        name,
    };
    let command = async {
        if bug == Some(Bug::WithdrawsFirst) {
            withdraw_all(&kube).await?;
            rotate(&kube, place, false).await?;
        } else {
            rotate(&kube, place, emergency).await?;
        }
        Ok::<(), Error>(())
    };
    tokio::select! {
        () = proxy.died.cancelled() => None,
        done = command => done.ok(),
    }
}

/// Withdraws every root key that is recorded. The command itself leaves the one that derives.
async fn withdraw_all(kube: &kube::Client) -> Result<(), Error> {
    const DOING: &str = "withdraw every root key";
    let api: Api<ConfigMap> = Api::namespaced(kube.clone(), OWN);
    let marks = api.get(INSTALLATION).await.map_err(Error::api(DOING))?;
    let all = with_others_withdrawn(&json!(marks), "");
    let all: ConfigMap = serde_json::from_value(all).unwrap();
    let params = PostParams::default();
    let replaced = api.replace(INSTALLATION, &params, &all).await;
    replaced.map(drop).map_err(Error::api(DOING))
}
