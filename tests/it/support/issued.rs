//! What a person has allowed, put into the store without the pages; and the calls of a client that follow.

use axum::body::Body;
use axum::http::Request;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use clientele_oauth::digest::digest_of;
use clientele_oauth::grant::{Authorization, Code};
use clientele_oauth::{Algorithm, ClientType, Tenant};
use serde_json::Value;
use url::form_urlencoded::Serializer;

use super::ask::{CHALLENGE, VERIFIER};
use super::reply::Reply;
use super::test_server::{FORM, TestServer, basic};
use super::verifier;

/// A code that is to be put into the store.
pub struct Seed {
    /// What the client gets.
    pub value: String,
    /// What the store keeps.
    pub kept: Code,
}

/// The code that `alice` allowed a client, with all its scopes and resources, and without `offline_access`.
pub fn seed(world: &TestServer, client_id: &str) -> Seed {
    seed_for(world, client_id, "alice")
}

/// The same of another person.
pub fn seed_for(world: &TestServer, client_id: &str, username: &str) -> Seed {
    let registry = world.app.registry.load();
    let mut tenants = registry.tenants.values();
    let tenant = tenants
        .find(|tenant| tenant.clients.contains_key(client_id))
        .unwrap();
    let now = (world.app.clock)();
    let mut random = [0; 16];
    (world.app.random)(&mut random).unwrap();
    let random: String = random
        .iter()
        .map(|byte| char::from(b'A' + byte % 26))
        .collect();
    let value = format!("clc_{random}{random}code");
    Seed {
        kept: Code {
            digest: digest_of(&value),
            transaction: format!("transaction-{random}"),
            authorization: authorization(world, tenant, client_id, username),
            redirect_uri: tenant.clients[client_id].redirect_uris[0].to_string(),
            code_challenge: Some(CHALLENGE.to_owned()),
            nonce: Some("n-0S6_WzA2Mj".to_owned()),
            family: format!("fam_{random}family"),
            issued_at: now,
            expires_at: now + std::time::Duration::from_mins(1),
            redeemed_at: None,
        },
        value,
    }
}

fn authorization(
    world: &TestServer,
    tenant: &Tenant,
    client_id: &str,
    username: &str,
) -> Authorization {
    let client = &tenant.clients[client_id];
    let person = tenant.users.by_username(username).unwrap();
    let mut scopes: Vec<&str> = client.scopes.iter().map(|scope| &**scope).collect();
    scopes.retain(|scope| *scope != "offline_access");
    let resources: Vec<&str> = client
        .audiences
        .iter()
        .map(|audience| &*audience.uri)
        .collect();
    Authorization {
        tenant: tenant.uid.to_string(),
        client_id: client_id.to_owned(),
        client_uid: client.uid.to_string(),
        subject: person.subject.to_string(),
        user_uid: person.uid.to_string(),
        credential: person.credential.to_string(),
        sid: "sid-1".to_owned(),
        auth_time: (world.app.clock)() - std::time::Duration::from_secs(5),
        scope: scopes.join(" "),
        resources: resources.join(" "),
        claims: String::new(),
    }
}

impl Seed {
    /// With a difference.
    pub fn with(mut self, change: impl FnOnce(&mut Code)) -> Self {
        change(&mut self.kept);
        self
    }

    /// With this scope.
    pub fn scope(self, scope: &str) -> Self {
        self.with(|code| scope.clone_into(&mut code.authorization.scope))
    }

    /// Puts it into the store.
    pub async fn insert(self, world: &TestServer) -> Self {
        assert!(world.app.store.insert_code(&self.kept).await.unwrap());
        self
    }

    /// The form that exchanges it.
    pub fn form(&self) -> Vec<(&str, &str)> {
        vec![
            ("grant_type", "authorization_code"),
            ("code", &self.value),
            ("redirect_uri", &self.kept.redirect_uri),
            ("code_verifier", VERIFIER),
        ]
    }

    /// Exchanges it.
    pub async fn exchange(&self, world: &TestServer) -> Reply {
        let client_id = self.kept.authorization.client_id.clone();
        call(world, &client_id, "/token", &self.form()).await
    }
}

/// What a client was given.
#[derive(Clone, Debug)]
pub struct Tokens {
    pub access_token: String,
    pub refresh_token: String,
    pub id_token: String,
}

