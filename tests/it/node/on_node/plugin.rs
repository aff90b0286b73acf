//! What the kubectl plugin shows of an installation: only on a node does the API server reach the metrics of a pod.

use serde_json::Value;

use super::installation::{Installation, SYSTEM};
use crate::node::drill::Row;

/// Three replicas, each by its own metrics, one of which leads.
pub fn status(on: &Installation) -> Row {
    let (drill, goal) = (
        "kubectl clientele status",
        "version, watches and database of each replica, and who leads",
    );
    let arguments = ["status", "--namespace", SYSTEM, "--output", "json"];
    let said = match on.node.plugin(&arguments) {
        Ok(said) => said,
        Err(error) => return Row::holds(drill, goal, &error, false),
    };
    let said: Value = serde_json::from_str(&said).unwrap();
    let installation = &said["installations"][0];
    let replicas = installation["replicas"].as_array().cloned();
    let replicas = replicas.unwrap_or_default();
    let is_whole = |replica: &&Value| {
        let metrics = &replica["metrics"];
        replica["ready"] == true
            && metrics["version"] == env!("CARGO_PKG_VERSION")
            && metrics["databaseUp"] == true
            && metrics["watches"].as_f64() > Some(0.0)
            && metrics["oldestWatchSeconds"].is_number()
    };
    let whole = replicas.iter().filter(is_whole).count();
    let leading: Vec<&Value> = replicas
        .iter()
        .filter(|replica| replica["metrics"]["leads"] == true)
        .map(|replica| &replica["name"])
        .collect();
    // The Lease says the same as the replica itself.
    let one_leads = matches!(leading[..], [name] if installation["leader"]["replica"]
        .as_str()
        .zip(name.as_str())
        .is_some_and(|(holder, name)| holder.starts_with(name)));
    let seen = format!("{whole} of {}; leads: {leading:?}", replicas.len());
    Row::holds(drill, goal, &seen, whole == 3 && one_leads)
}
