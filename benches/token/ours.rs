//! The real server with the real router and 10,000 clients.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use clientele_http::metrics::TokenMetrics;
use clientele_http::server::Limits;
use clientele_http::{App, router};
use clientele_oauth::client::{AssertionMethods, Audience, IdTokenClaims, Lifetimes, PkceRule};
use clientele_oauth::keys::root_keyring::{Registration, RootKey};
use clientele_oauth::keys::signing_keys::ScheduledKey;
use clientele_oauth::{
    AccessTokenType, Algorithm, Client, ClientType, GrantType, Keyring, Registry, SigningKey,
    SigningKeys, Tenant,
};
use clientele_store::Store;
use clientele_telemetry::audit::{Audit, AuditWriter, WhenFull};
use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

const ISSUER: &str = "https://id.example";
const CLIENTS: usize = 10_000;
const UID: &str = "0f8fad5b-d9cb-469f-a165-70867728950e";

fn name(index: usize) -> String {
    format!("team-a.client-{index}")
}

fn keyring() -> Keyring {
    let root = RootKey::new("rootkey1", &[42; 32]).expect("32 bytes and a good name");
    Keyring::new("rootkey1", vec![root]).expect("the key is there")
}

/// The `Authorization` header of one of the clients, for the load generator.
pub fn basic() -> String {
    let id = name(CLIENTS / 2);
    let registration = Registration {
        client_id: &id,
        client_uid: UID,
    };
    let secret = keyring().derive(registration, 1);
    format!(
        "Basic {}",
        STANDARD.encode(format!("{id}:{}", secret.expose()))
    )
}

fn client(id: &str) -> Client {
    let list = |values: &[&str]| values.iter().map(|&value| Arc::from(value)).collect();
    let audience = Audience {
        uri: "https://orders.example".into(),
        scopes: list(&["orders.read"]),
        access_token_type: AccessTokenType::default(),
        claims: [].into(),
    };
    Client {
        id: id.into(),
        uid: UID.into(),
        namespace: "team-a".into(),
        display_name: "Web".into(),
        client_type: ClientType::Confidential,
        first_party: false,
        auth_method: None,
        assertion_methods: AssertionMethods::default(),
        grant_types: [GrantType::ClientCredentials].into(),
        scopes: list(&["orders.read", "common"]),
        audiences: [audience].into(),
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
        uses: Arc::default(),
        default_claims: Box::default(),
        default_scope: Box::default(),
    }
    .with_default_claims(ISSUER)
}

fn signing_keys() -> io::Result<SigningKeys> {
    let pkcs8 =
        EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new());
    let pkcs8 = pkcs8.map_err(io::Error::other)?;
    let key = SigningKey::from_pkcs8(Algorithm::Es256, pkcs8.as_ref()).map_err(io::Error::other)?;
    let key = ScheduledKey {
        key: Arc::new(key),
        activates_at: Timestamp::UNIX_EPOCH,
        longest_lifetime: Duration::from_hours(24),
    };
    SigningKeys::new(vec![key]).ok_or_else(|| io::Error::other("no key"))
}

fn registry() -> io::Result<Registry> {
    let clients = (0..CLIENTS)
        .map(|index| client(&name(index)))
        .map(|client| (client.id.clone(), Arc::new(client)))
        .collect();
    let keys = Some(Arc::new(signing_keys()?));
    let tenant = Tenant {
        signing_keys: keys,
        clients,
        ..Tenant::new("default".into(), "uid-of-tenant".into(), ISSUER.into())
    }
    .rendered();
    Ok(Registry::new(
        1,
        Some(Arc::new(keyring())),
        vec![Arc::new(tenant)],
    ))
}

/// Lines of the audit log go into a file that is removed at once, and so grows unseen until the server ends.
fn audit(audited: bool) -> io::Result<Audit> {
    let audit = Audit::new(audited);
    if !audited {
        return Ok(audit);
    }
    let writer = AuditWriter::start(tempfile::tempfile()?, WhenFull::Refuse)?;
    Ok(audit.with_writer(writer))
}

pub async fn serve(listener: TcpListener, audited: bool) -> io::Result<()> {
    let registry = Arc::new(ArcSwap::from_pointee(registry()?));
    let metrics = Arc::new(TokenMetrics::default());
    let store = Store::open("sqlite::memory:")
        .await
        .map_err(io::Error::other)?;
    let connections = metrics.connections.clone();
    let app = App {
        audit: Arc::new(audit(audited)?),
        ..App::new(registry, Timestamp::now, metrics, store)
    };
    let never = CancellationToken::new();
    clientele_http::server::serve(
        listener,
        router(app),
        None,
        Limits::default(),
        connections,
        never,
    )
    .await
}
