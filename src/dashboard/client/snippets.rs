//! What applications need, as snippets that refer to the Secret and never hold its value.

use clientele_kubectl::shared::{Consumer, Reference, refer, text};
use serde_json::Value;

use super::secret::{Entries, entries};
use super::spec;

/// A snippet with its heading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snippet {
    /// The name of its element.
    pub id: &'static str,
    /// What it is for.
    pub title: &'static str,
    /// The text.
    pub text: String,
}

const CONSUMERS: [(Consumer, &str, &str); 8] = [
    (Consumer::Deployment, "deployment", "Deployment"),
    (Consumer::SpringBoot, "spring-boot", "Spring Boot"),
    (Consumer::Authjs, "auth-js", "Auth.js"),
    (Consumer::Oauth2Proxy, "oauth2-proxy", "oauth2-proxy"),
    (Consumer::Grafana, "grafana", "Grafana"),
    (Consumer::ArgoCd, "argo-cd", "Argo CD"),
    (Consumer::EnvoyGateway, "envoy-gateway", "Envoy Gateway"),
    (Consumer::Curl, "curl", "curl (machine token)"),
];

/// The snippets that fit the client; none while it has no Secret.
pub fn snippets(client: &Value) -> Vec<Snippet> {
    let secret_name = text(client, "/status/secretName");
    if secret_name.is_empty() {
        return Vec::new();
    }
    let Entries { id, secret } = entries(client);
    let reference = Reference {
        name: text(client, "/metadata/name"),
        namespace: text(client, "/metadata/namespace"),
        secret_name,
        id_key: id.as_deref().unwrap_or("CLIENT_ID"),
        secret_key: secret.as_deref().unwrap_or("CLIENT_SECRET"),
        issuer: text(client, "/status/issuer"),
        client_id: text(client, "/status/clientId"),
    };
    let machine = spec::grants(client)
        .iter()
        .any(|grant| grant == "client_credentials");
    let method = text(client, "/spec/tokenEndpointAuthMethod");
    let signs = matches!(method, "private_key_jwt" | "service_account");
    let fits = |consumer: Consumer| match consumer {
        Consumer::Deployment => true,
        Consumer::Curl => machine && !signs,
        _ => !spec::is_public(client),
    };
    let fitting = CONSUMERS
        .into_iter()
        .filter(|(consumer, ..)| fits(*consumer));
    fitting
        .map(|(consumer, id, title)| Snippet {
            id,
            title,
            text: refer(consumer, &reference),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn snippets_refer_to_the_secret_and_its_entries() {
        let client = |spec: Value| {
            json!({ "metadata": { "name": "web", "namespace": "apps" }, "spec": spec,
                    "status": { "secretName": "web-oauth", "clientId": "apps.web", "issuer": "https://id.example" } })
        };
        let named = json!({ "secret": { "entries": { "clientSecret": "password" } } });
        let all = snippets(&client(named));
        assert_eq!(all.len(), 8);
        let auth = all.iter().find(|snippet| snippet.id == "auth-js").unwrap();
        assert!(
            auth.text.contains("name: web-oauth, key: password"),
            "{}",
            auth.text
        );
        assert!(all.iter().all(|snippet| !snippet.text.contains("NAME\n")));
        let named = json!({ "secret": { "entries": { "clientSecret": "DB_NAME" } } });
        let all = snippets(&client(named));
        let curl = &all.last().unwrap().text;
        assert!(
            curl.contains("token web -n apps,") && curl.contains("{.data.DB_NAME}"),
            "{curl}"
        );
        let public = json!({ "type": "Public", "redirectUris": ["http://127.0.0.1/"] });
        assert_eq!(snippets(&client(public)).len(), 1);
        assert!(snippets(&json!({})).is_empty());
    }
}
