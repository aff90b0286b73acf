//! Every endpoint at which a client authenticates notes which generation of its secret it used, and only if it did.

use std::sync::Arc;

use clientele_oauth::Client;
use clientele_oauth::client::secret_usage::Uses;

use crate::support::test_server::{TestServer, basic, client};

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
