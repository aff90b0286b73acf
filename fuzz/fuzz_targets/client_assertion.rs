//! A client assertion: a token that a stranger wrote, and the key that a manifest brings.
#![no_main]

use std::sync::{Arc, LazyLock};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use clientele_oauth::Tenant;
use clientele_oauth::client_auth::assertion::{Asserted, JWT_BEARER, judge, named};
use clientele_oauth::jose::public_key::{Jwk, PublicKey};
use clientele_oauth::jose::strict_json;
use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;

static TENANT: LazyLock<Tenant> =
    LazyLock::new(|| Tenant::new("t".into(), "uid".into(), "https://t.example".into()).rendered());

fuzz_target!(|bytes: &[u8]| {
    let _ = strict_json::object(bytes);
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    // As it is, and as header and claims on two lines: so what is inside is reached without guessing base64url.
    let (header, claims) = text.split_once('\n').unwrap_or((text, "{}"));
    let [header, claims] = [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part));
    let tenant: &Tenant = &TENANT;
    for token in [text, &format!("{header}.{claims}.AAAA")] {
        let asserted = Asserted {
            client_id: Some("a.b"),
            assertion: Some(token),
            assertion_type: Some(JWT_BEARER),
        };
        assert!(judge(tenant, asserted, Timestamp::UNIX_EPOCH).is_err());
        assert!(named(tenant, token).map(Arc::as_ptr).is_none());
    }
    let mut members = text.split('|').map(|text| Some(text.to_owned()));
    let mut next = || members.next().flatten();
    let jwk = Jwk {
        kty: next().unwrap_or_default(),
        crv: next(),
        alg: next(),
        x: next(),
        y: next(),
        n: next(),
        e: next(),
        ..Jwk::default()
    };
    if let Ok(key) = PublicKey::new(jwk) {
        assert!(!key.verify(b"never signed", bytes));
    }
});
