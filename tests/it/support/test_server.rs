//! A registry with four tenants and clients of every kind, behind the real router.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use axum::body::Body;
use axum::http::Request;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use clientele_http::metrics::TokenMetrics;
use clientele_http::{App, Endpoints, router};
use clientele_oauth::client::secret_usage::Uses;
use clientele_oauth::client::{AssertionMethods, Audience, IdTokenClaims, Lifetimes, PkceRule};
use clientele_oauth::keys::root_keyring::Registration;
use clientele_oauth::tenant::Scope;
use clientele_oauth::{
    AccessTokenType, Algorithm, AuthMethod, Client, ClientType, GrantType, Keyring, Registry,
    SigningKeys, Tenant, User,
};
use clientele_store::Store;
use jiff::Timestamp;
use tower::ServiceExt;

use super::reply::Reply;
use super::{keys, people};

/// The issuer of the tenant `default`.
pub const ISSUER: &str = "https://id.example";
/// The issuer of the tenant `b`, which has a client of its own.
pub const ISSUER_B: &str = "https://id.example/t/b";
/// The media type of a form.
pub const FORM: &str = "application/x-www-form-urlencoded";
/// The scopes that the tenant `default` lists.
pub const SCOPES: [&str; 3] = ["orders.read", "bills.read", "common"];

/// A server in this process.
pub struct TestServer {
    /// What the router was built from.
    pub app: App,
    /// The router.
    pub router: Endpoints,
    /// The root keys.
    pub keyring: Arc<Keyring>,
}

impl TestServer {
    /// Four tenants: `default` and `b` sign with ES256, `rsa` with RS256, `ed` with `EdDSA`; `keyless` cannot sign.
    pub async fn new() -> Self {
        Self::of(tenants(), Timestamp::now).await
    }

    /// A server of these tenants and this clock.
    pub async fn of(tenants: Vec<Arc<Tenant>>, clock: fn() -> Timestamp) -> Self {
        let keyring = keys::keyring();
        let registry = Registry::new(1, Some(keyring.clone()), tenants);
        let registry = Arc::new(ArcSwap::from_pointee(registry));
        let store = Store::open("sqlite::memory:").await.unwrap();
        Self::with(App::new(
            registry,
            clock,
            Arc::new(TokenMetrics::default()),
            store,
        ))
    }

    /// The tenants of [`TestServer::new`], at the time of [`super::clock`].
    pub async fn at_rest() -> Self {
        Self::of(tenants(), super::clock::now).await
    }

    /// Changes the tenant `default` from now on.
    pub fn change(&self, change: impl FnOnce(&mut Tenant)) {
        let mut tenants = tenants();
        let mut tenant = default_tenant(clients_of_default(), people::everybody());
        change(&mut tenant);
        tenants[0] = Arc::new(tenant.rendered());
        let registry = Registry::new(2, Some(self.keyring.clone()), tenants);
        self.app.registry.store(registry.into());
    }

    /// From now on there is no root key.
    pub fn lose_root_key(&self) {
        let tenants = self.app.registry.load().tenants.values().cloned().collect();
        let registry = Registry::new(2, None, tenants);
        self.app.registry.store(registry.into());
    }

    /// A server of this application.
    pub fn with(app: App) -> Self {
        Self {
            router: router(app.clone()),
            app,
            keyring: keys::keyring(),
        }
    }

    /// The secret of a client in a generation.
    pub fn secret_of(&self, client_id: &str, generation: u32) -> String {
        let registration = Registration {
            client_id,
            client_uid: &client_uid(client_id),
        };
        let secret = self.keyring.derive(registration, generation);
        secret.expose().to_owned()
    }

    /// The current secret of a client.
    pub fn secret(&self, client_id: &str) -> String {
        self.secret_of(client_id, 1)
    }

    /// Answers a request in this process.
    pub async fn send(&self, request: Request<Body>) -> Reply {
        let response = self.router.clone().oneshot(request).await.unwrap();
        Reply::read(response).await
    }

    /// `GET`.
    pub async fn get(&self, path: &str) -> Reply {
        self.send(Request::get(path).body(Body::empty()).unwrap())
            .await
    }

    /// `POST /token` of the tenant `default`.
    pub async fn token(&self, authorization: Option<&str>, form: &str) -> Reply {
        self.token_at("/token", authorization, form).await
    }

    /// `POST` of a form to a token endpoint.
    pub async fn token_at(&self, path: &str, authorization: Option<&str>, form: &str) -> Reply {
        let mut request = Request::post(path).header(CONTENT_TYPE, FORM);
        if let Some(value) = authorization {
            request = request.header(AUTHORIZATION, value);
        }
        self.send(request.body(form.to_owned().into()).unwrap())
            .await
    }

    /// A valid request of `team-a.web` by Basic, with more parameters.
    pub async fn web(&self, more: &str) -> Reply {
        let basic = basic("team-a.web", &self.secret("team-a.web"));
        let form = format!("grant_type=client_credentials{more}");
        self.token(Some(&basic), &form).await
    }
}

/// An `Authorization` header (RFC 6749 §2.3.1) whose parts need no form encoding.
pub fn basic(id: &str, secret: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{id}:{secret}")))
}

/// A UID that follows from the name.
pub fn client_uid(client_id: &str) -> String {
    format!("uid-of-{client_id}")
}

