//! The chart, packaged and installed as an operator does it, with its database, its certificate and a first client.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use clientele_api::OAuthClient;
use futures::future::join_all;
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::{Pod, Secret, Service};
use kube::api::{ListParams, PostParams};
use kube::{Api, ResourceExt};
use serde_json::json;
use sqlx::{Connection, PgConnection};

use super::authority::Authority;
use super::load::{Destination, Load, Request};
use super::machine::{Image, Node};
use super::people::SignedInUsers;
use super::record;
use super::release::Release;
use crate::node::drill::{Row, Rows};
use crate::node::tally::Tally;
use crate::support::postgres::Server;
use crate::support::test_namespace::{BREATH, entries, eventually, when};

/// Where the operator is, and what everything of it is called.
pub const SYSTEM: &str = "clientele-system";
/// Where the clients are.
pub const TEAM: &str = "team-a";
/// The name of the public Service, and so of the issuer.
pub const HOST: &str = "clientele.clientele-system.svc";
/// The roles of the database that the operator uses in turn.
pub const ROLES: [&str; 2] = ["clientele_a", "clientele_b"];
/// How long Helm and kubectl wait.
pub const PATIENCE: &str = "--timeout=180s";
/// How long a new client may wait at most, whatever happens to replicas.
pub const BLOCKED: Duration = Duration::from_secs(20);
/// The port on which the pods serve.
const PORT: u16 = 8080;

/// Secrets by namespace and name.
pub type Secrets = BTreeMap<String, BTreeMap<String, Vec<u8>>>;

/// An installation on a node.
pub struct Installation {
    /// The node.
    pub node: Node,
    /// Its database.
    pub database: Server,
    /// What is installed.
    pub release: Release,
    /// Its programs under another digest.
    pub again: Image,
    /// A connection as administrator.
    pub kube: kube::Client,
    /// Where the Service is.
    pub destination: Destination,
    people: Mutex<Option<SignedInUsers>>,
    authority: Authority,
}

impl Installation {
    /// Installs this tree and gets the first token; each of them is a row.
    pub async fn first(node: Node, rows: &mut Rows) -> Self {
        let release = Release::present(&node);
        let installation = Self::before(node, release).await;
        rows.add([installation.install("install, image present").await]);
        rows.add([installation.helm_test("helm test", "passes")]);
        rows.add([installation.first_token().await]);
        installation.sign_in().await;
        installation
    }

    /// Installs a release, with a first client and people who are signed in.
    pub async fn of(node: Node, release: Release) -> Self {
        let installation = Self::before(node, release).await;
        installation.install("install").await;
        installation.client("hello").await;
        installation.sign_in().await;
        installation
    }

    /// Everything that an installation needs.
    async fn before(node: Node, release: Release) -> Self {
        record::keep_logs();
        let kube = node.kube().await;
        let again = Image::again();
        node.import(&again);
        for namespace in [SYSTEM, TEAM] {
            node.kubectl(&["create", "namespace", namespace]).unwrap();
            let label = "pod-security.kubernetes.io/enforce=restricted";
            node.kubectl(&["label", "namespace", namespace, label])
                .unwrap();
        }
        let authority = Authority::new();
        authority.certify(&node);
        let address = node.address.clone();
        let database = tokio::task::block_in_place(|| Server::listening(&address));
        database.execute("CREATE DATABASE clientele").await;
        database.execute("CREATE ROLE has_a_password").await;
        for role in ROLES {
            let create = format!("CREATE ROLE {role} SUPERUSER LOGIN");
            database.execute(&create).await;
        }
        let nowhere = SocketAddr::from(([127, 0, 0, 1], 9));
        let installation = Self {
            destination: Destination::new(nowhere, HOST, &authority.der()),
            node,
            database,
            release,
            again,
            kube,
            people: Mutex::default(),
            authority,
        };
        installation.use_database(ROLES[0], &installation.node.address);
        installation
    }

