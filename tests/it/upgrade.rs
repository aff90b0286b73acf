//! The release before beside this program, on one database and one cluster: an upgrade, its rollback, and the upgrade again.
//!
//! `scripts/test upgrade` builds that release once, from the commit in `tests/releases/`, and says where it is.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use kube::ResourceExt;
use serde_json::json;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};

use crate::support::cluster::Cluster;
use crate::support::load::{Entries, ask_at};
use crate::support::operator::{Options, RunningOperator};
use crate::support::people::{APP, PASSWORD};
use crate::support::postgres::Server;
use crate::support::running_server::browser_at;
use crate::support::signed_in::{SignedIn, call, request};
use crate::support::test_namespace::{TestNamespace, eventually, http, when};

/// The chart of this program.
const CHART: &str = "charts/clientele";
/// No version before knows that a newer migration only adds (`docs/operations/upgrade.md`).
const FIRST_TO_ROLL_BACK_TO: [u32; 3] = [0, 2, 0];

/// A header by which each request has a connection of its own, and so the next replica.
const CLOSE: (&str, &str) = ("connection", "close");

/// The release before.
struct Previous {
    version: String,
    program: PathBuf,
    chart: String,
}

impl Previous {
    /// As `scripts/test upgrade` built it.
    fn built() -> Self {
        let variable = |name| {
            let value = std::env::var_os(name).expect("run `scripts/test upgrade`");
            value.into_string().unwrap()
        };
        let folder = PathBuf::from(variable("CLIENTELE_PREVIOUS"));
        Self {
            version: variable("CLIENTELE_PREVIOUS_VERSION"),
            program: folder.join("clientele"),
            chart: folder.join(CHART).to_str().unwrap().to_owned(),
        }
    }

    /// Whether a rollback to it works without a restored database.
    fn can_be_rolled_back_to(&self) -> bool {
        let version: Vec<u32> = self.version.split('.').flat_map(str::parse).collect();
        version.as_slice() >= FIRST_TO_ROLL_BACK_TO.as_slice()
    }
}

/// What stands before the replicas: each connection goes to the next one.
#[derive(Clone)]
struct Front {
    address: String,
    replicas: Arc<Mutex<Vec<String>>>,
}

impl Front {
    async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let front = Self {
            address: listener.local_addr().unwrap().to_string(),
            replicas: Arc::default(),
        };
        let this = front.clone();
        tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let replica = this.next();
                tokio::spawn(async move {
                    let mut server = TcpStream::connect(replica).await.unwrap();
                    let _ = copy_bidirectional(&mut client, &mut server).await;
                });
            }
        });
        front
    }

    fn next(&self) -> String {
        let mut replicas = self.replicas.lock().unwrap();
        replicas.rotate_left(1);
        replicas[0].clone()
    }

    fn lead_to(&self, replicas: &[&RunningOperator]) {
        *self.replicas.lock().unwrap() = replicas.iter().map(|one| one.listen.clone()).collect();
    }
}

/// An installation with what people and applications have of it.
struct Installation {
    cluster: Cluster,
    previous: Previous,
    database: String,
    front: Front,
}

impl Installation {
    async fn of(previous: Previous) -> Self {
        let server = tokio::task::spawn_blocking(Server::shared).await.unwrap();
        let installation = Self {
            cluster: Cluster::start(),
            database: server.database().await,
            front: Front::open().await,
            previous,
        };
        installation.chart(&installation.previous.chart);
        installation
            .cluster
            .control("restart kube-controller-manager");
        installation
    }

    fn chart(&self, chart: &str) {
        self.cluster.helm(&[
            "upgrade",
            "--install",
            "clientele",
            chart,
            "--namespace=clientele-system",
            "--create-namespace",
            "--set=deployment.enabled=false",
        ]);
    }

    fn start(&self, program: Option<PathBuf>) -> RunningOperator {
        let options = Options {
            database_url: Some(self.database.clone()),
            issuer: Some(format!("http://{}", self.front.address)),
            program,
            ..Options::flags(&[])
        };
        RunningOperator::start(&self.cluster, &options)
    }

    fn start_previous(&self) -> RunningOperator {
        self.start(Some(self.previous.program.clone()))
    }
}

/// What was issued before the upgrade.
struct Issued {
    space: TestNamespace,
    machine: Entries,
    shop: Entries,
    alice: SignedIn,
    signed_out: SignedIn,
}

