//! M14: with everything logged, no code, verifier or token of people is, whatever becomes of it.

use std::sync::Arc;
use std::time::Duration;

use clientele_http::App;
use clientele_telemetry::audit::Audit;

use crate::support::ask::VERIFIER;
use crate::support::clock::advance;
use crate::support::issued::{Tokens, call, introspect, refresh, revoke, seed, tokens, userinfo};
use crate::support::logs::Logs;
use crate::support::test_server::TestServer;

const APP: &str = "team-a.app";

/// Everything that can be done with a code and its tokens, right and wrong. What must not be found.
async fn live(world: &TestServer) -> Vec<String> {
    let code = seed(world, APP).insert(world).await;
    let first = Tokens::of(&code.exchange(world).await);
    let second = Tokens::of(&refresh(world, APP, &first.refresh_token, &[]).await);
    userinfo(world, &first.access_token).await;
    for token in [&first.access_token, &second.refresh_token, &first.id_token] {
        introspect(world, APP, token).await;
        introspect(world, "team-a.second", token).await;
        revoke(world, "team-a.second", token).await;
        refresh(world, "team-a.second", token, &[]).await;
        userinfo(world, token).await;
        world.get(&format!("/userinfo?access_token={token}")).await;
    }
    advance(Duration::from_mins(1));
    refresh(world, APP, &first.refresh_token, &[]).await;
    // The family of the first code ended with the refresh token that came twice: another one alarms.
    let again = seed(world, APP).insert(world).await;
    again.exchange(world).await;
    again.exchange(world).await;
    let spoiled = seed(world, APP).insert(world).await;
    let mut form = spoiled.form();
    form[3].1 = "guess-of-a-verifier-that-is-long-enough-to-be-one";
    call(world, APP, "/token", &form).await;
    revoke(world, APP, &tokens(world, APP).await.refresh_token).await;
    world.app.store.close().await;
    code.exchange(world).await;
    refresh(world, APP, &second.refresh_token, &[]).await;
    vec![
        VERIFIER.to_owned(),
        "guess-of-a-verifier".to_owned(),
        code.value,
        code.kept.digest,
        again.value,
        again.kept.digest,
        spoiled.value,
        spoiled.kept.digest,
        first.access_token.rsplit_once('.').unwrap().1.to_owned(),
        first.id_token.rsplit_once('.').unwrap().1.to_owned(),
        first.refresh_token[34..].to_owned(),
        second.refresh_token[34..].to_owned(),
        world.secret(APP)[21..64].to_owned(),
        "alice@example.com".to_owned(),
    ]
}

#[tokio::test]
async fn m14_no_code_verifier_or_token_is_logged_at_any_level() {
    let (logs, _guard) = Logs::capture();
    let world = TestServer::at_rest().await;
    // With a line for everything that there can be one for.
    let world = TestServer::with(App {
        audit: Arc::new(Audit::new(true)),
        ..world.app
    });
    let secrets = live(&world).await;
    let text = logs.text();
    for event in [
        "token request refused",
        "token issued",
        "token introspected",
        "token revoked",
        "a refresh token was used again",
        "an authorization code was used again",
        "the store failed",
    ] {
        assert!(text.contains(event), "{event} is not in\n{text}");
    }
    for secret in secrets {
        assert!(!text.contains(&secret), "{secret} is in\n{text}");
    }
}
