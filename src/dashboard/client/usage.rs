//! Which pods use the credentials Secret of a client.

use clientele_kubectl::shared::{name, namespace, text, ways};
use serde_json::Value;

use crate::cluster::Kind;
use crate::person::Caller;

/// The most pods that are looked through.
const MOST: usize = 1_000;

/// A pod and how it uses the Secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PodUse {
    /// Its name.
    pub pod: String,
    /// What owns it, such as `ReplicaSet/web-5d4`.
    pub owner: String,
    /// `files`, `environment` or both.
    pub ways: String,
}

/// The pods, or why they are not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Usage {
    /// The pods.
    pub pods: Vec<PodUse>,
    /// Why they are not known; empty if they are.
    pub unknown: String,
}

impl Usage {
    /// Lists the pods of the client's namespace.
    pub async fn read(person: &Caller, client: &Value) -> Self {
        let select = format!("limit={MOST}");
        match person
            .cluster
            .list(Kind::Pod, Some(namespace(client)), &select)
            .await
        {
            Ok(pods) => Self::of(&pods, text(client, "/status/secretName")),
            Err(problem) => Self {
                pods: Vec::new(),
                unknown: problem.message,
            },
        }
    }

    /// Those of these pods that use the Secret. As many as were asked for may not be all that there are.
    fn of(pods: &[Value], secret: &str) -> Self {
        let unknown = if pods.len() >= MOST {
            format!("only the first {MOST} pods of its namespace were looked through.")
        } else {
            String::new()
        };
        Self {
            pods: pods.iter().filter_map(|pod| used(pod, secret)).collect(),
            unknown,
        }
    }

    /// The pods in one sentence.
    pub fn sentence(&self) -> String {
        if !self.unknown.is_empty() {
            return format!("Which pods use its Secret is not known: {}", self.unknown);
        }
        let names: Vec<&str> = self
            .pods
            .iter()
            .take(5)
            .map(|pod| pod.pod.as_str())
            .collect();
        match (self.pods.len(), names.join(", ")) {
            (0, _) => "No pod in its namespace uses its Secret now.".to_owned(),
            (1, names) => format!("1 pod uses its Secret: {names}."),
            (many, names) if many > 5 => format!("{many} pods use its Secret: {names} and others."),
            (many, names) => format!("{many} pods use its Secret: {names}."),
        }
    }
}

fn used(pod: &Value, secret: &str) -> Option<PodUse> {
    let spec = serde_json::from_value(pod.get("spec")?.clone()).ok()?;
    let ways = ways(&spec, secret);
    let owner = |part: &str| text(pod, &format!("/metadata/ownerReferences/0/{part}"));
    let owner = match (owner("kind"), owner("name")) {
        ("", _) => String::new(),
        (kind, name) => format!("{kind}/{name}"),
    };
    (!ways.is_empty()).then(|| PodUse {
        pod: name(pod).to_owned(),
        owner,
        ways: ways.join(", "),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_pod_that_uses_the_secret_is_named_with_its_owner() {
        let pod = |secret: &str| {
            json!({
                "metadata": { "name": "web-1", "ownerReferences": [{ "kind": "ReplicaSet", "name": "web" }] },
                "spec": { "containers": [{ "name": "c", "envFrom": [{ "secretRef": { "name": secret } }] }] },
            })
        };
        let found = used(&pod("web-oauth"), "web-oauth").unwrap();
        assert_eq!(
            (found.owner.as_str(), found.ways.as_str()),
            ("ReplicaSet/web", "environment")
        );
        assert_eq!(used(&pod("other"), "web-oauth"), None);
        let others = vec![pod("other"); MOST];
        let some = Usage::of(&others, "web-oauth").sentence();
        assert!(some.contains("not known: only the first 1000"), "{some}");
        let all = Usage::of(&others[1..], "web-oauth").sentence();
        assert!(all.contains("No pod"), "{all}");
        let usage = |count: usize| Usage {
            pods: vec![found.clone(); count],
            unknown: String::new(),
        };
        for (count, expected) in [
            (0, "No pod"),
            (1, "1 pod uses"),
            (2, "2 pods use"),
            (9, "and others"),
        ] {
            let said = usage(count).sentence();
            assert!(said.contains(expected), "{said}");
        }
    }
}
