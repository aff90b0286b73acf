//! What a browser sends: authorization requests, requests to sign out, forms of pages, sealed transactions.
#![no_main]

use std::sync::Arc;
use std::time::Duration;

use clientele::oauth::authorize;
use clientele::oauth::claims_request::ClaimsRequest;
use clientele::oauth::client::Lifetimes;
use clientele::oauth::keyring::RootKey;
use clientele::oauth::logout::LogoutRequest;
use clientele::oauth::parameters::Parameters;
use clientele::oauth::redirect_uri;
use clientele::oauth::transaction::Transaction;
use clientele::oauth::{Algorithm, Client, ClientType, GrantType, Keyring, Tenant};
use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;

const REDIRECT: &str = "http://127.0.0.1/cb";

fn client() -> Client {
    Client {
        id: "a.b".into(),
        registration_id: "uid".into(),
        namespace: "a".into(),
        display_name: "b".into(),
        client_type: ClientType::Confidential,
        first_party: false,
        auth_method: None,
        grant_types: [GrantType::AuthorizationCode].into(),
        scopes: ["openid".into(), "email".into()].into(),
        audiences: [].into(),
        redirect_uris: [REDIRECT.into()].into(),
        post_logout_redirect_uris: [REDIRECT.into()].into(),
        allowed_origins: [].into(),
        require_pkce: false,
        id_token_algorithm: Algorithm::Rs256,
        allowed_groups: None,
        lifetimes: Lifetimes {
            authorization_code: Duration::from_secs(60),
            ..Lifetimes::DEFAULT
        },
        oldest_accepted: 1,
        default_claims: Box::default(),
        default_scope: Box::default(),
    }
}

fn tenant() -> Tenant {
    Tenant {
        clients: [("a.b".into(), Arc::new(client()))].into(),
        ..Tenant::new("t".into(), "uid-of-t".into(), "https://id.example".into())
    }
}

fuzz_target!(|bytes: &[u8]| {
    let tenant = tenant();
    let _ = Parameters::read(bytes);
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let _ = authorize::read(&tenant, text);
    let valid = format!("client_id=a.b&redirect_uri={REDIRECT}&response_type=code&scope=openid&{text}");
    if let Ok(asked) = authorize::read(&tenant, &valid) {
        assert!(redirect_uri::matches(REDIRECT, &asked.destination.redirect_uri));
    }
    if let Ok(request) = LogoutRequest::read(&tenant, text) {
        assert!(request.redirect_uri.is_none_or(|uri| uri == REDIRECT));
    }
    if let Ok(claims) = ClaimsRequest::parse(text) {
        let kept = ClaimsRequest::from_normal(&claims.normal());
        assert_eq!((kept.id_token, kept.userinfo), (claims.id_token, claims.userinfo));
    }
    let root = RootKey::new("rootkey1", &[1; 32]).expect("a root key");
    let keyring = Keyring::new("rootkey1", vec![root]).expect("a keyring");
    let opened = Transaction::open(&keyring, &tenant, text, "browser", Timestamp::UNIX_EPOCH);
    assert!(opened.is_err());
    if redirect_uri::matches(REDIRECT, text) {
        let url = url::Url::parse(text).expect("a browser can read it, too");
        assert_eq!(url.host_str(), Some("127.0.0.1"));
        assert_eq!(url.path(), "/cb");
    }
});
