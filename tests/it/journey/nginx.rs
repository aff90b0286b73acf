//! The longest flow behind nginx as it comes: it gives the head of an answer 4 KiB, and answers 502 if that is too little.

use std::process::Child;
use std::sync::Arc;

use clientele_http::server::Limits;
use clientele_oauth::{Client, Registry, Tenant};
use tempfile::TempDir;

use crate::support::ask::{Ask, ask};
use crate::support::browser::{Browser, Page};
use crate::support::clock;
use crate::support::grants::longest_sign_out;
use crate::support::machine::program;
use crate::support::operator::free_address;
use crate::support::people::{app_with, everybody, index};
use crate::support::running::Running;
use crate::support::running_server::browser_at;
use crate::support::test_namespace::eventually;
use crate::support::test_server::{TestServer, default_tenant, list};

/// A proxy in front of the server, stopped when dropped.
struct Nginx {
    child: Child,
    _folder: TempDir,
}

impl Nginx {
    /// Without a word about buffers.
    async fn start(address: &str, server: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().display();
        // Debian keeps it off PATH.
        let debian = std::path::Path::new("/usr/sbin/nginx");
        let nginx = if debian.exists() {
            debian
        } else {
            "nginx".as_ref()
        };
        let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|kind| format!("{kind}_temp_path {path}/{kind};\n"))
            .concat();
        let configuration = format!(
            "user root;\nworker_processes 1;\ndaemon off;\npid {path}/pid;\nerror_log {path}/error.log;\n\
             events {{}}\nhttp {{\naccess_log off;\n{temporary}\
             server {{ listen {address}; location / {{ proxy_pass http://{server}; }} }}\n}}\n"
        );
        let file = folder.path().join("nginx.conf");
        std::fs::write(&file, configuration).unwrap();
        let child = program(nginx)
            .arg("-e")
            .arg(folder.path().join("error.log"))
            .arg("-c")
            .arg(&file)
            .spawn()
            .expect("nginx is missing: `apt-get install nginx-light`");
        eventually("nginx answers", || async {
            let connected = tokio::net::TcpStream::connect(address).await;
            connected.map_err(|error| error.to_string())
        })
        .await;
        Self {
            child,
            _folder: folder,
        }
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // The workers end with their master's end of the pipe.
        let _ = program("kill").arg(self.child.id().to_string()).status();
        let _ = self.child.wait();
    }
}

fn client(uri: &str) -> Client {
    app_with("team-a.app", |client| {
        client.redirect_uris = list(&[uri]);
        client.post_logout_redirect_uris = list(&[uri]);
    })
}

fn tenant(issuer: &str, client: Client) -> Tenant {
    let client = client.with_default_claims(issuer);
    Tenant {
        issuer: issuer.into(),
        users: index(everybody()),
        clients: [(client.id.clone(), Arc::new(client))].into(),
        ..default_tenant(Vec::new(), Vec::new())
    }
    .rendered()
}

/// Redirect URI and state as long as they may be.
fn longest(uri: &str) -> Ask {
    ask("team-a.app")
        .with("redirect_uri", uri)
        .with("state", &"\u{e9}".repeat(341))
        .with("nonce", &"n".repeat(512))
}

async fn flow(browser: &mut Browser<'_>, request: &Ask) -> [Page; 4] {
    let login = browser.open(&request.url()).await;
    assert_eq!((login.path(), login.reply.status), ("/login", 200));
    let consent = browser.sign_in_at(&login, "alice").await;
    assert_eq!((consent.path(), consent.reply.status), ("/consent", 200));
    let told = browser.submit(&consent, &[("decision", "allow")]).await;
    assert_eq!(told.told()["state"], "\u{e9}".repeat(341));
    // The code and the cookie of a new session in one answer.
    let again = browser.sign_in_at(&login, "alice").await;
    assert!(again.told().contains_key("code"));
    [login, consent, told, again]
}

#[tokio::test]
async fn b29_the_longest_flow_passes_nginx_with_its_defaults() {
    let world = TestServer::of(Vec::new(), clock::now).await;
    let server = Running::start(world.router.clone(), None, Limits::default()).await;
    let address = free_address();
    let issuer = format!("http://{address}");
    let uri = format!("https://app.example/{}", "p".repeat(492));
    let tenants = vec![Arc::new(tenant(&issuer, client(&uri)))];
    let registry = Registry::new(2, Some(world.keyring.clone()), tenants);
    world.app.registry.store(registry.into());
    let _nginx = Nginx::start(&address, &server.address.to_string()).await;
    let mut browser = browser_at(&issuer);
    let pages = flow(&mut browser, &longest(&uri)).await;
    for page in &pages {
        assert_eq!(page.reply.header("server").split('/').next(), Some("nginx"));
    }
    // A form of another site, which is too long for an address.
    let mut elsewhere = browser_at(&issuer);
    elsewhere.says_origin = false;
    let page = elsewhere
        .post_raw("/authorize", &longest(&uri).query())
        .await;
    assert_eq!((page.path(), page.reply.status), ("/authorize", 200));
    let page = browser.submit(&page, &[]).await;
    let code = &page.told()["code"];
    // A sign-out of another site with the longest ID token.
    let sid = world.kept(code).await.authorization.sid;
    let state = "s".repeat(2048);
    let query = longest_sign_out(&issuer, &sid, &uri, &state);
    elsewhere.headers = vec![("origin", "https://app.example".to_owned())];
    let page = elsewhere.post_raw("/logout", &query).await;
    assert_eq!((page.path(), page.reply.status), ("/logout", 200));
    let page = browser.submit(&page, &[]).await;
    let location = format!("{uri}?state={state}");
    assert_eq!(page.reply.header("location"), location);
}
