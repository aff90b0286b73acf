//! The dashboard for people who sign in, in front of an issuer in this process: a browser meets both at loopback.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use clientele_dashboard::SignInSettings;
use clientele_dashboard::server::{Bound, ForPeople};
use clientele_http::server::Limits;
use clientele_oauth::{Client, Registry, Tenant};
use jiff::Timestamp;
use kube::config::Kubeconfig;
use reqwest::Method;
use reqwest::header::{COOKIE, HOST, SET_COOKIE};
use tempfile::TempDir;
use tokio::task::AbortHandle;

use super::browser::Browser;
use super::cluster::Cluster;
use super::dashboard::{Shown, read};
use super::keys;
use super::people::{app, everybody, index};
use super::running::Running;
use super::running_server::browser_at;
use super::test_namespace::http_without_redirects;
use super::test_server::{TestServer, list, unrendered};

/// Where people reach the dashboard.
pub const ORIGIN: &str = "https://dashboard.example.com";
/// The client that the dashboard is.
pub const CLIENT: &str = "system.clientele-dashboard";
/// What a browser sends with a form of the dashboard.
pub const OWN: (&str, &str) = ("origin", ORIGIN);
/// What htmx sends.
pub const FRAGMENT: (&str, &str) = ("hx-request", "true");
/// What a browser asks for a stream of changes.
pub const STREAM: (&str, &str) = ("accept", "text/event-stream");
/// What a browser says of a link that it follows from another site.
pub const LINK: [(&str, &str); 3] = [
    ("sec-fetch-site", "cross-site"),
    ("sec-fetch-mode", "navigate"),
    ("sec-fetch-dest", "document"),
];

/// The API server that the dashboard asks.
pub struct ApiServer {
    /// Its address.
    pub address: String,
    /// Its authority, as a file.
    pub authority: Option<PathBuf>,
}

impl ApiServer {
    /// No program listens there: for what needs no API server.
    pub fn none() -> Self {
        Self {
            address: "http://127.0.0.1:9".to_owned(),
            authority: None,
        }
    }

    /// That of a cluster; its authority is written into the folder.
    pub fn of(cluster: &Cluster, folder: &Path) -> Self {
        let kubeconfig = Kubeconfig::read_from(&cluster.kubeconfig).unwrap();
        let cluster = kubeconfig.clusters[0].cluster.clone().unwrap();
        let pem = match (
            cluster.certificate_authority_data,
            cluster.certificate_authority,
        ) {
            (Some(data), _) => STANDARD.decode(data).unwrap(),
            (None, Some(path)) => std::fs::read(path).unwrap(),
            (None, None) => panic!("the kubeconfig names no authority"),
        };
        let authority = folder.join("ca.crt");
        std::fs::write(&authority, pem).unwrap();
        Self {
            address: cluster.server.unwrap(),
            authority: Some(authority),
        }
    }
}

/// Issuer and dashboard.
pub struct PeopleDashboard {
    /// The issuer.
    pub issuer: String,
    world: TestServer,
    http: reqwest::Client,
    address: SocketAddr,
    serving: AbortHandle,
    _issuing: Running,
    _files: TempDir,
}

/// A browser: what it would send to the dashboard, and its session at the issuer.
pub struct Visitor {
    /// The cookies of the dashboard.
    pub cookies: BTreeMap<String, String>,
    at_issuer: Browser<'static>,
}

impl Drop for PeopleDashboard {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl PeopleDashboard {
    /// Starts both. ID tokens last as long as those of a client that says nothing.
    pub async fn new(api_server: ApiServer) -> Self {
        let world = TestServer::of(Vec::new(), Timestamp::now).await;
        let issuing = Running::start(world.router.clone(), None, Limits::default()).await;
        let issuer = format!("http://{}", issuing.address);
        let files = tempfile::tempdir().unwrap();
        for (entry, value) in [
            ("ISSUER", issuer.clone()),
            ("CLIENT_ID", CLIENT.to_owned()),
            ("CLIENT_SECRET", world.secret(CLIENT)),
        ] {
            std::fs::write(files.path().join(entry), value).unwrap();
        }
        let sign_in = SignInSettings {
            origin: ORIGIN.to_owned(),
            credentials: files.path().to_owned(),
            api_server: api_server.address,
            api_server_ca: api_server.authority,
        };
        let settings = ForPeople {
            listen: ([127, 0, 0, 1], 0).into(),
            read_only: false,
            sign_in,
            issuer_ca: None,
        };
        let bound = Bound::for_people(&settings).await.unwrap();
        let address = bound.address().unwrap();
        let stage = Self {
            issuer,
            world,
            http: http_without_redirects(),
            address,
            serving: tokio::spawn(bound.serve()).abort_handle(),
            _issuing: issuing,
            _files: files,
        };
        stage.id_tokens_last(clientele_oauth::client::Lifetimes::DEFAULT.id_token);
        stage
    }

