use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};

use super::*;

#[expect(clippy::unnecessary_wraps, reason = "members of a JWK are optional")]
fn encode(bytes: &[u8]) -> Option<String> {
    Some(URL_SAFE_NO_PAD.encode(bytes))
}

fn ec() -> (EcdsaKeyPair, Jwk) {
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let point = pair.public_key().as_ref()[1..].to_vec();
    let jwk = Jwk {
        kty: "EC".into(),
        crv: Some("P-256".into()),
        x: encode(&point[..32]),
        y: encode(&point[32..]),
        ..Jwk::default()
    };
    (pair, jwk)
}

/// An odd number of this many bits; no test needs it to be a product of primes.
fn rsa_of(bits: usize, e: &[u8]) -> Jwk {
    let mut n = vec![0xa5; bits.div_ceil(8)];
    n[0] = 1 << ((bits - 1) % 8);
    Jwk {
        kty: "RSA".into(),
        n: encode(&n),
        e: encode(e),
        ..Jwk::default()
    }
}

fn problem(jwk: Jwk) -> &'static str {
    PublicKey::new(jwk).unwrap_err()
}

#[test]
fn a_key_verifies_what_its_other_half_signed_and_nothing_else() {
    let (pair, jwk) = ec();
    let key = PublicKey::new(jwk).unwrap();
    let signature = pair.sign(&aws_lc_rs::rand::SystemRandom::new(), b"message");
    let signature = signature.unwrap();
    assert!(key.verify(b"message", signature.as_ref()));
    assert!(!key.verify(b"massage", signature.as_ref()));
    assert!(!key.verify(b"message", &[0; 64]) && !key.verify(b"message", b""));
    let other = PublicKey::new(ec().1).unwrap();
    assert!(!other.verify(b"message", signature.as_ref()) && key != other);
}

#[test]
fn d19_a_key_has_one_algorithm() {
    let named = |jwk: Jwk, alg: &str| {
        PublicKey::new(Jwk {
            alg: Some(alg.into()),
            ..jwk
        })
    };
    let e = [1, 0, 1];
    assert_eq!(
        PublicKey::new(rsa_of(2048, &e)).unwrap().scheme(),
        Scheme::Rs256
    );
    assert_eq!(
        named(rsa_of(2048, &e), "PS256").unwrap().scheme(),
        Scheme::Ps256
    );
    assert_eq!(named(ec().1, "ES256").unwrap().scheme(), Scheme::Es256);
    for alg in ["HS256", "none", "RS256", "ES384", "EdDSA", ""] {
        assert!(named(ec().1, alg).is_err(), "{alg}");
    }
    for alg in ["HS256", "ES256", "RS512"] {
        assert!(named(rsa_of(2048, &e), alg).is_err(), "{alg}");
    }
}

#[test]
fn weak_and_broken_rsa_keys_are_refused() {
    let e = [1, 0, 1];
    assert!(PublicKey::new(rsa_of(2048, &e)).is_ok() && PublicKey::new(rsa_of(4096, &e)).is_ok());
    for bits in [512, 1024, 2047, 4097, 8192] {
        assert!(PublicKey::new(rsa_of(bits, &e)).is_err(), "{bits}");
    }
    for e in [&[1_u8][..], &[0], &[2], &[], &[0, 3], &[1, 0, 0, 0, 1]] {
        assert!(PublicKey::new(rsa_of(2048, e)).is_err(), "{e:?}");
    }
    let without = Jwk {
        n: None,
        ..rsa_of(2048, &e)
    };
    assert_eq!(problem(without), "needs n and e in base64url");
}

#[test]
fn other_kinds_uses_and_points_are_refused() {
    let (_, good) = ec();
    let symmetric = Jwk {
        kty: "oct".into(),
        ..Jwk::default()
    };
    assert_eq!(
        problem(symmetric),
        "must be RSA, EC on P-256 or P-384, or OKP on Ed25519"
    );
    let encryption = Jwk {
        key_use: Some("enc".into()),
        ..good.clone()
    };
    assert_eq!(
        problem(encryption),
        "is not for signatures: its use must be sig, or absent"
    );
    for (crv, x, y) in [
        ("P-384", good.x.clone(), good.y.clone()),
        ("P-256", good.x.clone(), None),
        ("P-256", good.x.clone(), good.x.clone()),
        ("P-256", encode(&[0; 32]), encode(&[0; 32])),
        ("P-256", Some("=".repeat(43)), good.y.clone()),
        ("secp256k1", good.x.clone(), good.y.clone()),
    ] {
        let jwk = Jwk {
            crv: Some(crv.into()),
            x,
            y,
            ..good.clone()
        };
        assert!(PublicKey::new(jwk).is_err(), "{crv}");
    }
    let short = Jwk {
        kty: "OKP".into(),
        crv: Some("Ed25519".into()),
        x: encode(&[1; 31]),
        ..Jwk::default()
    };
    assert!(PublicKey::new(short).is_err());
}
