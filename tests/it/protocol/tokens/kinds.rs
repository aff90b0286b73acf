//! Every kind of token at every endpoint that takes one, for both values of `typ`.

use std::sync::Arc;

use clientele_oauth::client_auth::assertion::JWT_BEARER;
use clientele_oauth::{AccessTokenType, Client};
use jsonwebtoken::decode_header;
use serde_json::json;

use crate::support::ask::ask;
use crate::support::browser::Browser;
use crate::support::grants::{id_claims, id_token};
use crate::support::issued::{
    Tokens, call, introspect, is_active, refresh, revoke, seed, tokens, userinfo,
};
use crate::support::people::{APP, BILLS, ORDERS};
use crate::support::test_server::TestServer;

const CLIENT: &str = "team-a.app";
const KINDS: [&str; 7] = [
    "access", "machine", "id", "logout", "refresh", "code", "secret",
];

/// From now on the tokens for some audiences have this `typ`.
fn set_type(world: &TestServer, typ: AccessTokenType, of: &[&str]) {
    world.change(|tenant| {
        tenant.access_token_type = typ;
        for (id, client) in tenant.clients.clone().iter() {
            let mut audiences = client.audiences.to_vec();
            for audience in &mut audiences {
                if of.contains(&&*audience.uri) {
                    audience.access_token_type = typ;
                }
            }
            let changed = Client {
                audiences: audiences.into(),
                ..Client::clone(client)
            };
            tenant.clients.insert(id.clone(), Arc::new(changed));
        }
    });
}

/// One token of each kind.
struct Issued {
    of_alice: Tokens,
    machine: String,
    code: String,
}

impl Issued {
    async fn new(world: &TestServer) -> Self {
        Self {
            of_alice: tokens(world, CLIENT).await,
            machine: world.web("").await.access_token(),
            code: seed(world, CLIENT).insert(world).await.value,
        }
    }

    fn token(&self, world: &TestServer, kind: &str) -> String {
        let mut logout = id_claims(CLIENT, "sid-1");
        logout["jti"] = "1".into();
        logout["events"] = json!({ "http://schemas.openid.net/event/backchannel-logout": {} });
        match kind {
            "access" => self.of_alice.access_token.clone(),
            "machine" => self.machine.clone(),
            "id" => self.of_alice.id_token.clone(),
            "logout" => id_token(&logout),
            "refresh" => self.of_alice.refresh_token.clone(),
            "code" => self.code.clone(),
            _ => world.secret(CLIENT),
        }
    }

    async fn all_live(&self, world: &TestServer) -> bool {
        is_active(world, CLIENT, &self.of_alice.access_token).await
            && is_active(world, "team-a.web", &self.machine).await
    }
}

/// Whether an endpoint takes this kind.
async fn takes(world: &TestServer, endpoint: &str, kind: &str) -> bool {
    let issued = Issued::new(world).await;
    let token = &*issued.token(world, kind);
    match endpoint {
        "userinfo" => userinfo(world, token).await.status == 200,
        "introspect" => {
            let asked = if kind == "refresh" {
                CLIENT
            } else {
                "team-a.orders-api"
            };
            introspect(world, asked, token).await.json()["active"] == true
        }
        "revoke" => {
            let owner = if kind == "machine" {
                "team-a.web"
            } else {
                CLIENT
            };
            assert_eq!(revoke(world, owner, token).await.status, 200);
            !issued.all_live(world).await
        }
        "hint" => {
            let url = ask(CLIENT).with("id_token_hint", token).url();
            let page = Browser::new(world).open(&url).await;
            page.path() == "/login"
        }
        "logout" => {
            let url = format!("/logout?id_token_hint={token}");
            let page = Browser::new(world).open(&url).await;
            page.reply.header("x-clientele-error") != "invalid_request"
        }
        "refresh grant" => refresh(world, CLIENT, token, &[]).await.status == 200,
        "code grant" => {
            let seed = seed(world, CLIENT);
            let mut form = seed.form();
            form[1] = ("code", token);
            call(world, CLIENT, "/token", &form).await.status == 200
        }
        _ => {
            let mut form = url::form_urlencoded::Serializer::new(String::new());
            form.append_pair("grant_type", "client_credentials");
            form.append_pair("client_assertion_type", JWT_BEARER);
            form.append_pair("client_assertion", token);
            world.token(None, &form.finish()).await.status == 200
        }
    }
}