    /// From now on ID tokens of the dashboard last so long.
    pub fn id_tokens_last(&self, lasts: Duration) {
        let mut client: Client = app(CLIENT);
        client.first_party = true;
        client.redirect_uris = list(&[&format!("{ORIGIN}/callback")]);
        Arc::make_mut(&mut client.lifetimes).id_token = lasts;
        let keys = Some(keys::signing_keys_of_all());
        let tenant = Tenant {
            users: index(everybody()),
            ..unrendered("default", &self.issuer, keys, vec![client])
        };
        let tenants = vec![Arc::new(tenant.rendered())];
        let registry = Registry::new(1, Some(self.world.keyring.clone()), tenants);
        self.world.app.registry.store(registry.into());
    }

    /// A browser without cookies.
    pub fn visitor(&self) -> Visitor {
        Visitor {
            cookies: BTreeMap::new(),
            at_issuer: browser_at(&self.issuer),
        }
    }

    /// A request as a browser sends it from this dashboard, unless it says another site.
    pub async fn send(
        &self,
        visitor: &mut Visitor,
        (method, path): (Method, &str),
        more: &[(&str, &str)],
        body: &str,
    ) -> Shown {
        let url = format!("http://{}{path}", self.address);
        let host = ORIGIN.trim_start_matches("https://");
        let mut request = self.http.request(method, url).header(HOST, host);
        let cookies = visitor.cookies.iter();
        let cookies: Vec<String> = cookies
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        request = request.header(COOKIE, cookies.join("; "));
        if !more.iter().any(|(name, _)| *name == "sec-fetch-site") {
            request = request.header("sec-fetch-site", "same-origin");
        }
        for (name, value) in more {
            request = request.header(*name, *value);
        }
        let shown = read(request.body(body.to_owned())).await;
        visitor.keep(&shown);
        // Every JWT begins with one of these.
        let all = format!("{shown:?} {:?}", visitor.cookies);
        let token = ["eyJhbGciOi", "eyJ0eXAiOi", "eyJraWQiOi"];
        assert!(
            !token.iter().any(|start| all.contains(start)),
            "an ID token: {all}"
        );
        shown
    }

    /// A page.
    pub async fn get(&self, visitor: &mut Visitor, path: &str) -> Shown {
        self.send(visitor, (Method::GET, path), &[], "").await
    }

    /// The path to which the issuer sends the browser back, for the authorization request of this redirect.
    pub async fn authorized(
        &self,
        visitor: &mut Visitor,
        request: &Shown,
        username: &str,
    ) -> String {
        let address = request.location();
        let issuer = format!("{}/authorize?", self.issuer);
        assert!(address.starts_with(&issuer), "{address}");
        let page = visitor.at_issuer.open(address).await;
        let page = match page.path() {
            "/login" => visitor.at_issuer.sign_in_at(&page, username).await,
            _ => page,
        };
        let back = page.reply.header("location").to_owned();
        back.strip_prefix(ORIGIN)
            .unwrap_or_else(|| panic!("{back}: {:?}", page.reply))
            .to_owned()
    }

    /// Signs a person in who wanted to see `path`; the page that leads there.
    pub async fn enter(&self, visitor: &mut Visitor, username: &str, path: &str) -> Shown {
        let away = self.get(visitor, path).await;
        assert_eq!(away.status, 303, "{}", away.text);
        let back = self.authorized(visitor, &away, username).await;
        self.send(visitor, (Method::GET, &back), &LINK, "").await
    }
}

impl Visitor {
    /// Another browser that got hold of the cookies of this one.
    pub fn twin(&self) -> Self {
        Self {
            cookies: self.cookies.clone(),
            at_issuer: self.at_issuer.twin(),
        }
    }

    fn keep(&mut self, shown: &Shown) {
        for line in shown.headers.get_all(SET_COOKIE) {
            let line = line.to_str().unwrap();
            let attributes = "; Path=/; HttpOnly; SameSite=Lax; Secure";
            assert!(
                line.contains(attributes) && line.starts_with("__Host-"),
                "{line}"
            );
            let (name, value) = line.split(';').next().unwrap().split_once('=').unwrap();
            match value {
                "" => drop(self.cookies.remove(name)),
                value => drop(self.cookies.insert(name.to_owned(), value.to_owned())),
            }
        }
    }
}
