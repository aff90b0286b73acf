use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair};
use proptest::prelude::*;

use super::*;
use crate::jose::claims::audiences;
use crate::keys::signing_keys::ScheduledKey;
use crate::{AccessTokenType, Algorithm, SigningKeys};

const CLAIMS: &str = r#"{"iss":"https://id.example","sub":"alice","client_id":"c","jti":"j","aud":["a","b"],"exp":1000}"#;
const ID_CLAIMS: &str =
    r#"{"iss":"https://id.example","sub":"alice","sid":"s","aud":"c","exp":1000}"#;

fn key(algorithm: Algorithm) -> Arc<SigningKey> {
    let random = SystemRandom::new();
    let der = match algorithm {
        Algorithm::EdDsa => Ed25519KeyPair::generate_pkcs8(&random).unwrap(),
        _ => EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap(),
    };
    Arc::new(SigningKey::from_pkcs8(algorithm, der.as_ref()).unwrap())
}

fn tenant(keys: &[Arc<SigningKey>]) -> Tenant {
    let scheduled = keys.iter().map(|key| ScheduledKey {
        key: key.clone(),
        activates_at: Timestamp::MAX,
        longest_lifetime: Duration::from_hours(1),
    });
    Tenant {
        signing_keys: SigningKeys::new(scheduled.collect()).map(Arc::new),
        ..Tenant::new("t".into(), "uid".into(), "https://id.example".into())
    }
    .rendered()
}

#[test]
fn a_token_of_ours_is_read_also_by_a_key_that_does_not_sign_yet() {
    let keys = [key(Algorithm::Es256), key(Algorithm::EdDsa)];
    let tenant = tenant(&keys);
    for key in &keys {
        let token = key
            .sign_access_token(AccessTokenType::AtJwt, CLAIMS.as_bytes())
            .unwrap();
        let claims = verify(&tenant, &token, Kind::AccessToken).unwrap();
        assert_eq!(text(&claims, "sub"), Some("alice"));
        assert_eq!(audiences(&claims).collect::<Vec<_>>(), ["a", "b"]);
    }
}

#[test]
fn keys_that_are_lost_still_verify_what_they_signed() {
    let key = key(Algorithm::Es256);
    let with_keys = tenant(std::slice::from_ref(&key));
    let without = Tenant {
        published_keys: with_keys.published_keys.clone(),
        ..Tenant::new("t".into(), "uid".into(), "https://id.example".into())
    }
    .rendered();
    let token = key
        .sign_access_token(AccessTokenType::AtJwt, CLAIMS.as_bytes())
        .unwrap();
    assert!(verify(&without, &token, Kind::AccessToken).is_some());
    assert_eq!(without.jwks, with_keys.jwks);
}

#[test]
fn i04_an_id_token_is_no_access_token_and_the_other_way_round() {
    let key = key(Algorithm::Es256);
    let tenant = tenant(std::slice::from_ref(&key));
    let id_token = key.sign_id_token(ID_CLAIMS.as_bytes()).unwrap();
    assert!(verify(&tenant, &id_token, Kind::AccessToken).is_none());
    assert!(verify(&tenant, &id_token, Kind::IdToken).is_some());
    for typ in AccessTokenType::ALL {
        let access_token = key.sign_access_token(typ, CLAIMS.as_bytes()).unwrap();
        assert!(verify(&tenant, &access_token, Kind::IdToken).is_none());
        assert!(verify(&tenant, &access_token, Kind::AccessToken).is_some());
        // A header of access tokens makes no access token.
        let disguised = key.sign_access_token(typ, ID_CLAIMS.as_bytes()).unwrap();
        assert!(verify(&tenant, &disguised, Kind::AccessToken).is_none());
    }
}

