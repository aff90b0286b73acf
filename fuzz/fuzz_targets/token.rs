//! Tokens that come back: nothing passes that was not issued, and whatever a signed token says is read without harm.
#![no_main]

use clientele_fuzz::{Issued, clock, filled};
use clientele_oauth::client_auth::{Attempt, AuthParameters, Authentication, authenticate};
use clientele_oauth::endpoints::{introspection, userinfo};
use clientele_oauth::keys::root_keyring::Registration;
use clientele_oauth::tokens::bearer::{AccessToken, Presented};
use clientele_oauth::tokens::issued_jwt;
use clientele_oauth::tokens::issued_jwt::Kind;
use clientele_oauth::tokens::refresh_token;
use clientele_oauth::{AccessTokenType, Algorithm, Tenant};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let issued = Issued::get();
    let registry = issued.world.app.registry.load();
    let (tenant, _) = registry.route("/userinfo").expect("the tenant is there");
    if let Some(payload) = bytes.strip_prefix(b"!") {
        signed(tenant, payload);
        return;
    }
    let input = filled(issued, bytes);
    let halves = input.split(|&b| b == b'\n').collect::<Vec<_>>();
    let part = |at: usize| halves.get(at).copied().unwrap_or_default();
    let _ = userinfo::bearer(Some(part(0)), part(1), part(2));
    let Ok(text) = std::str::from_utf8(&input) else {
        return;
    };
    unforgeable(issued, tenant, text);
});

fn unforgeable(issued: &Issued, tenant: &Tenant, text: &str) {
    let keyring = &issued.world.keyring;
    let is = |names: &[&str]| names.iter().any(|name| issued.value(name) == text);
    let access = issued_jwt::verify(tenant, text, Kind::AccessToken).is_some();
    assert_eq!(access, is(&["access", "machine"]), "{text}");
    let id = issued_jwt::verify(tenant, text, Kind::IdToken).is_some();
    assert_eq!(id, is(&["id"]), "{text}");
    let refresh = refresh_token::verify(keyring, &tenant.uid, text);
    assert_eq!(refresh.is_some(), is(&["refresh"]), "{text}");
    let nothing = matches!(Presented::read(tenant, keyring, text), Presented::Nothing);
    assert_eq!(nothing, !access && refresh.is_none());
    let form = AuthParameters {
        client_id: Some(clientele_fuzz::CLIENT.into()),
        client_secret: Some(text.into()),
        ..AuthParameters::default()
    };
    let attempt = Attempt::from(form, None);
    let proven = authenticate(tenant, keyring, &attempt, jiff::Timestamp::UNIX_EPOCH);
    let proven = matches!(proven, Ok(Authentication::Authenticated(_)));
    assert_eq!(proven, is(&["secret"]), "{text}");
    let registration = Registration {
        client_id: "a.b",
        client_uid: "uid",
    };
    assert_eq!(keyring.verify(registration, text.as_bytes()), None);
    assert!(!keyring.verify_proof(text, "a", "b", "uid"));
}

/// As if we had signed that.
fn signed(tenant: &Tenant, payload: &[u8]) {
    let now = clock::now();
    let key = tenant.signing_key(Algorithm::Es256, now).expect("a key");
    let token = key
        .key
        .sign_access_token(AccessTokenType::Jwt, payload)
        .expect("a signature");
    let Some(read) = AccessToken::read(tenant, &token) else {
        return;
    };
    let _ = (
        read.expires_at(),
        read.audiences().count(),
        read.has_scope("openid"),
    );
    let admitted = userinfo::admit(tenant, Some(&read), now).is_ok();
    assert!(!admitted || read.is_current(now));
    if let Ok(token) = userinfo::admit(tenant, Some(&read), now) {
        let _ = userinfo::answer(tenant, token, None, false, now);
    }
    let presented = Presented::AccessToken(read);
    for caller in ["team-a.web", "team-a.orders-api"] {
        let caller = &tenant.clients[caller];
        let _ = introspection::answer(tenant, caller, &presented, None, false, now);
    }
}
