//! `who`: which pods use the Secret of a client.

use k8s_openapi::api::core::v1::{Container, Pod, PodSpec};
use kube::Api;
use kube::api::ListParams;
use serde_json::json;

use crate::args::OneName;
use crate::connect::Session;
use crate::failure::{Answer, Failure, Outcome};
use crate::objects::{Kind, text};
use crate::output::{Output, table};

/// Prints the pods; answers no if there are none.
pub async fn run(session: &Session, args: &OneName, output: &mut Output<'_>) -> Answer {
    let object = session.get(Kind::Client, &args.name).await?;
    let secret = text(&object, "/status/secretName");
    let pods = pods(session).await?;
    let users: Vec<(String, String, Vec<&'static str>)> = pods
        .iter()
        .filter_map(|pod| {
            let ways = ways(pod.spec.as_ref()?, secret);
            let owner = pod
                .metadata
                .owner_references
                .as_ref()
                .and_then(|o| o.first());
            let owner = owner.map_or_else(String::new, |o| format!("{}/{}", o.kind, o.name));
            let name = pod.metadata.name.clone().unwrap_or_default();
            (!ways.is_empty()).then_some((name, owner, ways))
        })
        .collect();
    let rows: Vec<Vec<String>> = users
        .iter()
        .map(|(name, owner, ways)| vec![name.clone(), owner.clone(), ways.join(", ")])
        .collect();
    let shown = if rows.is_empty() {
        format!(
            "No pod in namespace {} uses Secret {secret}.\n",
            session.namespace
        )
    } else {
        table(&["POD", "OWNER", "USES IT AS"], &rows)
    };
    let values: Vec<_> = users
        .iter()
        .map(|(name, owner, ways)| json!({ "pod": name, "owner": owner, "as": ways }))
        .collect();
    let names: Vec<String> = users
        .iter()
        .map(|(name, ..)| format!("pod/{name}"))
        .collect();
    output.value(
        &json!({ "secretName": secret, "pods": values }),
        &names,
        &shown,
    )?;
    Ok(Outcome::of(!rows.is_empty()))
}

/// The pods of the namespace, or of all.
pub async fn pods(session: &Session) -> Result<Vec<Pod>, Failure> {
    let api: Api<Pod> = if session.all {
        Api::all(session.client.clone())
    } else {
        Api::namespaced(session.client.clone(), &session.namespace)
    };
    let list = api.list(&ListParams::default()).await;
    let list = list.map_err(|error| session.explain(&error, "list pods"))?;
    Ok(list.items)
}

/// How a pod uses a Secret. A variable does not change while the pod runs; a file does.
pub fn ways(pod: &PodSpec, secret: &str) -> Vec<&'static str> {
    if secret.is_empty() {
        return Vec::new();
    }
    let mut ways = Vec::new();
    let mut volumes = pod.volumes.iter().flatten();
    let mounted = volumes.any(|volume| {
        let direct = volume
            .secret
            .as_ref()
            .and_then(|s| s.secret_name.as_deref());
        let projected = volume
            .projected
            .iter()
            .flat_map(|p| p.sources.iter().flatten());
        let mut projected = projected.filter_map(|source| source.secret.as_ref());
        direct == Some(secret) || projected.any(|source| source.name == secret)
    });
    if mounted {
        ways.push("files");
    }
    let init = pod.init_containers.iter().flatten();
    if pod
        .containers
        .iter()
        .chain(init)
        .any(|container| has_variables(container, secret))
    {
        ways.push("environment");
    }
    ways
}

fn has_variables(container: &Container, secret: &str) -> bool {
    let mut whole = container.env_from.iter().flatten();
    let mut single = container.env.iter().flatten();
    whole.any(|from| {
        from.secret_ref
            .as_ref()
            .is_some_and(|from| from.name == secret)
    }) || single.any(|variable| {
        let from = variable
            .value_from
            .as_ref()
            .and_then(|from| from.secret_key_ref.as_ref());
        from.is_some_and(|from| from.name == secret)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_use_a_secret_is_seen() {
        for (spec, expected) in [
            (json!({ "containers": [] }), &[][..]),
            (
                json!({ "containers": [], "volumes": [{ "name": "v", "secret": { "secretName": "s" } }] }),
                &["files"],
            ),
            (
                json!({ "containers": [], "volumes": [{ "name": "v", "projected": { "sources": [{ "secret": { "name": "s" } }] } }] }),
                &["files"],
            ),
            (
                json!({ "containers": [{ "name": "c", "envFrom": [{ "secretRef": { "name": "s" } }] }] }),
                &["environment"],
            ),
            (
                json!({ "containers": [], "initContainers": [{ "name": "c", "env": [{ "name": "E", "valueFrom": { "secretKeyRef": { "name": "s", "key": "k" } } }] }] }),
                &["environment"],
            ),
            (
                json!({ "containers": [{ "name": "c", "envFrom": [{ "secretRef": { "name": "t" } }] }] }),
                &[],
            ),
        ] {
            let pod: PodSpec = serde_json::from_value(spec.clone()).unwrap();
            assert_eq!(ways(&pod, "s"), expected, "{spec}");
            assert!(ways(&pod, "").is_empty());
        }
    }
}
