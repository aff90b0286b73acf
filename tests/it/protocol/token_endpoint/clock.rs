//! M06: the server's clock jumps.

use std::sync::atomic::{AtomicI64, Ordering::SeqCst};

use clientele_http::App;
use clientele_oauth::Algorithm;
use jiff::Timestamp;

use crate::support::test_server::{TestServer, basic};
use crate::support::verifier::verify;

static NOW: AtomicI64 = AtomicI64::new(0);

fn clock() -> Timestamp {
    Timestamp::from_second(NOW.load(SeqCst)).unwrap()
}

#[tokio::test]
async fn m06_a_clock_that_jumps_dates_tokens_and_resurrects_nothing() {
    let world = TestServer::new().await;
    let world = TestServer::with(App { clock, ..world.app });
    let jwks = serde_json::from_str(&world.get("/jwks").await.body).unwrap();
    let retired = basic("team-a.rotated", &world.secret_of("team-a.rotated", 2));
    let start = 1_800_000_000;
    for jump in [0, -3600, 86_400, -start, 0] {
        NOW.store(start + jump, SeqCst);
        let token = world.web("").await.access_token();
        let (_, claims) =
            verify(&jwks, Algorithm::Es256, "https://orders.example", &token).unwrap();
        assert_eq!(claims["iat"], start + jump);
        assert_eq!(claims["exp"], start + jump + 600);
        let reply = world
            .token(Some(&retired), "grant_type=client_credentials")
            .await;
        reply.refuses(401, "invalid_client");
    }
    NOW.store(Timestamp::MAX.as_second(), SeqCst);
    assert!(
        world.web("").await.status < 600,
        "the end of time is no panic"
    );
}
