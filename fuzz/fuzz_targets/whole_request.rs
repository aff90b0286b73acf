//! A whole request through the router and a store in memory: headers, cookies, forwarding, forms, pages.
//!
//! An input is written as HTTP is: a line with method and address, lines of headers, an empty line, the body.
#![no_main]

use axum::body::Body;
use axum::http::header::{HeaderName, HeaderValue};
use axum::http::{Method, Request, Uri};
use clientele_fuzz::people::PASSWORD;
use clientele_fuzz::reply::Reply;
use clientele_fuzz::test_server::ISSUER;
use clientele_fuzz::{Issued, filled};
use clientele_http::server::Peer;
use clientele_oauth::client::redirect_uri;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let issued = Issued::get();
    // A password takes more time to try than everything else together.
    if contains(bytes, b"password=") {
        return;
    }
    let Some(request) = read(&filled(issued, bytes)) else {
        return;
    };
    let mut request = request;
    let peer = "192.0.2.1:50000".parse().expect("an address");
    request.extensions_mut().insert(Peer(peer));
    let reply = issued.runtime.block_on(issued.world.send(request));
    judge(issued, &reply);
});

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

fn read(input: &[u8]) -> Option<Request<Body>> {
    let mut rest = input;
    let mut line = || {
        let at = rest.iter().position(|&b| b == b'\n').unwrap_or(rest.len());
        let line = &rest[..at];
        rest = rest.get(at + 1..).unwrap_or_default();
        line
    };
    let first = line();
    let space = first.iter().position(|&b| b == b' ')?;
    let method = Method::from_bytes(&first[..space]).ok()?;
    let mut request = Request::new(Body::empty());
    *request.uri_mut() = Uri::try_from(&first[space + 1..]).ok()?;
    *request.method_mut() = method;
    loop {
        let header = line();
        let Some(colon) = header.iter().position(|&b| b == b':') else {
            break;
        };
        let name = HeaderName::from_bytes(&header[..colon]).ok()?;
        let value = HeaderValue::from_bytes(header[colon + 1..].trim_ascii()).ok()?;
        request.headers_mut().append(name, value);
    }
    *request.body_mut() = Body::from(rest.to_vec());
    Some(request)
}

/// Whatever was sent: no server error, no secret in an answer, and no redirect to an address that no client registered.
fn judge(issued: &Issued, reply: &Reply) {
    assert!(reply.status < 500, "{reply:?}");
    for secret in [PASSWORD, issued.value("secret")] {
        assert!(!reply.body.contains(secret), "{reply:?}");
    }
    let location = reply.header("location");
    if !location.is_empty() {
        assert!(
            is_ours(location) || is_registered(issued, location),
            "{location}"
        );
    }
}

fn is_ours(location: &str) -> bool {
    location == ISSUER || location.starts_with(&format!("{ISSUER}/"))
}

fn is_registered(issued: &Issued, location: &str) -> bool {
    let registry = issued.world.app.registry.load();
    let mut clients = registry
        .tenants
        .values()
        .flat_map(|tenant| tenant.clients.values());
    let address = location.split('?').next().unwrap_or_default();
    clients.any(|client| {
        let uris = client
            .redirect_uris
            .iter()
            .chain(client.post_logout_redirect_uris.iter());
        let mut uris = uris.map(|uri| &**uri);
        uris.any(|uri| redirect_uri::matches(uri, address, client.client_type))
    })
}