    /// Requests go to the Service, whose address is another one after each installation.
    pub async fn find_service(&self) {
        self.destination.lead_to(self.service().await);
    }

    /// A server of this installation at this address.
    fn door(&self, address: SocketAddr) -> Destination {
        Destination::new(address, HOST, &self.authority.der())
    }

    /// Removes what the chart does not keep.
    pub async fn uninstall(&self) {
        let uninstall = [
            "uninstall",
            "clientele",
            "--namespace",
            SYSTEM,
            "--wait",
            PATIENCE,
        ];
        self.node.helm(&uninstall).unwrap();
        self.no_pod_is_left().await;
    }

    /// Waits until no pod of the Deployment is there.
    pub async fn no_pod_is_left(&self) {
        let what = "no pod is left";
        eventually(what, || async {
            let pods: Vec<String> = self
                .pods()
                .await
                .iter()
                .map(ResourceExt::name_any)
                .collect();
            when(pods.is_empty(), (), || format!("{pods:?}"))
        })
        .await;
    }

    /// Installs three replicas on PostgreSQL.
    pub async fn install(&self, drill: &str) -> Row {
        let begin = Instant::now();
        let values = Self::on_postgres(&self.release.image);
        self.helm(&["install"], &values).unwrap();
        let took = begin.elapsed();
        self.find_service().await;
        Row::within(drill, "three replicas Ready", Duration::from_secs(10), took)
    }

    /// What the chart is installed with.
    pub fn on_postgres(image: &Image) -> Vec<String> {
        let set = [
            "replicaCount=3",
            "database.type=postgres",
            "database.postgres.existingSecret=clientele-database",
        ];
        Self::values(image, &set)
    }

    /// The values of every installation, with these.
    pub fn values(image: &Image, set: &[&str]) -> Vec<String> {
        let every = [
            format!("publicUrl=https://{HOST}"),
            format!("image.digest={}", image.digest),
            "image.pullPolicy=Never".to_owned(),
            "tls.secretName=clientele-tls".to_owned(),
            "log.level=info".to_owned(),
        ];
        let set = set.iter().map(|&value| value.to_owned());
        every
            .into_iter()
            .chain(set)
            .flat_map(|value| ["--set".to_owned(), value])
            .collect()
    }

    /// `helm install` or `helm upgrade` of the packaged chart, which waits until everything is ready.
    pub fn helm(&self, command: &[&str], values: &[String]) -> Result<String, String> {
        self.helm_with(&self.release, command, values)
    }

    /// The same with the chart of another release.
    pub fn helm_with(
        &self,
        release: &Release,
        command: &[&str],
        values: &[String],
    ) -> Result<String, String> {
        let mut arguments = command.to_vec();
        arguments.extend(["clientele", release.chart()]);
        arguments.extend(["--namespace", SYSTEM, "--wait", PATIENCE]);
        arguments.extend(values.iter().map(String::as_str));
        self.node.helm(&arguments)
    }

    /// kubectl in the operator's namespace.
    pub fn kubectl(&self, arguments: &[&str]) -> Result<String, String> {
        let mut all = vec!["--namespace", SYSTEM];
        all.extend(arguments);
        self.node.kubectl(&all)
    }

    /// Waits until the Deployment has what it shall have.
    pub fn rolled_out(&self) {
        let arguments = ["rollout", "status", "deployment/clientele", PATIENCE];
        self.kubectl(&arguments).unwrap();
    }

    /// `helm test`, as a row.
    pub fn helm_test(&self, drill: &str, goal: &str) -> Row {
        let arguments = ["test", "clientele", "--namespace", SYSTEM, PATIENCE];
        let outcome = self.node.helm(&arguments);
        let seen = match &outcome {
            Ok(_) => "passes".to_owned(),
            Err(_) => self
                .kubectl(&["logs", "clientele-test"])
                .unwrap_or_else(|error| error),
        };
        Row::holds(drill, goal, &seen, outcome.is_ok())
    }

