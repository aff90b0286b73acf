//! One of everything that the server gives away, by the name that stands for it in an input.

use std::str;
use std::sync::LazyLock;

use tokio::runtime::{Builder, Runtime};
use url::form_urlencoded::byte_serialize;

use crate::ask::{VERIFIER, ask};
use crate::browser::Browser;
use crate::people::APP;
use crate::test_server::{TestServer, basic};

/// The application for which Alice signs in.
pub const CLIENT: &str = "team-a.app";

/// A server in this process, and what it has issued.
pub struct Issued {
    pub runtime: Runtime,
    pub world: TestServer,
    /// `{name}` in an input stands for this value.
    pub values: Vec<(&'static str, String)>,
}

impl Issued {
    /// Made once: an RSA key takes a while, and so does a password.
    pub fn get() -> &'static Self {
        static ISSUED: LazyLock<Issued> = LazyLock::new(|| {
            let runtime = Builder::new_current_thread().enable_all().build().unwrap();
            let (world, values) = runtime.block_on(issue());
            Issued {
                runtime,
                world,
                values,
            }
        });
        &ISSUED
    }

    /// The value of this name.
    pub fn value(&self, name: &str) -> &str {
        let mut values = self.values.iter();
        &values.find(|(known, _)| *known == name).unwrap().1
    }
}

async fn issue() -> (TestServer, Vec<(&'static str, String)>) {
    let mut world = TestServer::at_rest().await;
    // So that `X-Forwarded-For` is read.
    let proxies = ["192.0.2.0/24".parse().unwrap()];
    world.app.trusted_proxies =
        clientele_http::server::trusted_proxies::TrustedProxies::new(&proxies);
    let world = TestServer::with(world.app);
    let values = walk(&world).await;
    (world, values)
}

/// Alice signs in, allows the application what it asks, and it takes its tokens.
async fn walk(world: &TestServer) -> Vec<(&'static str, String)> {
    let request = ask(CLIENT).with("scope", "openid profile email offline_access");
    let mut browser = Browser::new(world);
    let at_login = browser.open(&request.url()).await;
    let login = at_login.transaction();
    let at_consent = browser.sign_in_at(&at_login, "alice").await;
    let consent = at_consent.transaction();
    let answer = browser.submit(&at_consent, &[("decision", "allow")]).await;
    let code = answer.told()["code"].clone();
    let secret = world.secret(CLIENT);
    let header = basic(CLIENT, &secret);
    let form = format!(
        "grant_type=authorization_code&code={code}&redirect_uri={APP}&code_verifier={VERIFIER}"
    );
    let tokens = world.token(Some(&header), &form).await.json();
    let token = |name: &str| tokens[name].as_str().unwrap().to_owned();
    let cookies: Vec<String> = browser
        .cookies
        .iter()
        .map(|(k, v)| format!("{k}={v}"))
        .collect();
    let request = request.with("state", "again");
    let again = Browser::open(&mut browser, &request.with("prompt", "login").url()).await;
    vec![
        ("login", login),
        ("consent", consent),
        ("again", again.transaction()),
        ("cookies", cookies.join("; ")),
        ("access", token("access_token")),
        ("refresh", token("refresh_token")),
        ("id", token("id_token")),
        ("code", code),
        ("verifier", VERIFIER.to_owned()),
        ("basic", header),
        ("machine", world.web("").await.access_token()),
        ("webbasic", basic("team-a.web", &world.secret("team-a.web"))),
        ("secret", secret),
        ("ask", ask(CLIENT).query()),
        ("app", byte_serialize(APP.as_bytes()).collect()),
    ]
}

/// The input with every `{name}` that is known replaced by its value.
pub fn filled(issued: &Issued, input: &[u8]) -> Vec<u8> {
    let mut output = Vec::with_capacity(input.len());
    let mut rest = input;
    while let Some(open) = rest.iter().position(|&b| b == b'{') {
        output.extend_from_slice(&rest[..open]);
        rest = &rest[open..];
        let close = rest.iter().take(12).position(|&b| b == b'}').unwrap_or(0);
        let name = str::from_utf8(rest.get(1..close).unwrap_or_default()).unwrap_or_default();
        match issued.values.iter().find(|(known, _)| *known == name) {
            Some((_, value)) => {
                output.extend_from_slice(value.as_bytes());
                rest = &rest[close + 1..];
            }
            None => {
                output.push(b'{');
                rest = &rest[1..];
            }
        }
    }
    output.extend_from_slice(rest);
    output
}
