//! A namespace is carried to another cluster, as Velero does it: the objects come, their identities do not.

use clientele_api::OAuthClient;
use k8s_openapi::api::core::v1::{Namespace, Secret};
use kube::api::{ListParams, Patch, PatchParams, PostParams};
use kube::{Api, Resource};
use serde_json::json;

use crate::cluster::root_key::printed_root_key;
use crate::support::cluster::Cluster;
use crate::support::load::{Entries, ask, ask_at};
use crate::support::operator::{Options, RunningOperator};
use crate::support::test_namespace::{
    TestNamespace, entries, eventually, eventually_within, http, when,
};

const ROOT_KEY: &str = "clientele-root-key";

/// The garbage collector looks at absent owners when it comes to it.
const COLLECTED: std::time::Duration = std::time::Duration::from_secs(90);

/// What a backup holds of a namespace.
struct Backup {
    namespace: String,
    clients: Vec<OAuthClient>,
    secrets: Vec<Secret>,
    root_key: Secret,
}

/// An object without what a cluster gives to it. Its owners stay as they were.
fn packed<K: Resource + Clone>(object: &K) -> K {
    let mut packed = object.clone();
    let meta = packed.meta_mut();
    (meta.uid, meta.resource_version) = (None, None);
    (meta.creation_timestamp, meta.generation) = (None, None);
    meta.managed_fields = None;
    packed
}

impl Backup {
    async fn of(space: &TestNamespace) -> Self {
        let everything = ListParams::default();
        let own: Api<Secret> = Api::namespaced(space.kube.clone(), "clientele-system");
        let secrets = space.secrets().list(&everything).await.unwrap();
        let clients = space.clients().list(&everything).await.unwrap();
        Self {
            namespace: space.name.clone(),
            clients: clients.iter().map(packed).collect(),
            secrets: secrets.iter().map(packed).collect(),
            root_key: packed(&own.get(ROOT_KEY).await.unwrap()),
        }
    }

    /// In the order of Velero: Secrets come before custom resources; and then the status, if it is asked for.
    async fn restore(&self, cluster: &Cluster) -> TestNamespace {
        let kube = cluster.kube().await;
        let params = PostParams::default();
        let namespace: Namespace =
            serde_json::from_value(json!({ "metadata": { "name": self.namespace } })).unwrap();
        let namespaces: Api<Namespace> = Api::all(kube.clone());
        namespaces.create(&params, &namespace).await.unwrap();
        let space = TestNamespace {
            kube,
            name: self.namespace.clone(),
            issuer: String::new(),
        };
        for secret in &self.secrets {
            space.secrets().create(&params, secret).await.unwrap();
        }
        for client in &self.clients {
            space.clients().create(&params, client).await.unwrap();
            self.restore_status(&space, client).await;
        }
        space
    }

    /// Possible for who has removed the policy that keeps everybody from it.
    async fn restore_status(&self, space: &TestNamespace, client: &OAuthClient) {
        let (clients, params) = (space.clients(), PatchParams::default());
        let name = client.metadata.name.as_deref().unwrap();
        let status = Patch::Merge(json!({ "status": client.status }));
        eventually("the status is restored", || async {
            let restored = clients.patch_status(name, &params, &status).await;
            restored.map(drop).map_err(|error| error.to_string())
        })
        .await;
    }
}

/// Another installation, whose namespace has been restored.
struct There {
    space: TestNamespace,
    operator: RunningOperator,
    cluster: Cluster,
}

impl There {
    /// With the root key of the backup, or with another one.
    async fn new(backup: &Backup, same_root_key: bool) -> Self {
        let cluster = Cluster::with_chart(&[]);
        let policy = [
            "delete",
            "validatingadmissionpolicybinding",
            "clientele-status",
        ];
        cluster.kubectl(&policy).unwrap();
        let space = backup.restore(&cluster).await;
        let operator = RunningOperator::start_unready(&cluster, &Options::flags(&[]));
        let root_key = if same_root_key {
            backup.root_key.clone()
        } else {
            printed_root_key(ROOT_KEY)
        };
        // The status that came along says that client secrets were derived: nothing is derived from another root key
        // before a person has said so.
        eventually("it asks for the root key", || async {
            let said = operator.readiness();
            let asks = said.contains("restore it") && said.contains("clientele root-key ");
            when(asks, (), || said)
        })
        .await;
        let own: Api<Secret> = Api::namespaced(space.kube.clone(), "clientele-system");
        let params = PostParams::default();
        own.create(&params, &root_key).await.unwrap();
        operator.wait_ready();
        Self {
            space,
            operator,
            cluster,
        }
    }

    async fn refuses(&self, old: &Entries) {
        let endpoint = format!("{}/token", self.operator.issuer);
        let refused = ask_at(&http(), &endpoint, old).await.unwrap_err();
        assert!(refused.starts_with("401 "), "{refused}");
    }

    /// Waits until the Secret holds something new, and that works.
    async fn has_new_credentials(&self, secret: &str, old: &Entries) {
        let new = eventually_within(COLLECTED, "a new Secret", || async {
            let secret = self.space.secrets().get_opt(secret).await.unwrap();
            let new = secret.as_ref().map(entries).filter(|new| new != old);
            new.ok_or("the carried one, or none".to_owned())
        })
        .await;
        assert_ne!(new["CLIENT_SECRET"], old["CLIENT_SECRET"]);
        assert!(new["ISSUER"] == self.operator.issuer && new["CLIENT_ID"] == old["CLIENT_ID"]);
        eventually("the new one works", || async { ask(&http(), &new).await }).await;
        self.refuses(old).await;
    }

    /// A Secret with an owner goes with it, by the garbage collector; one without stays, and what to do is said.
    async fn is_told_what_to_do(&self, owned: &Entries, kept: &Entries) {
        let said = self.space.wait_refused("kept", "SecretNotOwned").await;
        assert!(said.contains("copied from another cluster"), "{said}");
        assert!(said.contains("was not touched"), "{said}");
        assert_eq!(self.space.entries("kept-oauth").await, *kept);
        self.refuses(kept).await;
        self.has_new_credentials("web-oauth", owned).await;
        self.space.wait_ready("web").await;

        let command = said.split('`').nth(1).unwrap();
        let words: Vec<&str> = command.split(' ').collect();
        self.cluster.kubectl(&words[1..]).unwrap();
        self.has_new_credentials("kept-oauth", kept).await;
        self.space.wait_ready("kept").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f92_clients_that_are_carried_to_another_cluster_are_others() {
    let cluster = Cluster::with_chart(&[]);
    let operator = RunningOperator::start(&cluster, &Options::flags(&[]));
    let here = TestNamespace::within(&cluster, &operator.issuer, "carried").await;
    here.ready("web", json!({})).await;
    here.ready("kept", json!({ "deletionPolicy": "Retain" }))
        .await;
    let owned = here.entries("web-oauth").await;
    let kept = here.entries("kept-oauth").await;
    let backup = Backup::of(&here).await;
    for same_root_key in [false, true] {
        let there = There::new(&backup, same_root_key).await;
        there.is_told_what_to_do(&owned, &kept).await;
        // Where they were they work on.
        ask(&http(), &owned).await.unwrap();
        ask(&http(), &kept).await.unwrap();
    }
}