    async fn first_token(&self) -> Row {
        let begin = Instant::now();
        self.client("hello").await;
        let token = self.token().await;
        let took = begin.elapsed();
        let seen = token.err().unwrap_or_default();
        if !seen.is_empty() {
            return Row::holds("first client", "a token", &seen, false);
        }
        let most = Duration::from_secs(5);
        Row::within("first client, first token", "by the Service", most, took)
    }

    /// Creates a client and waits until it is ready; says how long that took, as [`Self::pods_are_ready`].
    pub async fn client(&self, name: &str) -> Duration {
        let clients: Api<OAuthClient> = Api::namespaced(self.kube.clone(), TEAM);
        let client = json!({
            "apiVersion": "clientele.dev/v1alpha1", "kind": "OAuthClient",
            "metadata": { "name": name }, "spec": {},
        });
        let client = serde_json::from_value(client).unwrap();
        clients
            .create(&PostParams::default(), &client)
            .await
            .unwrap();
        let began = Instant::now();
        let is_ready = || async {
            let client = clients.get(name).await;
            let status = client.ok().and_then(|client| client.status);
            let mut conditions = status.into_iter().flat_map(|status| status.conditions);
            conditions.any(|one| one.type_ == "Ready" && one.status == "True")
        };
        if !comes_true(BLOCKED, is_ready).await {
            record::write_down(&self.node, &format!("{name} is not Ready"));
        }
        measured(is_ready).await;
        began.elapsed()
    }

    /// A token by the credentials of the first client, by the Service.
    pub async fn token(&self) -> Result<(), String> {
        self.token_of("hello").await
    }

    /// A token by the credentials of a client, by the Service.
    pub async fn token_of(&self, client: &str) -> Result<(), String> {
        let request = self.token_request(client).await?;
        let answer = self.destination.ask(&request).await;
        let answer = answer.map_err(|failure| format!("{failure:?}"))?;
        let answer = String::from_utf8_lossy(&answer);
        if answer.contains("access_token") {
            Ok(())
        } else {
            Err(answer.into_owned())
        }
    }

    /// Every Secret that the operator made, by namespace and name.
    pub async fn secrets(&self) -> Secrets {
        let ours = |secret: &Secret| {
            let kind = secret.type_.as_deref().unwrap_or_default();
            let name = secret.name_any();
            !kind.starts_with("helm.sh") && name != "clientele-tls" && name != "clientele-database"
        };
        let mut found = Secrets::new();
        for namespace in [SYSTEM, TEAM] {
            let secrets: Api<Secret> = Api::namespaced(self.kube.clone(), namespace);
            for secret in secrets.list(&ListParams::default()).await.unwrap() {
                if ours(&secret) {
                    let data = secret.data.clone().unwrap_or_default();
                    let data = data.into_iter().map(|(name, value)| (name, value.0));
                    found.insert(format!("{namespace}/{}", secret.name_any()), data.collect());
                }
            }
        }
        found
    }

    /// The pods of the Deployment, but for those that end.
    pub async fn pods(&self) -> Vec<Pod> {
        let pods: Api<Pod> = Api::namespaced(self.kube.clone(), SYSTEM);
        // Not that of `helm test`.
        let replicas = "app.kubernetes.io/name=clientele,pod-template-hash";
        let parameters = ListParams::default().labels(replicas);
        let mut pods = pods.list(&parameters).await.unwrap().items;
        pods.retain(|pod| pod.metadata.deletion_timestamp.is_none());
        pods
    }

    /// Which pods there are, and how often each was restarted: equal when no process took the place of another.
    pub async fn restarts(&self) -> BTreeMap<String, i32> {
        let restarts = |pod: &Pod| {
            let statuses = pod
                .status
                .iter()
                .flat_map(|status| &status.container_statuses);
            let restarts = statuses.flatten().map(|status| status.restart_count).sum();
            (pod.name_any(), restarts)
        };
        self.pods().await.iter().map(restarts).collect()
    }