impl Tokens {
    /// The tokens of a success; those that are absent are empty.
    #[track_caller]
    pub fn of(reply: &Reply) -> Self {
        assert_eq!(reply.status, 200, "{}", reply.body);
        let body = reply.json();
        let token = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
        Self {
            access_token: token("access_token"),
            refresh_token: token("refresh_token"),
            id_token: token("id_token"),
        }
    }
}

/// What `alice` lets a client have.
pub async fn tokens(world: &TestServer, client_id: &str) -> Tokens {
    let seed = seed(world, client_id).insert(world).await;
    Tokens::of(&seed.exchange(world).await)
}

/// A call of a client at its tenant, authenticated as it may: with its secret, or by its ID alone.
pub async fn call(world: &TestServer, client_id: &str, path: &str, form: &[(&str, &str)]) -> Reply {
    let (base, client_type) = {
        let registry = world.app.registry.load();
        let mut tenants = registry.tenants.values();
        let tenant = tenants
            .find(|tenant| tenant.clients.contains_key(client_id))
            .unwrap();
        let base = tenant.issuer.strip_prefix("https://id.example").unwrap();
        (base.to_owned(), tenant.clients[client_id].client_type)
    };
    let path = format!("{base}{path}");
    let mut body = Serializer::new(String::new());
    body.extend_pairs(form);
    if client_type == ClientType::Public {
        let body = body.append_pair("client_id", client_id).finish();
        return world.token_at(&path, None, &body).await;
    }
    let header = basic(client_id, &world.secret(client_id));
    world.token_at(&path, Some(&header), &body.finish()).await
}

/// Uses a refresh token.
pub async fn refresh(
    world: &TestServer,
    client_id: &str,
    token: &str,
    more: &[(&str, &str)],
) -> Reply {
    let mut form = vec![("grant_type", "refresh_token"), ("refresh_token", token)];
    form.extend_from_slice(more);
    call(world, client_id, "/token", &form).await
}

/// Asks whether a token is good.
pub async fn introspect(world: &TestServer, client_id: &str, token: &str) -> Reply {
    call(world, client_id, "/introspect", &[("token", token)]).await
}

/// Whether a token is good, as its own client is told.
pub async fn is_active(world: &TestServer, client_id: &str, token: &str) -> bool {
    let reply = introspect(world, client_id, token).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    let active = reply.json()["active"] == true;
    assert!(
        active || reply.body == r#"{"active":false}"#,
        "{}",
        reply.body
    );
    active
}

/// Gives a token back.
pub async fn revoke(world: &TestServer, client_id: &str, token: &str) -> Reply {
    call(world, client_id, "/revoke", &[("token", token)]).await
}

/// `GET /userinfo` of the tenant `default`.
pub async fn userinfo(world: &TestServer, token: &str) -> Reply {
    let request = Request::get("/userinfo").header(AUTHORIZATION, format!("Bearer {token}"));
    world.send(request.body(Body::empty()).unwrap()).await
}

/// `POST /userinfo` of the tenant `default` with a form.
pub async fn post_userinfo(world: &TestServer, header: Option<&str>, form: &str) -> Reply {
    let mut request = Request::post("/userinfo").header(CONTENT_TYPE, FORM);
    if let Some(header) = header {
        request = request.header(AUTHORIZATION, header);
    }
    world
        .send(request.body(form.to_owned().into()).unwrap())
        .await
}

/// The claims of a token of the tenant `default`, verified by an independent library.
pub async fn claims(world: &TestServer, audience: &str, token: &str) -> Value {
    let jwks = serde_json::from_str(&world.get("/jwks").await.body).unwrap();
    let header = jsonwebtoken::decode_header(token).unwrap();
    let algorithm = match header.alg {
        jsonwebtoken::Algorithm::RS256 => Algorithm::Rs256,
        jsonwebtoken::Algorithm::ES256 => Algorithm::Es256,
        _ => Algorithm::EdDsa,
    };
    verifier::verify(&jwks, algorithm, audience, token)
        .unwrap()
        .1
}

impl Reply {
    /// The row's "RS n e": status, error, and the challenge that names it (RFC 6750 §3).
    #[track_caller]
    pub fn refuses_bearer(&self, status: u16, error: &str) {
        assert_eq!(self.outcome(), format!("{status} {error}"), "{}", self.body);
        let challenge = self.header("www-authenticate");
        assert!(
            challenge.starts_with(r#"Bearer realm="https://id.example"#),
            "{challenge}"
        );
        assert!(
            challenge.contains(&format!(r#"error="{error}""#)),
            "{challenge}"
        );
        assert_eq!(self.header("cache-control"), "no-store");
    }
}
