//! The people of the tenants `default` and `b`, and the applications through which they sign in.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use clientele_oauth::client::{Audience, Lifetimes, PkceRule};
use clientele_oauth::user::PasswordHash;
use clientele_oauth::user::password;
use clientele_oauth::{AccessTokenType, Algorithm, Client, ClientType, GrantType, User, Users};
use jiff::Timestamp;
use serde_json::json;

use super::test_server::{client, list};

/// The password of everybody who has one.
pub const PASSWORD: &str = "correct horse battery staple";
/// Where `team-a.app` and most others are sent back to.
pub const APP: &str = "https://app.example/cb";
/// Where `team-a.spa` is sent back to.
pub const SPA: &str = "https://spa.example/cb";
/// The origin of `team-a.spa`.
pub const SPA_ORIGIN: &str = "https://spa.example";
/// An API of the tenant `default`, which `team-a.orders-api` may introspect tokens for.
pub const ORDERS: &str = "https://orders.example";
/// Another API of the tenant `default`.
pub const BILLS: &str = "https://bills.example";

/// The hash of [`PASSWORD`], made once: it is slow on purpose.
pub fn hash() -> PasswordHash {
    static HASH: LazyLock<PasswordHash> =
        LazyLock::new(|| password::hash(PASSWORD, &[9; 16]).unwrap());
    HASH.clone()
}

/// A person who can sign in.
pub fn person(username: &str) -> User {
    let claims = json!({
        "name": format!("{username} of Example"),
        "preferred_username": username,
        "email": format!("{username}@example.com"),
        "email_verified": true,
    });
    User {
        subject: format!("subject-of-{username}").into(),
        uid: format!("uid-of-user-{username}").into(),
        username: username.into(),
        claims: claims.as_object().unwrap().clone(),
        groups: list(&["everybody"]),
        password: Some(hash()),
        disabled: false,
        credential: format!("credential-of-{username}").into(),
        former_credentials: [].into(),
        valid_from: Timestamp::UNIX_EPOCH,
    }
}

/// The people of the tenant `default`: `alice` (of the group `staff`), `bob`, `dora` (disabled), `paul` (without a password).
pub fn everybody() -> Vec<User> {
    let alice = User {
        groups: list(&["everybody", "staff", "system:masters"]),
        ..person("alice")
    };
    let dora = User {
        disabled: true,
        ..person("dora")
    };
    let paul = User {
        password: None,
        ..person("paul")
    };
    vec![alice, person("bob"), dora, paul]
}

/// The index of these people.
pub fn index(people: Vec<User>) -> Arc<Users> {
    Arc::new(Users::new(people.into_iter().map(Arc::new)))
}

fn audience(uri: &str, scope: &str) -> Audience {
    Audience {
        uri: uri.into(),
        scopes: list(&[scope]),
        access_token_type: AccessTokenType::default(),
        claims: [].into(),
    }
}

/// A confidential third-party application with PKCE, refresh tokens and two APIs.
pub fn app(id: &str) -> Client {
    Client {
        display_name: "The App".into(),
        grant_types: [GrantType::AuthorizationCode, GrantType::RefreshToken].into(),
        scopes: list(&[
            "openid",
            "profile",
            "email",
            "groups",
            "offline_access",
            "orders.read",
            "bills.read",
            "common",
        ]),
        audiences: [
            audience(ORDERS, "orders.read"),
            audience(BILLS, "bills.read"),
        ]
        .into(),
        redirect_uris: list(&[APP, "https://app.example/other"]),
        post_logout_redirect_uris: list(&["https://app.example/bye"]),
        ..client(id)
    }
}

/// A client like [`app`] with a difference.
pub fn app_with(id: &str, change: impl FnOnce(&mut Client)) -> Client {
    let mut client = app(id);
    change(&mut client);
    client
}

/// The applications of the tenant `default`.
pub fn applications() -> Vec<Client> {
    vec![
        app("team-a.app"),
        app("team-a.second"),
        app_with("team-a.spa", |c| {
            c.client_type = ClientType::Public;
            c.redirect_uris = list(&[SPA]);
            c.allowed_origins = list(&[SPA_ORIGIN]);
        }),
        app_with("team-a.native", |c| {
            c.client_type = ClientType::Public;
            c.first_party = true;
            c.redirect_uris = list(&["http://127.0.0.1/cb", "com.example.app:/cb"]);
        }),
        app_with("team-a.first", |c| c.first_party = true),
        app_with("team-a.without-pkce", |c| c.pkce = PkceRule::Optional),
        app_with("team-a.with-pkce", |c| c.pkce = PkceRule::Required),
        app_with("team-a.once", |c| {
            c.grant_types = [GrantType::AuthorizationCode].into();
        }),
        app_with("team-a.staff", |c| {
            c.allowed_groups = Some(list(&["staff"]));
        }),
        app_with("team-a.es256", |c| {
            c.id_token_algorithm = Algorithm::Es256;
        }),
        app_with("team-a.eddsa", |c| {
            c.id_token_algorithm = Algorithm::EdDsa;
        }),
        app_with("team-a.brief", |c| {
            c.lifetimes = Lifetimes {
                refresh_token: Duration::from_hours(3),
                refresh_token_idle: Duration::from_hours(1),
                ..Lifetimes::DEFAULT
            }
            .into();
        }),
        // The API itself, which asks about the tokens that it is sent.
        client("team-a.orders-api"),
    ]
}