/// A list as clients hold it.
pub fn list(values: &[&str]) -> Arc<[Arc<str>]> {
    values.iter().map(|&value| Arc::from(value)).collect()
}

/// A confidential machine client with two audiences.
pub fn client(id: &str) -> Client {
    let audience = |uri: &str, scope: &str| Audience {
        uri: uri.into(),
        scopes: list(&[scope]),
        access_token_type: AccessTokenType::default(),
        claims: [].into(),
    };
    Client {
        id: id.into(),
        uid: client_uid(id).into(),
        namespace: "team-a".into(),
        display_name: "Web".into(),
        client_type: ClientType::Confidential,
        first_party: false,
        auth_method: None,
        assertion_methods: AssertionMethods::default(),
        grant_types: [GrantType::ClientCredentials].into(),
        scopes: list(&["openid", "orders.read", "bills.read", "common"]),
        audiences: [
            audience("https://orders.example", "orders.read"),
            audience("https://bills.example", "bills.read"),
        ]
        .into(),
        redirect_uris: [].into(),
        redirect_hosts_listed: true,
        post_logout_redirect_uris: [].into(),
        allowed_origins: [].into(),
        pkce: PkceRule::default(),
        id_token_algorithm: Algorithm::Rs256,
        id_token_claims: IdTokenClaims::default(),
        allowed_groups: None,
        lifetimes: Lifetimes::DEFAULT.into(),
        oldest_accepted: 1,
        external_secret: None,
        uses: Arc::new(Uses::new(1)),
        default_claims: Box::default(),
        default_scope: Box::default(),
    }
}

fn with(id: &str, change: impl FnOnce(&mut Client)) -> Client {
    let mut client = client(id);
    change(&mut client);
    client
}

/// Every client of the tenant `default`.
pub fn clients_of_default() -> Vec<Client> {
    let machines = vec![
        client("team-a.web"),
        client("team-a.other"),
        with("team-a.basic", |c| {
            c.auth_method = Some(AuthMethod::ClientSecretBasic);
        }),
        with("team-a.post", |c| {
            c.auth_method = Some(AuthMethod::ClientSecretPost);
        }),
        with("team-a.public-machine", |c| {
            c.client_type = ClientType::Public;
        }),
        with("team-a.login", |c| {
            c.grant_types = [GrantType::AuthorizationCode].into();
        }),
        with("team-a.rotated", |c| c.oldest_accepted = 3),
        with("https://a:b%c+d.example", |_| ()),
    ];
    machines.into_iter().chain(people::applications()).collect()
}

fn scope(name: &str) -> Scope {
    Scope {
        name: name.into(),
        description: None,
        claims: [].into(),
    }
}

/// A tenant with these clients.
pub fn tenant(
    name: &str,
    issuer: &str,
    keys: Option<Arc<SigningKeys>>,
    clients: Vec<Client>,
) -> Arc<Tenant> {
    Arc::new(unrendered(name, issuer, keys, clients).rendered())
}

/// A tenant with these clients, to be completed and rendered.
pub fn unrendered(
    name: &str,
    issuer: &str,
    keys: Option<Arc<SigningKeys>>,
    clients: Vec<Client>,
) -> Tenant {
    let clients = clients
        .into_iter()
        .map(|client| {
            (
                client.id.clone(),
                Arc::new(client.with_default_claims(issuer)),
            )
        })
        .collect();
    let uid = format!("uid-of-tenant-{name}");
    let algorithm = keys
        .as_ref()
        .and_then(|keys| Some(keys.iter().next()?.key.algorithm()));
    Tenant {
        signing_keys: keys,
        access_token_algorithm: algorithm.unwrap_or(Algorithm::Es256),
        clients,
        scopes: SCOPES.iter().map(|name| scope(name)).collect(),
        jwks_max_age: Duration::from_mins(4),
        ..Tenant::new(name.into(), uid.into(), issuer.into())
    }
}

/// The tenant `default`: the machines, the applications, the people and keys of every algorithm.
pub fn default_tenant(clients: Vec<Client>, people: Vec<User>) -> Tenant {
    let keys = keys::signing_keys_of_all();
    Tenant {
        users: people::index(people),
        introspectors: [(people::ORDERS.into(), list(&["team-a.orders-api"]))].into(),
        ..unrendered("default", ISSUER, Some(keys), clients)
    }
}

/// The tenant `b`: one machine, one application and one person, who is called like one of `default`.
fn tenant_b() -> Tenant {
    let mut alice = people::person("alice");
    alice.subject = "subject-of-alice-of-b".into();
    let clients = vec![client("b.api"), people::app("b.app")];
    let keys = keys::signing_keys_of_b();
    Tenant {
        users: people::index(vec![alice]),
        ..unrendered("b", ISSUER_B, Some(keys), clients)
    }
}

/// The tenants of [`TestServer::new`].
pub fn tenants() -> Vec<Arc<Tenant>> {
    let keys = |algorithm| Some(keys::signing_keys(algorithm));
    let small = |name: &str, keys| {
        let issuer = format!("{ISSUER}/t/{name}");
        tenant(name, &issuer, keys, vec![client(&format!("{name}.api"))])
    };
    vec![
        Arc::new(default_tenant(clients_of_default(), people::everybody()).rendered()),
        Arc::new(tenant_b().rendered()),
        small("rsa", keys(Algorithm::Rs256)),
        small("ed", keys(Algorithm::EdDsa)),
        small("keyless", None),
    ]
}
