//! E01–E03, G01, G02 and the targets of RFC 8707: may it, and what?

use crate::support::test_server::{TestServer, basic};

const GRANT: &str = "grant_type=client_credentials";

async fn as_client(world: &TestServer, id: &str, form: &str) -> crate::support::reply::Reply {
    world.token(Some(&basic(id, &world.secret(id))), form).await
}

#[tokio::test]
async fn e01_no_grant_type() {
    let world = TestServer::new().await;
    for form in [
        "",
        "scope=common",
        "grant_type=",
        "GRANT_TYPE=client_credentials",
    ] {
        as_client(&world, "team-a.web", form)
            .await
            .refuses(400, "invalid_request");
    }
}

#[tokio::test]
async fn e02_unknown_and_forbidden_grant_types() {
    let world = TestServer::new().await;
    for grant in [
        "password",
        "implicit",
        "foo",
        "CLIENT_CREDENTIALS",
        "client_credentials%20",
        "urn:ietf:params:oauth:grant-type:jwt-bearer",
    ] {
        let form = format!("grant_type={grant}&username=u&password=p&assertion=a.b.c");
        let reply = as_client(&world, "team-a.web", &form).await;
        reply.refuses(400, "unsupported_grant_type");
    }
}

#[tokio::test]
async fn e03_a_grant_that_the_client_is_not_registered_for() {
    let world = TestServer::new().await;
    as_client(&world, "team-a.login", GRANT)
        .await
        .refuses(400, "unauthorized_client");
}

#[tokio::test]
async fn g01_client_credentials_of_a_public_client() {
    let world = TestServer::new().await;
    let form = format!("{GRANT}&client_id=team-a.spa");
    world
        .token(None, &form)
        .await
        .refuses(400, "unauthorized_client");
}

#[tokio::test]
async fn g02_user_scopes_are_refused_no_refresh_or_id_token() {
    let world = TestServer::new().await;
    for scope in ["openid", "offline_access", "common+openid", "profile"] {
        world
            .web(&format!("&scope={scope}"))
            .await
            .refuses(400, "invalid_scope");
    }
    let reply = world.web("").await;
    let body = reply.json();
    let mut members: Vec<&str> = body
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    members.sort_unstable();
    assert_eq!(
        members,
        ["access_token", "expires_in", "scope", "token_type"]
    );
}

#[tokio::test]
async fn e24_a_success_is_bearer_and_is_not_stored() {
    let reply = TestServer::new().await.web("").await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    assert_eq!(reply.header("content-type"), "application/json");
    assert_eq!(reply.header("cache-control"), "no-store");
    assert_eq!(reply.header("pragma"), "no-cache");
    assert_eq!(reply.header("x-content-type-options"), "nosniff");
    let body = reply.json();
    assert_eq!(body["token_type"], "Bearer");
    assert_eq!(body["expires_in"], 600);
    assert_eq!(body["scope"], "orders.read common");
}

#[tokio::test]
async fn a_resource_of_somebody_else_is_an_invalid_target() {
    let world = TestServer::new().await;
    for resource in [
        "https://other.example",
        "orders",
        "https://orders.example%23f",
    ] {
        let reply = world.web(&format!("&resource={resource}")).await;
        reply.refuses(400, "invalid_target");
    }
    let many = "&resource=https%3A%2F%2Forders.example".repeat(17);
    world.web(&many).await.refuses(400, "invalid_target");
}

#[tokio::test]
async fn a_resource_that_stands_twice_is_no_repeated_parameter() {
    let both = "&resource=https%3A%2F%2Forders.example&resource=https%3A%2F%2Fbills.example";
    let body = TestServer::new().await.web(both).await.json();
    assert_eq!(body["scope"], "orders.read bills.read common");
}

#[tokio::test]
async fn an_unknown_malformed_or_foreign_scope_is_invalid() {
    let world = TestServer::new().await;
    for scope in ["admin", "bills.read", "a%22b", "a%5Cb", "%C3%A4", "a%00"] {
        world
            .web(&format!("&scope={scope}"))
            .await
            .refuses(400, "invalid_scope");
    }
}
