//! Clients that sign: keys of every kind, and assertions with whatever header and claims a test wants.

use std::sync::LazyLock;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair,
    KeyPair, RSA_PKCS1_SHA256, RSA_PSS_SHA256,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use clientele_oauth::client::AssertionMethods;
use clientele_oauth::client_auth::assertion::JWT_BEARER;
use clientele_oauth::jose::public_key::{Jwk, PublicKey};
use clientele_oauth::{AuthMethod, Client};
use serde_json::{Value, json};
use url::form_urlencoded::Serializer;

use super::test_server::{ISSUER, TestServer, client};

/// The client of most tests: every key of [`KEYS`], and no other method.
pub const SIGNER: &str = "team-a.signer";
/// A client that may send its secret as well.
pub const EITHER: &str = "team-a.either";

enum Pair {
    Ec(EcdsaKeyPair),
    Ed(Ed25519KeyPair),
    Rsa(RsaKeyPair),
}

/// A private key.
pub struct PrivateKey {
    pair: Pair,
    pub alg: &'static str,
    pub kid: &'static str,
}

impl PrivateKey {
    fn new(alg: &'static str, kid: &'static str) -> Self {
        let p256 = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let p384 = &ECDSA_P384_SHA384_FIXED_SIGNING;
        let pair = match alg {
            "ES256" => Pair::Ec(EcdsaKeyPair::generate(p256).unwrap()),
            "ES384" => Pair::Ec(EcdsaKeyPair::generate(p384).unwrap()),
            "EdDSA" => Pair::Ed(Ed25519KeyPair::generate().unwrap()),
            _ => Pair::Rsa(RsaKeyPair::generate(KeySize::Rsa2048).unwrap()),
        };
        Self { pair, alg, kid }
    }

    /// Its public half.
    pub fn jwk(&self) -> Jwk {
        let encode = |bytes: &[u8]| Some(URL_SAFE_NO_PAD.encode(bytes));
        let common = Jwk {
            kid: Some(self.kid.to_owned()),
            alg: Some(self.alg.to_owned()),
            ..Jwk::default()
        };
        match &self.pair {
            Pair::Ec(pair) => {
                let point = &pair.public_key().as_ref()[1..];
                let (x, y) = point.split_at(point.len() / 2);
                let crv = if x.len() == 32 { "P-256" } else { "P-384" };
                Jwk {
                    kty: "EC".into(),
                    crv: Some(crv.into()),
                    x: encode(x),
                    y: encode(y),
                    ..common
                }
            }
            Pair::Ed(pair) => {
                let x = encode(pair.public_key().as_ref());
                Jwk {
                    kty: "OKP".into(),
                    crv: Some("Ed25519".into()),
                    x,
                    ..common
                }
            }
            Pair::Rsa(pair) => {
                let public = pair.public_key();
                let n = encode(public.modulus().big_endian_without_leading_zero());
                let e = encode(public.exponent().big_endian_without_leading_zero());
                Jwk {
                    kty: "RSA".into(),
                    n,
                    e,
                    ..common
                }
            }
        }
    }

    /// Its public half, as the server holds it.
    pub fn public(&self) -> PublicKey {
        PublicKey::new(self.jwk()).unwrap()
    }

    /// A signature.
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match &self.pair {
            Pair::Ec(pair) => pair.sign(&random, message).unwrap().as_ref().to_vec(),
            Pair::Ed(pair) => pair.sign(message).as_ref().to_vec(),
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                let padding: &'static dyn aws_lc_rs::signature::RsaEncoding = if self.alg == "PS256"
                {
                    &RSA_PSS_SHA256
                } else {
                    &RSA_PKCS1_SHA256
                };
                pair.sign(padding, &random, message, &mut signature)
                    .unwrap();
                signature
            }
        }
    }

    /// A token with this header and these claims, as they are.
    pub fn token(&self, header: &str, claims: &str) -> String {
        let signed = format!(
            "{}.{}",
            URL_SAFE_NO_PAD.encode(header),
            URL_SAFE_NO_PAD.encode(claims)
        );
        let signature = URL_SAFE_NO_PAD.encode(self.sign(signed.as_bytes()));
        format!("{signed}.{signature}")
    }

    /// The header of its tokens.
    pub fn header(&self) -> Value {
        json!({ "alg": self.alg, "kid": self.kid })
    }
}

/// A key of each kind that clients may have; made once, because RSA keys take a while.
pub static KEYS: LazyLock<Vec<PrivateKey>> = LazyLock::new(|| {
    let kinds = [
        ("ES256", "p256"),
        ("RS256", "rsa"),
        ("PS256", "pss"),
        ("ES384", "p384"),
        ("EdDSA", "ed"),
    ];
    kinds.map(|(alg, kid)| PrivateKey::new(alg, kid)).into()
});

/// The key that signs unless a test says otherwise.
pub fn key() -> &'static PrivateKey {
    &KEYS[0]
}

/// A key of a kind that is not registered.
pub fn stranger() -> PrivateKey {
    PrivateKey::new("ES256", "p256")
}

/// A client that signs with any of [`KEYS`].
pub fn signing_client(id: &str) -> Client {
    Client {
        assertion_methods: AssertionMethods {
            keys: KEYS.iter().map(PrivateKey::public).collect(),
            ..AssertionMethods::default()
        },
        ..client(id)
    }
}

/// The world at rest, with [`SIGNER`] and [`EITHER`] in the tenant `default`.
pub async fn world() -> TestServer {
    let world = TestServer::at_rest().await;
    world.change(|tenant| {
        let signer = Client {
            auth_method: Some(AuthMethod::PrivateKeyJwt),
            ..signing_client(SIGNER)
        };
        for client in [signer, signing_client(EITHER)] {
            let client = client.with_default_claims(ISSUER);
            tenant.clients.insert(client.id.clone(), client.into());
        }
    });
    world
}

/// Good claims of a client, with a `jti` of their own.
pub fn claims(world: &TestServer, id: &str) -> Value {
    let now = (world.app.clock)().as_second();
    let mut random = [0; 16];
    (world.app.random)(&mut random).unwrap();
    json!({
        "iss": id, "sub": id, "aud": ISSUER, "jti": URL_SAFE_NO_PAD.encode(random),
        "iat": now, "nbf": now, "exp": now + 60,
    })
}

/// A good assertion of [`SIGNER`].
pub fn good(world: &TestServer) -> String {
    with(world, |_| ())
}

/// The same with a change of its claims.
pub fn with(world: &TestServer, change: impl FnOnce(&mut Value)) -> String {
    let mut claims = claims(world, SIGNER);
    change(&mut claims);
    key().token(&key().header().to_string(), &claims.to_string())
}

/// The same with another header.
pub fn with_header(world: &TestServer, header: &str) -> String {
    key().token(header, &claims(world, SIGNER).to_string())
}

/// A form that carries an assertion.
pub fn form(assertion: &str, more: &[(&str, &str)]) -> String {
    let mut form = Serializer::new(String::new());
    form.append_pair("grant_type", "client_credentials")
        .append_pair("client_assertion_type", JWT_BEARER)
        .append_pair("client_assertion", assertion)
        .extend_pairs(more);
    form.finish()
}
