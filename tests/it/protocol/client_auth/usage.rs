//! Every endpoint at which a client authenticates notes which generation of its secret it used, and only if it did; and on
//! which day the client was used.

use std::sync::Arc;
use std::time::Duration;

use clientele_oauth::Client;
use clientele_oauth::client::external_secret::{ExternalSecret, ExternalSecretKey};
use clientele_oauth::client::secret_usage::Uses;
use clientele_oauth::client::used_days::Day;

use crate::support::assertions;
use crate::support::clock::advance;
use crate::support::issued::{Tokens, call, refresh, seed};
use crate::support::test_server::{ISSUER, TestServer, basic, client};

const ID: &str = "team-a.web";

/// The generations that were used since the last look.
fn used(world: &TestServer) -> Vec<u32> {
    let registry = world.app.registry.load();
    let uses = &registry.tenants["default"].clients[ID].uses;
    let last: Vec<_> = uses.unreported("uid").collect();
    for last in &last {
        uses.is_reported(last);
    }
    last.into_iter().map(|last| last.generation).collect()
}

/// A server whose client has another ledger.
async fn world(oldest_accepted: u32, published: u32) -> TestServer {
    let world = TestServer::new().await;
    world.change(|tenant| {
        let rotated = Client {
            oldest_accepted,
            uses: Arc::new(Uses::new(published)),
            ..client(ID)
        };
        tenant.clients.insert(ID.into(), Arc::new(rotated));
    });
    world
}

async fn ask(world: &TestServer, path: &str, secret: &str, form: &str) -> u16 {
    let basic = basic(ID, secret);
    let reply = world.token_at(path, Some(&basic), form).await;
    reply.status
}

#[tokio::test]
async fn a_use_is_noted_at_every_endpoint_for_its_generation() {
    let forms = [
        ("/token", "grant_type=client_credentials"),
        ("/introspect", "token=x"),
        ("/revoke", "token=x"),
    ];
    for (path, form) in forms {
        let world = world(1, 2).await;
        for generation in [1, 2] {
            let secret = world.secret_of(ID, generation);
            assert_eq!(ask(&world, path, &secret, form).await, 200, "{path}");
            assert_eq!(used(&world), [generation], "{path}");
        }
    }
}

#[tokio::test]
async fn what_is_refused_is_no_use() {
    let world = world(2, 3).await;
    let form = "grant_type=client_credentials";
    let mut forged = world.secret_of(ID, 3);
    forged.pop();
    for secret in [world.secret_of(ID, 1), forged, "nonsense".to_owned()] {
        assert_eq!(ask(&world, "/token", &secret, form).await, 401);
    }
    assert_eq!(used(&world), Vec::<u32>::new());
}

#[tokio::test]
async fn d16_a_lagging_replica_accepts_new_but_not_retired_secrets() {
    let world = world(2, 2).await;
    let form = "grant_type=client_credentials";
    for (generation, expected) in [(1, 401), (2, 200), (3, 200), (4, 200)] {
        let secret = world.secret_of(ID, generation);
        let answer = ask(&world, "/token", &secret, form).await;
        assert_eq!(answer, expected, "{generation}");
    }
}

fn uses(world: &TestServer, id: &str) -> Arc<Uses> {
    let registry = world.app.registry.load();
    registry.tenants["default"].clients[id].uses.clone()
}

fn today(world: &TestServer) -> Day {
    Day::of((world.app.clock)())
}

const BROUGHT: &str = "0123456789abcdef0123456789abcdef";

/// A server with a client that brings its secret and one that signs.
async fn with_every_method() -> TestServer {
    let world = TestServer::at_rest().await;
    let key = Arc::new(ExternalSecretKey::new(&[3; 32]));
    let external_secret = ExternalSecret {
        current: key.digest(BROUGHT),
        previous: None,
        key,
    };
    world.change(|tenant| {
        let brought = Client {
            external_secret: Some(Box::new(external_secret)),
            ..client("team-a.brought")
        };
        for client in [brought, assertions::signing_client(assertions::SIGNER)] {
            let client = client.with_default_claims(ISSUER);
            tenant.clients.insert(client.id.clone(), client.into());
        }
    });
    world
}

#[tokio::test]
async fn every_method_of_authentication_counts_as_use() {
    let grant = ("grant_type", "client_credentials");
    for (path, form) in [
        ("/token", grant),
        ("/introspect", ("token", "x")),
        ("/revoke", ("token", "x")),
    ] {
        let world = with_every_method().await;
        let ids = [ID, "team-a.brought", assertions::SIGNER];
        let used = || ids.map(|id| uses(&world, id).unreported_day());
        assert_eq!(used(), [None; 3]);
        let plain = format!("{}={}", form.0, form.1);
        assert_eq!(ask(&world, path, &world.secret(ID), &plain).await, 200);
        let header = basic("team-a.brought", BROUGHT);
        let reply = world.token_at(path, Some(&header), &plain).await;
        assert_eq!(reply.status, 200, "{path}: {}", reply.body);
        let signed = assertions::form(&assertions::good(&world), &[("token", "x")]);
        let reply = world.token_at(path, None, &signed).await;
        assert_eq!(reply.status, 200, "{path}: {}", reply.body);
        assert_eq!(used(), [Some(today(&world)); 3], "{path}");
    }
}

#[tokio::test]
async fn n10_only_who_proves_to_be_the_client_uses_it() {
    const SPA: &str = "team-a.spa";
    let world = with_every_method().await;
    let seed = seed(&world, SPA)
        .scope("openid offline_access")
        .insert(&world)
        .await;
    let mut forged = seed.form();
    forged[1].1 = "clc_forged";
    call(&world, SPA, "/token", &forged)
        .await
        .refuses(400, "invalid_grant");
    refresh(&world, SPA, "clr_forged", &[])
        .await
        .refuses(400, "invalid_grant");
    let form = "grant_type=client_credentials";
    assert_eq!(ask(&world, "/token", "wrong", form).await, 401);
    let assertion = assertions::good(&world);
    let forged = assertions::form(&assertion[..assertion.len() - 4], &[]);
    let reply = world.token(None, &forged).await;
    reply.refuses(401, "invalid_client");
    for id in [SPA, ID, assertions::SIGNER] {
        assert_eq!(uses(&world, id).unreported_day(), None, "{id}");
    }

    let tokens = Tokens::of(&seed.exchange(&world).await);
    let uses = uses(&world, SPA);
    assert_eq!(uses.unreported_day(), Some(today(&world)), "by a code");
    uses.days().is_reported(today(&world));
    advance(Duration::from_hours(24));
    assert_eq!(uses.unreported_day(), None);
    Tokens::of(&refresh(&world, SPA, &tokens.refresh_token, &[]).await);
    assert_eq!(uses.unreported_day(), Some(today(&world)), "by a refresh");
}
