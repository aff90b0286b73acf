//! A person in front of the pages, in Chromium: the router on loopback, two other origins beside it.
//!
//! What a person does stands in `tests/journey/visitor.mjs`. Without TLS, because loopback needs none; the whole
//! journey under a certificate authority is `browser.rs`.

use std::sync::Arc;
use std::time::Duration;

use axum::http::Request;
use axum::response::Response;
use clientele_http::Endpoints;
use clientele_http::server::Limits;
use clientele_oauth::grant::login_transaction::LIFETIME;
use clientele_oauth::tenant::Branding;
use clientele_oauth::{Client, Registry, Tenant};
use hyper::body::Incoming;
use serde_json::json;
use tower::{Service, service_fn};

use super::fonts::{DEJAVU_SANS, Family, NOTO_SANS};
use super::gallery::PICTURES;
use super::node::Node;
use crate::support::clock;
use crate::support::operator::free_address;
use crate::support::people::{app_with, everybody, index};
use crate::support::running::Running;
use crate::support::test_server::{TestServer, default_tenant, list};

/// The server, and where its clients lie.
struct Site {
    server: Running,
    client: String,
    elsewhere: String,
}

impl Site {
    async fn start() -> Self {
        let world = TestServer::of(Vec::new(), clock::now).await;
        let router = world.router.clone();
        let service = service_fn(move |request| answer(router.clone(), request));
        let server = Running::start(service, None, Limits::default()).await;
        let port = |address: &str| address.rsplit(':').next().unwrap().to_owned();
        let site = Self {
            server,
            // Another site, not only another origin.
            client: format!("http://localhost:{}", port(&free_address())),
            elsewhere: format!("http://{}", free_address()),
        };
        let tenants = vec![Arc::new(site.tenant())];
        let registry = Registry::new(2, Some(world.keyring.clone()), tenants);
        world.app.registry.store(registry.into());
        site
    }

    fn issuer(&self) -> String {
        format!("http://{}", self.server.address)
    }

    fn tenant(&self) -> Tenant {
        let issuer = self.issuer();
        let clients = [
            self.application("orders", false),
            self.application("desk", true),
        ];
        let tenant = Tenant {
            issuer: issuer.as_str().into(),
            branding: Branding {
                name: "Acme".into(),
                ..Branding::default()
            },
            users: index(everybody()),
            ..default_tenant(Vec::new(), Vec::new())
        };
        let clients = clients.map(|client| {
            let client = client.with_default_claims(&issuer);
            (client.id.clone(), Arc::new(client))
        });
        Tenant {
            clients: clients.into(),
            ..tenant
        }
        .rendered()
    }

    fn application(&self, name: &str, first_party: bool) -> Client {
        let onward = format!("{}/onward", self.client);
        app_with(&format!("team-a.{name}"), |client| {
            client.display_name = "Orders".into();
            client.first_party = first_party;
            client.redirect_uris = list(&[&format!("{}/cb", self.client), &onward]);
            client.post_logout_redirect_uris = list(&[&onward]);
        })
    }
}

/// The router, and beside it a path by which a week passes.
async fn answer(
    mut router: Endpoints,
    request: Request<Incoming>,
) -> Result<Response, std::convert::Infallible> {
    if request.uri().path() == "/-/later" {
        clock::advance(LIFETIME + Duration::from_secs(1));
        return Ok(Response::default());
    }
    router.call(request).await
}

/// On one thread, so that the clock of the test is the server's.
async fn person(scenario: &str, family: &Family) {
    let site = Site::start().await;
    let fine = Node::new("visitor.mjs")
        .with("SCENARIO", scenario)
        .with("ISSUER", site.issuer())
        .with("CLIENT", &site.client)
        .with("ELSEWHERE", &site.elsewhere)
        .with("FOLDER", PICTURES)
        .shown_in(family)
        .run_within(Duration::from_mins(5))
        .await;
    assert_eq!(fine, json!({ "fine": true }));
}

macro_rules! a_person {
    ($($scenario:ident in $family:ident)*) => {
        $(#[tokio::test]
        async fn $scenario() {
            person(stringify!($scenario), &$family).await;
        })*
    };
}

// Both fonts take turns: `gallery.rs` shows every page in both.
a_person! {
    signs_in_and_allows in NOTO_SANS
    denies in DEJAVU_SANS
    is_somebody_else in NOTO_SANS
    arrives_through_every_redirect in DEJAVU_SANS
    would_not_arrive_with_form_action in NOTO_SANS
    needs_no_script in DEJAVU_SANS
    is_taken_back_by_a_form_that_sends_itself in NOTO_SANS
    uses_nothing_but_the_keyboard in DEJAVU_SANS
    is_told_what_is_wrong in NOTO_SANS
    comes_back_too_late in DEJAVU_SANS
    goes_back_and_answers_again in NOTO_SANS
    keeps_two_tabs_that_were_opened_together in DEJAVU_SANS
    is_asked_before_being_signed_out in DEJAVU_SANS
    withdraws_what_was_granted in NOTO_SANS
    signs_in_in_a_popup_that_can_still_talk_to_the_application in DEJAVU_SANS
    is_helped_by_a_password_manager in NOTO_SANS
}
