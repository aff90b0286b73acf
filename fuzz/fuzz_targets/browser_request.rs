//! What a browser sends, before the store is asked: authorization requests, requests to sign out, sealed transactions.
#![no_main]

use clientele_fuzz::{Issued, clock, filled};
use clientele_oauth::client::{origin, redirect_uri};
use clientele_oauth::endpoints::authorize;
use clientele_oauth::endpoints::authorize::claims_parameter::ClaimsRequest;
use clientele_oauth::endpoints::end_session::LogoutRequest;
use clientele_oauth::endpoints::parameters::Parameters;
use clientele_oauth::grant::login_transaction::Transaction;
use clientele_oauth::{Client, ClientType};
use libfuzzer_sys::fuzz_target;

const LOOPBACK: &str = "http://127.0.0.1/cb";

fuzz_target!(|bytes: &[u8]| {
    let issued = Issued::get();
    let input = filled(issued, bytes);
    let _ = Parameters::read(&input);
    let Ok(text) = std::str::from_utf8(&input) else {
        return;
    };
    let registry = issued.world.app.registry.load();
    let (tenant, _) = registry.route("/authorize").expect("the tenant is there");
    for start in ["", "client_id=team-a.native&response_type=code&"] {
        if let Ok(asked) = authorize::read(tenant, &format!("{start}{text}")) {
            let destination = &asked.destination;
            assert!(is_registered(
                &destination.client,
                &destination.redirect_uri
            ));
        }
    }
    if let Ok(request) = LogoutRequest::read(tenant, text) {
        let listed = |uri: &String| {
            let mut clients = request.client.iter();
            clients.any(|c| {
                c.post_logout_redirect_uris
                    .iter()
                    .any(|known| **known == **uri)
            })
        };
        assert!(request.redirect_uri.as_ref().is_none_or(listed));
        let _ = (request.location(), request.to_query());
    }
    claims(text);
    uris(text);
    let ours = ["login", "consent", "again"].map(|name| issued.value(name));
    for browser in ["", "browser"] {
        let now = clock::now();
        let browsers = [browser.to_owned()];
        let opened = Transaction::open(&issued.world.keyring, tenant, text, &browsers, now);
        assert!(opened.is_err(), "these are no digests of cookies: {ours:?}");
    }
});

fn is_registered(client: &Client, asked: &str) -> bool {
    let mut registered = client.redirect_uris.iter();
    registered.any(|uri| redirect_uri::matches(uri, asked, client.client_type))
}

fn claims(text: &str) {
    let _ = ClaimsRequest::from_normal(text);
    if let Ok(claims) = ClaimsRequest::parse(text) {
        let kept = ClaimsRequest::from_normal(&claims.normal());
        assert_eq!(
            (kept.id_token, kept.userinfo, kept.acr),
            (claims.id_token, claims.userinfo, claims.acr)
        );
    }
}

/// What we take for the same address, a browser takes for one that differs in its port at most.
fn uris(text: &str) {
    let _ = (origin::check(text), redirect_uri::returns_to(text));
    if redirect_uri::matches(LOOPBACK, text, ClientType::Public) {
        let url = url::Url::parse(text).expect("a browser can read it, too");
        assert_eq!((url.host_str(), url.path()), (Some("127.0.0.1"), "/cb"));
        assert!(url.username().is_empty() && url.query().is_none() && url.fragment().is_none());
    }
    if redirect_uri::check(text).is_err() {
        return;
    }
    assert!(redirect_uri::matches(text, text, ClientType::Confidential));
    // Where a browser cannot read it, the browser is sent nowhere: a label such as `xn--`, the port of a private scheme.
    if let Ok(url) = url::Url::parse(text) {
        assert!(url.username().is_empty() && url.password().is_none() && url.fragment().is_none());
        assert!(url.scheme() != "http" || url.host_str().is_some_and(is_local));
    }
}

fn is_local(host: &str) -> bool {
    let name = host == "localhost" || host.ends_with(".localhost");
    name || host == "[::1]" || host.starts_with("127.")
}
