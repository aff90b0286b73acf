//! Clients that have no secret, on a real API server with real tokens.

mod accounts;
pub mod keys;
mod lost_sight;
mod offline;

use k8s_openapi::api::core::v1::{Pod, ServiceAccount};
use kube::api::{DeleteParams, PostParams};
use kube::{Api, ResourceExt};
use serde_json::{Value, json};

use crate::support::assertions::form;
use crate::support::cluster::{Cluster, shared};
use crate::support::test_namespace::{TestNamespace, eventually, http};

/// A namespace with ServiceAccounts and pods, in some cluster.
struct Accounts<'a> {
    space: TestNamespace,
    cluster: &'a Cluster,
}

impl Accounts<'static> {
    /// With the ServiceAccount `web`, and the client `app` that it proves.
    async fn with_app() -> Self {
        let team = Self::new("accounts").await;
        team.account("web").await;
        team.space.ready("app", only("web")).await;
        team
    }

    /// In the cluster that most tests share.
    async fn new(prefix: &str) -> Self {
        let space = TestNamespace::new(prefix).await;
        let cluster = &shared().cluster;
        Self { space, cluster }
    }
}

impl Accounts<'_> {
    /// Makes a ServiceAccount; returns its UID.
    async fn account(&self, name: &str) -> String {
        let accounts: Api<ServiceAccount> =
            Api::namespaced(self.space.kube.clone(), &self.space.name);
        let account = serde_json::from_value(json!({ "metadata": { "name": name } })).unwrap();
        let made = accounts
            .create(&PostParams::default(), &account)
            .await
            .unwrap();
        made.uid().unwrap()
    }

    /// Removes a ServiceAccount.
    async fn remove(&self, name: &str) {
        let accounts: Api<ServiceAccount> =
            Api::namespaced(self.space.kube.clone(), &self.space.name);
        accounts
            .delete(name, &DeleteParams::default())
            .await
            .unwrap();
    }

    fn pods(&self) -> Api<Pod> {
        Api::namespaced(self.space.kube.clone(), &self.space.name)
    }

    /// Makes a pod of a ServiceAccount. Nothing runs it, but tokens can be bound to it.
    async fn pod(&self, name: &str, account: &str) {
        let pod = json!({
            "metadata": { "name": name },
            "spec": {
                "serviceAccountName": account, "automountServiceAccountToken": false,
                "containers": [{ "name": "main", "image": "none.example/none" }],
            },
        });
        let pod = serde_json::from_value(pod).unwrap();
        self.pods()
            .create(&PostParams::default(), &pod)
            .await
            .unwrap();
    }

    /// A token of a ServiceAccount for our issuer, as a kubelet gets it.
    fn token(&self, account: &str) -> String {
        self.token_for(account, &["--audience", &self.space.issuer])
    }

    /// The same for this issuer, bound to a pod, as the kubelet's are.
    fn token_in(&self, pod: &str, account: &str, issuer: &str) -> String {
        let audience = ["--audience", issuer];
        let bound = ["--bound-object-kind", "Pod", "--bound-object-name", pod];
        self.token_for(account, &[&audience[..], &bound].concat())
    }

    /// The same, for this audience and with whatever else `kubectl create token` knows.
    fn token_for(&self, account: &str, more: &[&str]) -> String {
        let create = ["--namespace", &self.space.name, "create", "token", account];
        let token = self.cluster.kubectl(&[&create, more].concat()).unwrap();
        token.trim().to_owned()
    }

    /// The ID of a client in this namespace.
    fn id(&self, client: &str) -> String {
        format!("{}.{client}", self.space.name)
    }

    /// Asks for a token of a client of this namespace.
    async fn ask(&self, client: &str, token: &str) -> (u16, Value) {
        ask(&self.space.issuer, &self.id(client), token).await
    }

    /// Asks, and is refused.
    async fn refused(&self, client: &str, what: &str, token: &str) {
        let (status, body) = self.ask(client, token).await;
        assert_eq!(
            (status, &body["error"]),
            (401, &json!("invalid_client")),
            "{what}: {body}"
        );
    }

    /// Asks until the answer has this status.
    async fn wait(&self, client: &str, what: &str, token: &str, status: u16) {
        eventually(what, || async {
            let answer = self.ask(client, token).await;
            if answer.0 == status {
                Ok(())
            } else {
                Err(format!("{answer:?}"))
            }
        })
        .await;
    }
}

/// Asks for a token of a client with the token of a ServiceAccount.
async fn ask(issuer: &str, client_id: &str, token: &str) -> (u16, Value) {
    let request = http()
        .post(format!("{issuer}/token"))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form(token, &[("client_id", client_id)]));
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    (status, answer.json().await.unwrap_or_default())
}

/// A client of this ServiceAccount and of nothing else.
fn only(account: &str) -> Value {
    json!({ "tokenEndpointAuthMethod": "service_account", "serviceAccounts": [{ "name": account }] })
}