    /// The public port of every pod, beside the Service.
    pub async fn doors(&self) -> Vec<Destination> {
        let pods = self.pods().await;
        let addresses = pods
            .iter()
            .filter_map(|pod| pod.status.as_ref()?.pod_ip.as_ref());
        addresses
            .map(|address| self.door(SocketAddr::new(address.parse().unwrap(), PORT)))
            .collect()
    }

    /// The pods that run and are ready, oldest first.
    pub async fn ready_pods(&self) -> Vec<String> {
        let mut pods = self.pods().await;
        pods.retain(is_ready);
        pods.sort_by_key(|pod| pod.metadata.creation_timestamp.clone().map(|time| time.0));
        pods.iter().map(ResourceExt::name_any).collect()
    }

    /// How long it takes until this many pods are ready. What never comes true takes as long as was waited for it: the drill
    /// misses its goal, and those after it run all the same.
    pub async fn pods_are_ready(&self, count: usize) -> Duration {
        measured(|| async { self.ready_pods().await.len() == count }).await
    }

    /// The people who are signed in.
    pub fn people(&self) -> SignedInUsers {
        self.people
            .lock()
            .unwrap()
            .clone()
            .expect("users have signed in")
    }

    /// Writes the Secret with the URL of the database, as an administrator who rotates its password does. `login` is a role,
    /// with its password where it has one.
    pub fn use_database(&self, login: &str, host: &str) {
        let url = format!("--from-literal=url=postgres://{login}@{host}/clientele?sslmode=disable");
        self.node.replace(&[
            "-n",
            SYSTEM,
            "create",
            "secret",
            "generic",
            "clientele-database",
            &url,
        ]);
    }

    /// How long it takes until every replica has connections of this role, and none of another.
    pub async fn connections_of(&self, role: &str) -> Duration {
        let all_are = "SELECT count(DISTINCT client_addr) = 3 AND bool_and(usename = $1) FROM pg_stat_activity WHERE usename LIKE 'clientele%'";
        measured(|| async { ask(&self.database, all_are, role).await == Some(true) }).await
    }

    /// Replaces the certificate of the Service; returns how long it takes until every pod shows it.
    pub async fn new_certificate(&self) -> Duration {
        let certificate = self.authority.certify(&self.node);
        let doors = self.doors().await;
        assert_eq!(doors.len(), 3);
        measured(|| async {
            let shown = join_all(doors.iter().map(Destination::certificate)).await;
            shown
                .iter()
                .all(|shown| shown.as_ref() == Some(&certificate))
        })
        .await
    }

    /// What one drill that was broken off leaves behind for the next is the state that it would have left.
    pub async fn mend(&self) {
        let administrator = self.database.url("postgres");
        if PgConnection::connect(&administrator).await.is_err() {
            tokio::task::block_in_place(|| self.database.restart());
        }
        self.pods_are_ready(3).await;
    }

    /// The pod whose process holds the Lease.
    pub async fn leader(&self) -> String {
        let holder = self.holder().await.unwrap();
        // The name of the pod, and what tells its processes apart.
        let (pod, _) = holder.split_once('_').unwrap();
        pod.to_owned()
    }

    /// The process that holds the Lease.
    pub async fn holder(&self) -> Option<String> {
        let leases: Api<Lease> = Api::namespaced(self.kube.clone(), SYSTEM);
        let lease = leases.get("clientele").await.ok()?;
        let holder = lease.spec?.holder_identity?;
        Some(holder).filter(|holder| !holder.is_empty())
    }

    /// People sign in; from now on they are a part of the load.
    pub async fn sign_in(&self) {
        let people = SignedInUsers::sign_in(self).await;
        *self.people.lock().unwrap() = Some(people);
    }