#[test]
fn i04_claims_tell_the_kinds_of_tokens_apart() {
    use Kind::{AccessToken, IdToken, LogoutToken};
    for (names, expected) in [
        (&["client_id", "jti"][..], Some(AccessToken)),
        (
            &["client_id", "jti", "auth_time", "scope", "groups"],
            Some(AccessToken),
        ),
        (&["client_id"], None),
        (&["jti"], None),
        (&["client_id", "jti", "sid"], None),
        (&["client_id", "jti", "nonce"], None),
        (&["client_id", "jti", "at_hash"], None),
        (&["sid"], Some(IdToken)),
        (
            &["sid", "jti", "nonce", "at_hash", "auth_time"],
            Some(IdToken),
        ),
        (&["nonce", "at_hash"], None),
        (&["sid", "client_id"], None),
        (&["events", "jti", "sid"], Some(LogoutToken)),
        (&["events", "jti", "client_id"], Some(LogoutToken)),
        (&[], None),
    ] {
        let claims: Map<String, Value> = names
            .iter()
            .map(|name| ((*name).to_owned(), Value::from("x")))
            .collect();
        assert_eq!(Kind::of(&claims), expected, "{names:?}");
    }
}

#[test]
fn i05_i06_another_issuer_another_key_and_other_headers_are_refused() {
    let ours = key(Algorithm::Es256);
    let tenant = tenant(std::slice::from_ref(&ours));
    let other_issuer = CLAIMS.replace("id.example", "id.example/t/b");
    for claims in [other_issuer.as_str(), "{}", "[]", "1", ""] {
        let token = ours
            .sign_access_token(AccessTokenType::AtJwt, claims.as_bytes())
            .unwrap();
        assert!(
            verify(&tenant, &token, Kind::AccessToken).is_none(),
            "{claims}"
        );
    }
    let retired = key(Algorithm::Es256);
    let token = retired
        .sign_access_token(AccessTokenType::AtJwt, CLAIMS.as_bytes())
        .unwrap();
    assert!(verify(&tenant, &token, Kind::AccessToken).is_none());
    // The signature of our key over a header that it would not write, and no signature at all.
    let (_, rest) = token.split_once('.').unwrap();
    let kid = ours.key_id();
    for header in [
        r#"{"typ":"at+jwt","alg":"none"}"#.to_owned(),
        format!(r#"{{"typ":"at+jwt","alg":"HS256","kid":"{kid}"}}"#),
        format!(r#"{{"typ":"at+jwt","alg":"ES256","kid":"{kid}","crit":["exp"]}}"#),
        "x".repeat(MAX_LEN),
    ] {
        let header = URL_SAFE_NO_PAD.encode(header);
        for token in [format!("{header}.{rest}"), format!("{header}.e30.")] {
            assert!(verify(&tenant, &token, Kind::AccessToken).is_none());
        }
    }
}

#[test]
fn a_token_without_a_time_or_after_it_is_not_current() {
    let claims = |json: &str| serde_json::from_str::<Map<String, Value>>(json).unwrap();
    let at = |second| Timestamp::from_second(second).unwrap();
    assert!(is_current(&claims(CLAIMS), at(999)));
    assert!(!is_current(&claims(CLAIMS), at(1000)));
    for json in [
        "{}",
        r#"{"exp":"2000"}"#,
        r#"{"exp":1e308}"#,
        r#"{"exp":-1}"#,
    ] {
        assert!(!is_current(&claims(json), at(999)), "{json}");
    }
}

proptest! {
    #[test]
    fn i08_a_token_with_any_character_changed_added_or_removed_is_refused(
        at in any::<prop::sample::Index>(),
        with in any::<char>(),
        how in 0..3,
    ) {
        // One key for all cases would be a global; EdDSA has no second signature that is valid as well.
        let key = key(Algorithm::EdDsa);
        let tenant = tenant(std::slice::from_ref(&key));
        let token = key.sign_access_token(AccessTokenType::AtJwt, CLAIMS.as_bytes()).unwrap();
        let mut changed: Vec<char> = token.chars().collect();
        let at = at.index(changed.len());
        match how {
            0 => changed[at] = with,
            1 => changed.insert(at, with),
            _ => { changed.remove(at); }
        }
        let changed: String = changed.into_iter().collect();
        prop_assume!(changed != token);
        prop_assert!(verify(&tenant, &changed, Kind::AccessToken).is_none());
    }

    #[test]
    fn no_text_makes_it_panic(text in ".{0,300}") {
        let tenant = tenant(&[]);
        prop_assert!(verify(&tenant, &text, Kind::AccessToken).is_none());
    }
}
