//! Clients of hydra-maester, as kubectl lists them for an import.

use serde_json::{Value, json};

/// The ID of a client.
pub fn client_id(namespace: &str, number: usize) -> String {
    format!("{namespace}-hydra-{number}")
}

/// The secret of a client.
pub fn secret(namespace: &str, number: usize) -> String {
    format!("AbCdEfGhIjKlMnOpQrStUvWxYz-{namespace}-{number}")
}

/// Machine clients `job-0` and so on, each with its Secret.
pub fn clients(namespace: &str, count: usize) -> Value {
    let items: Vec<Value> = (0..count)
        .flat_map(|number| {
            let name = format!("job-{number}");
            [
                json!({
                    "apiVersion": "hydra.ory.sh/v1alpha1", "kind": "OAuth2Client",
                    "metadata": { "name": name, "namespace": namespace },
                    "spec": { "grantTypes": ["client_credentials"], "secretName": name, "responseTypes": ["code"] },
                }),
                json!({
                    "apiVersion": "v1", "kind": "Secret", "metadata": { "name": name, "namespace": namespace },
                    "stringData": {
                        "CLIENT_ID": client_id(namespace, number),
                        "CLIENT_SECRET": secret(namespace, number),
                    },
                }),
            ]
        })
        .collect();
    json!({ "apiVersion": "v1", "kind": "List", "items": items })
}

/// Which of the first `count` clients an import says to have failed their proof.
pub fn failed(said: &str, count: usize) -> Vec<usize> {
    let fails = |number: &usize| said.contains(&format!("/job-{number} (proof)"));
    (0..count).filter(fails).collect()
}