    /// Sends requests of every kind while something happens; a moment before it, too, and after it.
    pub async fn under_load<T>(&self, what: impl Future<Output = T>) -> (T, Tally) {
        let people = self.people.lock().unwrap().clone();
        self.under(people.as_ref(), what).await
    }

    /// The same, but only what is answered from memory.
    pub async fn under_load_of_memory<T>(&self, what: impl Future<Output = T>) -> (T, Tally) {
        self.under(None, what).await
    }

    async fn under<T>(
        &self,
        people: Option<&SignedInUsers>,
        what: impl Future<Output = T>,
    ) -> (T, Tally) {
        let load = Load::start(&self.destination, &self.requests().await, people);
        lasts(Duration::from_secs(2)).await;
        let outcome = what.await;
        lasts(Duration::from_secs(3)).await;
        let tally = load.stop().await;
        record::failures(&tally);
        (outcome, tally)
    }

    async fn requests(&self) -> Vec<Request> {
        let get = |path: &str| {
            format!("GET {path} HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n")
        };
        let request = |what, per_second, text| Request {
            what,
            per_second,
            text,
        };
        vec![
            request("token", 100, self.token_request("hello").await.unwrap()),
            request("keys", 5, get("/jwks")),
            request("metadata", 5, get("/.well-known/openid-configuration")),
        ]
    }

    async fn token_request(&self, client: &str) -> Result<String, String> {
        let secrets: Api<Secret> = Api::namespaced(self.kube.clone(), TEAM);
        let secret = secrets.get(&format!("{client}-oauth")).await;
        let entries = entries(&secret.map_err(|error| error.to_string())?);
        let basic = STANDARD.encode(format!(
            "{}:{}",
            entries["CLIENT_ID"], entries["CLIENT_SECRET"]
        ));
        let body = "grant_type=client_credentials";
        Ok(format!(
            "POST /token HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\nAuthorization: Basic {basic}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        ))
    }

    async fn service(&self) -> SocketAddr {
        let services: Api<Service> = Api::namespaced(self.kube.clone(), SYSTEM);
        eventually("the Service has an address", || async {
            let service = services
                .get("clientele")
                .await
                .map_err(|error| error.to_string())?;
            let address = service.spec.and_then(|spec| spec.cluster_ip);
            let address = address.and_then(|address| address.parse().ok());
            address
                .map(|address| SocketAddr::new(address, 443))
                .ok_or_else(|| "none".to_owned())
        })
        .await
    }
}

/// A drill that lasts: what it tests is that nothing happens meanwhile.
pub async fn lasts(time: Duration) {
    tokio::time::sleep(time).await;
}

/// How long a condition takes to come true; at most a while.
pub async fn measured<F: Future<Output = bool>>(look: impl Fn() -> F) -> Duration {
    let begin = Instant::now();
    comes_true(Duration::from_mins(3), look).await;
    begin.elapsed()
}

/// Whether a condition comes true within this time.
async fn comes_true<F: Future<Output = bool>>(within: Duration, look: impl Fn() -> F) -> bool {
    let begin = Instant::now();
    while !look().await {
        if begin.elapsed() > within {
            return false;
        }
        tokio::time::sleep(BREATH).await;
    }
    true
}

/// What a database answers to a question with one parameter.
pub async fn ask(database: &Server, question: &'static str, parameter: &str) -> Option<bool> {
    let mut connection = PgConnection::connect(&database.url("clientele"))
        .await
        .unwrap();
    let answer = sqlx::query_scalar(question).bind(parameter);
    answer.fetch_one(&mut connection).await.unwrap()
}

fn is_ready(pod: &Pod) -> bool {
    let conditions = pod
        .status
        .iter()
        .flat_map(|status| status.conditions.iter().flatten());
    conditions
        .into_iter()
        .any(|one| one.type_ == "Ready" && one.status == "True")
}