impl Issued {
    async fn by(installation: &Installation) -> Self {
        let issuer = format!("http://{}", installation.front.address);
        let space = TestNamespace::within(&installation.cluster, &issuer, "team").await;
        space.label_for_people().await;
        for name in ["alice", "dora"] {
            space.person("default", name, PASSWORD).await;
        }
        space.ready("machine", json!({})).await;
        space.ready("shop", json!({ "redirectUris": [APP] })).await;
        let shop = space.entries("shop-oauth").await;
        let mut signed_out = SignedIn::new(&shop, "dora").await;
        assert_eq!(signed_out.refresh().await.0, 200);
        let token = signed_out.refresh_token.clone();
        let revoked = call(&shop, "revoke", &[("token", &token)]).await;
        assert_eq!(revoked.0, 200, "{revoked:?}");
        let mut alice = SignedIn::new(&shop, "alice").await;
        alice.browser.headers.push((CLOSE.0, CLOSE.1.to_owned()));
        Self {
            machine: space.entries("machine-oauth").await,
            alice,
            shop,
            signed_out,
            space,
        }
    }

    /// Everything works at each of these replicas, and what ended stays ended.
    async fn works(&mut self, phase: &str, front: &Front, replicas: &[&RunningOperator]) {
        println!("{phase}");
        let now = self.space.entries("machine-oauth").await;
        assert_eq!(now, self.machine, "{phase}: the credentials of a client");
        self.space.ready(phase, json!({})).await;
        let new = self.space.entries(&format!("{phase}-oauth")).await;
        for replica in replicas {
            let endpoint = format!("http://{}/token", replica.listen);
            for entries in [&self.machine, &new] {
                let answer = ask_at(&http(), &endpoint, entries).await;
                assert!(answer.is_ok(), "{phase}: {answer:?}");
            }
            front.lead_to(&[replica]);
            let refreshed = self.alice.refresh().await;
            assert_eq!(refreshed.0, 200, "{phase}: {refreshed:?}");
            assert_eq!(self.alice.userinfo().await, 200, "{phase}");
            let told = self.alice.again().await.told();
            let is_signed_in = told.contains_key("code");
            assert!(is_signed_in, "{phase}: without signing in: {told:?}");
            assert_eq!(self.signed_out.refresh().await.0, 400, "{phase}");
        }
        // The page of one replica, and the form that it has at another.
        front.lead_to(replicas);
        let mut browser = browser_at(&self.shop["ISSUER"]);
        browser.headers.push((CLOSE.0, CLOSE.1.to_owned()));
        let told = browser.allow(&request(&self.shop).url(), "dora").await;
        assert!(told.contains_key("code"), "{phase}: {told:?}");
        self.rotates(phase, replicas).await;
    }

    /// The new secret of a client works, and the old one beside it.
    async fn rotates(&self, phase: &str, replicas: &[&RunningOperator]) {
        let name = format!("{phase}-rotated");
        self.space.ready(&name, json!({})).await;
        let old = self.space.entries(&format!("{name}-oauth")).await;
        let rotation = json!({ "spec": { "rotation": { "requestId": phase } } });
        let asked = self.space.patch(&name, rotation).await;
        let new = eventually("a new secret is published", || async {
            let now = self
                .space
                .entries(&format!("{}-oauth", asked.name_any()))
                .await;
            let differs = now["CLIENT_SECRET"] != old["CLIENT_SECRET"];
            when(differs, now, || "still the old one".to_owned())
        })
        .await;
        for replica in replicas {
            let endpoint = format!("http://{}/token", replica.listen);
            for entries in [&old, &new] {
                let answer = ask_at(&http(), &endpoint, entries).await;
                assert!(answer.is_ok(), "{phase}: {answer:?}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn o05_an_upgrade_and_its_rollback_lose_nothing() {
    let installation = Installation::of(Previous::built()).await;
    let front = &installation.front;
    let old = installation.start_previous();
    front.lead_to(&[&old]);
    let mut issued = Issued::by(&installation).await;

    installation.chart(CHART);
    issued.works("new-chart", front, &[&old]).await;
    let new = installation.start(None);
    issued.works("beside", front, &[&old, &new]).await;
    old.stop();
    issued.works("upgraded", front, &[&new]).await;
    if !installation.previous.can_be_rolled_back_to() {
        println!(
            "a rollback to {} needs a restored database",
            installation.previous.version
        );
        return;
    }

    let rollback = ["rollback", "clientele", "--namespace=clientele-system"];
    installation.cluster.helm(&rollback);
    issued.works("old-chart", front, &[&new]).await;
    let old = installation.start_previous();
    issued.works("back-beside", front, &[&new, &old]).await;
    new.stop();
    issued.works("back", front, &[&old]).await;

    installation.chart(CHART);
    let new = installation.start(None);
    issued.works("again-beside", front, &[&old, &new]).await;
    old.stop();
    issued.works("again", front, &[&new]).await;
}
