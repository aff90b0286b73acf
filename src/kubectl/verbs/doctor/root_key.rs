//! The root key, by the rules of the operator: the fingerprints in its ConfigMap say which keys its Secret must hold.
//! No key leaves this module.

use clientele_oauth::Keyring;
use clientele_oauth::keys::recorded_keys::{Marks, missing_key, read_keyring};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Secret;
use kube::api::ListParams;
use kube::{Api, ResourceExt};

use crate::connect::Session;
use crate::failure::Failure;
use crate::installation::{MARKS, everywhere};
use crate::verbs::test::Step;

/// The Secret, where the installation names no other.
const DEFAULT_SECRET: &str = "clientele-root-key";
/// How the variable of the operator ends that names another one.
const VARIABLE: &str = "_ROOT_KEY_SECRET";
/// The name of the step.
const STEP: &str = "root key";

/// A step for each installation in the cluster. It is skipped for a user who may not read the Secrets of the operator.
pub async fn steps(session: &Session) -> Vec<Step> {
    let installations = match everywhere(session).await {
        Ok(installations) => installations,
        Err(error) => {
            return vec![not_seen(
                session,
                &error,
                "list configmaps in all namespaces",
            )];
        }
    };
    if installations.is_empty() {
        return vec![Step::tried(
            STEP,
            Err(Failure::new(format!(
                "no namespace has a ConfigMap {MARKS}, which the operator writes when it starts; see whether it runs: `kubectl -n clientele-system get pods`"
            ))),
        )];
    }
    let mut steps = Vec::new();
    for installation in installations {
        let namespace = installation.namespace().unwrap_or_default();
        let marks = installation.data.unwrap_or_default();
        steps.push(one(session, &namespace, &marks).await);
    }
    steps
}

fn not_seen(session: &Session, error: &kube::Error, what: &str) -> Step {
    match error {
        kube::Error::Api(status) if status.code == 403 => Step::skipped(
            STEP,
            format!(
                "you may not {what}; an administrator sees it, and the metric clientele_root_key_usable says it as well"
            ),
        ),
        error => Step::tried(STEP, Err(session.explain(error, what))),
    }
}

async fn one(session: &Session, namespace: &str, marks: &Marks) -> Step {
    let name = secret_name(session, namespace).await;
    let secrets: Api<Secret> = Api::namespaced(session.client.clone(), namespace);
    match secrets.get_opt(&name).await {
        Ok(secret) => Step::tried(STEP, judge(namespace, &name, secret.as_ref(), marks)),
        Err(error) => {
            let what = format!("get secret {name} in namespace {namespace}");
            not_seen(session, &error, &what)
        }
    }
}

/// The name that the Deployment of the operator gives it. Where it does not run as one, it has the default.
async fn secret_name(session: &Session, namespace: &str) -> String {
    let deployments: Api<Deployment> = Api::namespaced(session.client.clone(), namespace);
    let listed = deployments.list(&ListParams::default()).await;
    let named = listed.ok().and_then(|list| {
        let specs = list.items.into_iter().filter_map(|one| one.spec);
        let pods = specs.filter_map(|spec| spec.template.spec);
        let containers = pods.flat_map(|pod| pod.containers);
        let mut variables = containers.flat_map(|container| container.env.unwrap_or_default());
        variables
            .find(|variable| variable.name.ends_with(VARIABLE))?
            .value
    });
    named.unwrap_or_else(|| DEFAULT_SECRET.to_owned())
}

/// Whether the Secret holds every key that is recorded and not withdrawn.
fn judge(
    namespace: &str,
    name: &str,
    secret: Option<&Secret>,
    marks: &Marks,
) -> Result<String, Failure> {
    let refused = |problem: String| {
        Failure::new(format!(
            "Secret {namespace}/{name} {problem}. The operator derives no client secret and changes none until the Secret is restored from a backup. If there is no backup, docs/operations/runbooks.md#clientelerootkeyunusable has the commands, after which every client has a new secret"
        ))
    };
    let secret = secret.ok_or_else(|| refused("with the root key is missing".to_owned()))?;
    let keyring = keyring(secret, marks).map_err(refused)?;
    if let Some(id) = missing_key(&keyring, marks) {
        return Err(refused(format!(
            "does not hold root key {id:?}, from which client secrets are derived: it was replaced"
        )));
    }
    Ok(format!(
        "Secret {namespace}/{name} holds the keys that are recorded, {} in all",
        keyring.keys().len()
    ))
}

fn keyring(secret: &Secret, marks: &Marks) -> Result<Keyring, String> {
    let data = secret.data.as_ref().ok_or("is empty")?;
    let entries = data.iter().map(|(name, bytes)| (&**name, &*bytes.0));
    read_keyring(entries, marks)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use clientele_oauth::keys::recorded_keys::{CURRENT, FINGERPRINT, WITHDRAWN};
    use clientele_oauth::keys::root_keyring::RootKey;
    use k8s_openapi::ByteString;

    use super::*;

    fn secret(current: &str, keys: &[(&str, u8)]) -> Secret {
        let bytes = |text: &str| ByteString(text.as_bytes().to_vec());
        let mut data = BTreeMap::from([(CURRENT.to_owned(), bytes(current))]);
        for (id, byte) in keys {
            data.insert((*id).to_owned(), ByteString(vec![*byte; 32]));
        }
        Secret {
            data: Some(data),
            ..Secret::default()
        }
    }

    fn fingerprint(id: &str, byte: u8) -> String {
        let key = RootKey::new(id, &[byte; 32]).unwrap();
        key.fingerprint().to_owned()
    }

    fn answer(secret: Option<&Secret>, marks: &Marks) -> String {
        match judge("clientele-system", "clientele-root-key", secret, marks) {
            Ok(seen) => format!("ok: {seen}"),
            Err(failure) => failure.to_string(),
        }
    }

    #[test]
    fn a_root_key_is_judged_as_the_operator_does() {
        let (a, b) = ("aaaaaaaa", "bbbbbbbb");
        let marks = Marks::from([
            ("bootstrapped".to_owned(), "true".to_owned()),
            (format!("{FINGERPRINT}{a}"), fingerprint(a, 1)),
        ]);
        assert!(answer(Some(&secret(a, &[(a, 1)])), &marks).starts_with("ok: "));
        let mut withdrawn = marks.clone();
        withdrawn.insert(format!("{WITHDRAWN}{a}"), fingerprint(a, 1));
        assert!(answer(Some(&secret(b, &[(b, 2)])), &withdrawn).starts_with("ok: "));
        for (secret, expected) in [
            (None, "is missing"),
            (Some(secret(b, &[(b, 2)])), "it was replaced"),
            (Some(secret(a, &[(a, 2)])), "it was replaced"),
            (Some(secret(b, &[(a, 1)])), "cannot be used"),
            (Some(Secret::default()), "is empty"),
        ] {
            let said = answer(secret.as_ref(), &marks);
            assert!(said.contains(expected), "{said}");
            assert!(said.contains("from a backup"), "{said}");
        }
        let withdrawn_only = answer(Some(&secret(a, &[(a, 1)])), &withdrawn);
        let sentence = "names a withdrawn root key as current (`clientele root-key rotate";
        assert!(withdrawn_only.contains(sentence), "{withdrawn_only}");
    }
}
