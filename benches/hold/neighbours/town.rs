//! The namespace of the victims: people, an application of each kind of credential, and what they change meanwhile.

use std::sync::Arc;
use std::time::Duration;

use clientele_api::OAuthUser;
use k8s_openapi::api::core::v1::{Namespace, ServiceAccount};
use kube::Api;
use kube::api::{DeleteParams, Patch, PatchParams, PostParams};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, sleep_until};

use super::acts::{assertion, service_account_token, write_secret};
use crate::sign_ins::{Browser, Place, VICTIMS, sign_in, victim};
use crate::support::ask::ask;
use crate::support::cluster::Cluster;
use crate::support::operator::RunningOperator;
use crate::support::people::{APP, hash};
use crate::support::test_namespace::{TestNamespace, entries, http};
use crate::support::test_server::basic;
use crate::victims::{TokenRequest, Victims, address};

/// Whose password changes again and again.
const MOVER: &str = "mover";
/// A password has to count after this.
const SOON: Duration = Duration::from_secs(2);
/// Between two changes.
const PAUSE: Duration = Duration::from_secs(1);

pub struct Town {
    space: TestNamespace,
    place: Place,
    requests: Vec<TokenRequest>,
}

impl Town {
    pub async fn found(cluster: &Cluster, operator: &RunningOperator) -> Self {
        let space = TestNamespace::within(cluster, &operator.issuer, "town").await;
        label(&space).await;
        let people: Vec<String> = (0..VICTIMS).map(victim).collect();
        let hash = hash().0.to_string();
        let mut entries: Vec<(&str, &str)> = people.iter().map(|name| (&**name, &*hash)).collect();
        entries.push((MOVER, "the first words"));
        write_secret(&space, "people", &entries).await;
        for (name, _) in entries {
            let password = json!({ "name": "people", "key": name });
            create_user(&space, name, password).await;
        }
        let web = json!({
            "grantTypes": ["authorization_code", "client_credentials"],
            "redirectUris": [APP], "scopes": ["openid"],
        });
        space.ready("web", web).await;
        let pod = json!({ "tokenEndpointAuthMethod": "service_account", "serviceAccounts": [{ "name": "pod" }] });
        let accounts: Api<ServiceAccount> = Api::namespaced(space.kube.clone(), &space.name);
        let account = serde_json::from_value(json!({ "metadata": { "name": "pod" } })).unwrap();
        accounts
            .create(&PostParams::default(), &account)
            .await
            .unwrap();
        space.ready("pod", pod).await;
        let entries = space.entries("web-oauth").await;
        let secret = TokenRequest {
            authorization: Some(basic(&entries["CLIENT_ID"], &entries["CLIENT_SECRET"])),
            body: "grant_type=client_credentials".to_owned(),
        };
        let token = service_account_token(&space, "pod").await;
        let pod = TokenRequest {
            authorization: None,
            body: assertion(&format!("{}.pod", space.name), &token),
        };
        Self {
            place: Place {
                port: operator.listen.rsplit_once(':').unwrap().1.parse().unwrap(),
                authorize: ask(&entries["CLIENT_ID"]).url(),
            },
            space,
            requests: vec![secret, pod],
        }
    }

    /// The victims, before anything happens.
    pub async fn victims(&self) -> Arc<Victims> {
        Victims::arrive(self.place.clone(), self.requests.clone()).await
    }

    /// Changes a password again and again. How often the person could sign in with it two seconds later, and how often it
    /// was changed.
    pub async fn new_passwords(&self, until: Instant) -> (u32, u32) {
        let (mut within, mut changes) = (0, 0);
        while Instant::now() + SOON < until {
            changes += 1;
            let words = format!("the words after change {changes}");
            let patch = json!({ "stringData": { MOVER: words } });
            let params = PatchParams::default();
            let secrets = self.space.secrets();
            secrets
                .patch("people", &params, &Patch::Merge(patch))
                .await
                .unwrap();
            sleep(SOON).await;
            let from = address(changes);
            let who = (MOVER, &*words);
            let status = sign_in(&self.place, from, &mut Browser::new(), who).await;
            if status == 303 {
                within += 1;
            } else {
                eprintln!("two seconds after a change: {status}");
            }
            sleep(PAUSE).await;
        }
        (within, changes)
    }

    /// Creates clients, one after the other. How long it took until each was issued a token.
    pub async fn new_clients(&self, until: Instant) -> Vec<Duration> {
        let (http, begun) = (http(), Instant::now());
        let mut all = Vec::new();
        while Instant::now() < until {
            let name = format!("new-{}-{}", begun.elapsed().as_millis(), all.len());
            let started = Instant::now();
            self.space.create(&name, json!({})).await;
            let secret = format!("{name}-oauth");
            let found = loop {
                if let Some(found) = self.space.secrets().get_opt(&secret).await.unwrap() {
                    break entries(&found);
                }
                sleep(Duration::from_millis(10)).await;
            };
            let answer = http
                .post(&found["TOKEN_ENDPOINT"])
                .basic_auth(&found["CLIENT_ID"], Some(&found["CLIENT_SECRET"]))
                .form(&[("grant_type", "client_credentials")]);
            let status = answer.send().await.unwrap().status();
            assert_eq!(status, 200, "a published credential was refused");
            all.push(started.elapsed());
            self.space
                .clients()
                .delete(&name, &DeleteParams::default())
                .await
                .unwrap();
            sleep_until(started + PAUSE).await;
        }
        all
    }
}

/// The people of the namespace may sign in at the tenant `default`.
pub async fn label(space: &TestNamespace) {
    let namespaces: Api<Namespace> = Api::all(space.kube.clone());
    let label = json!({ "metadata": { "labels": { "clientele.dev/users": "default" } } });
    let params = PatchParams::default();
    let patch = Patch::Merge(label);
    namespaces
        .patch(&space.name, &params, &patch)
        .await
        .unwrap();
}

pub async fn create_user(space: &TestNamespace, name: &str, password: Value) {
    let users: Api<OAuthUser> = Api::namespaced(space.kube.clone(), &space.name);
    let user = json!({
        "apiVersion": "clientele.dev/v1alpha1", "kind": "OAuthUser", "metadata": { "name": name },
        "spec": { "username": name, "passwordSecretRef": password },
    });
    let user = serde_json::from_value(user).unwrap();
    users.create(&PostParams::default(), &user).await.unwrap();
}