const ENDPOINTS: [(&str, &[&str]); 8] = [
    ("userinfo", &["access"]),
    ("introspect", &["access", "machine", "refresh"]),
    ("revoke", &["access", "machine", "refresh"]),
    ("hint", &["id"]),
    ("logout", &["id"]),
    ("refresh grant", &["refresh"]),
    ("code grant", &["code"]),
    ("client assertion", &[]),
];

#[tokio::test]
async fn i04_every_kind_of_token_at_every_endpoint() {
    for typ in AccessTokenType::ALL {
        let world = TestServer::at_rest().await;
        set_type(&world, typ, &[ORDERS, BILLS]);
        for (endpoint, expected) in ENDPOINTS {
            let mut taken = Vec::new();
            for kind in KINDS {
                if takes(&world, endpoint, kind).await {
                    taken.push(kind);
                }
            }
            assert_eq!(taken, expected, "{endpoint} with {typ:?}");
        }
    }
}

#[tokio::test]
async fn i06_tokens_issued_before_a_change_of_typ_stay_valid() {
    let world = TestServer::at_rest().await;
    let mut earlier = Vec::new();
    for typ in [
        AccessTokenType::AtJwt,
        AccessTokenType::Jwt,
        AccessTokenType::AtJwt,
    ] {
        set_type(&world, typ, &[ORDERS, BILLS]);
        let issued = Issued::new(&world).await;
        for token in [&issued.of_alice.access_token, &issued.machine] {
            let header = decode_header(token).unwrap();
            assert_eq!(header.typ.as_deref(), Some(typ.as_str()));
        }
        earlier.push(issued);
        for issued in &earlier {
            assert!(issued.all_live(&world).await);
            let reply = userinfo(&world, &issued.of_alice.access_token).await;
            assert_eq!(reply.status, 200, "{}", reply.body);
        }
    }
}

#[tokio::test]
async fn e19_audiences_that_differ_in_typ_are_an_invalid_target() {
    let world = TestServer::at_rest().await;
    let living = tokens(&world, CLIENT).await;
    set_type(&world, AccessTokenType::Jwt, &[BILLS]);
    let request = ask(CLIENT).and("resource", ORDERS).and("resource", BILLS);
    let page = Browser::new(&world).open(&request.url()).await;
    page.redirects("invalid_target");
    let both = format!("&resource={ORDERS}&resource={BILLS}");
    world.web(&both).await.refuses(400, "invalid_target");
    for (audience, typ) in [(ORDERS, "at+jwt"), (BILLS, "JWT")] {
        let token = world
            .web(&format!("&resource={audience}"))
            .await
            .access_token();
        assert_eq!(decode_header(&token).unwrap().typ.as_deref(), Some(typ));
    }
    // A grant that began before they differed: for each a token, and the refresh token is not used up by the refusal.
    let reply = refresh(&world, CLIENT, &living.refresh_token, &[]).await;
    reply.refuses(400, "invalid_target");
    let one = [("resource", BILLS)];
    let reply = refresh(&world, CLIENT, &living.refresh_token, &one).await;
    let token = Tokens::of(&reply).access_token;
    assert_eq!(decode_header(&token).unwrap().typ.as_deref(), Some("JWT"));
    // And for the issuer alone the tenant decides.
    let request = seed(&world, CLIENT).with(|code| {
        code.authorization.resources.clear();
        code.authorization.scope = "openid".to_owned();
        code.redirect_uri = APP.to_owned();
    });
    let own = Tokens::of(&request.insert(&world).await.exchange(&world).await);
    let header = decode_header(&own.access_token).unwrap();
    assert_eq!(header.typ.as_deref(), Some("JWT"));
}
