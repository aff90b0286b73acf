//! Signing keys: parsed once, published before they sign, kept until their last token has expired.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair as RsaKeyPair;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ED25519, EcdsaKeyPair,
    Ed25519KeyPair, KeyPair, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use jsonwebtoken::jwk::{
    AlgorithmParameters, CommonParameters, EllipticCurve, EllipticCurveKeyParameters,
    EllipticCurveKeyType, Jwk, KeyAlgorithm, OctetKeyPairParameters, OctetKeyPairType,
    PublicKeyUse, RSAKeyParameters, RSAKeyType, ThumbprintHash,
};

/// The signature algorithm of a token (RFC 7518 §3.1, RFC 8037 §3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// RSASSA-PKCS1-v1_5 with SHA-256, 2048 bits.
    Rs256,
    /// Ed25519.
    EdDsa,
}

impl Algorithm {
    /// Every algorithm; a tenant has a key of each.
    pub const ALL: [Self; 3] = [Self::Es256, Self::Rs256, Self::EdDsa];

    /// The algorithms that a tenant publishes if it lists none. The first is that of ID tokens of a client that names
    /// none, and the one that OpenID Connect makes the default (OIDC Dynamic Client Registration §2).
    pub const PUBLISHED: [Self; 3] = [Self::Rs256, Self::Es256, Self::EdDsa];

    /// The JOSE name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::Rs256 => "RS256",
            Self::EdDsa => "EdDSA",
        }
    }

    /// The algorithm of a JOSE name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|algorithm| algorithm.as_str() == name)
    }
}

/// `typ` in the header of an access token (RFC 7515 §4.1.9).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AccessTokenType {
    /// `at+jwt` (RFC 9068 §2.1): no other kind of token has it.
    #[default]
    AtJwt,
    /// `JWT`, for verifiers that refuse anything else. ID tokens have it too, so claims tell the two apart.
    Jwt,
}

impl AccessTokenType {
    /// Both.
    pub const ALL: [Self; 2] = [Self::AtJwt, Self::Jwt];

    /// The value of `typ`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AtJwt => "at+jwt",
            Self::Jwt => "JWT",
        }
    }
}

/// Why a private key cannot sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not a PKCS#8 key of the named algorithm and strength, or its halves do not match.
    #[error("is not a valid PKCS#8 private key for {0}")]
    Rejected(&'static str),
    /// The key ID is not the thumbprint of the key (RFC 7638).
    #[error("does not match its key ID: private part and ID were not made together")]
    WrongKeyId,
}

enum Pair {
    Ec(EcdsaKeyPair),
    Rsa(RsaKeyPair),
    Ed(Ed25519KeyPair),
}

/// A private key that signs tokens. Its JOSE header is encoded once.
pub struct SigningKey {
    pair: Pair,
    public: ParsedPublicKey,
    algorithm: Algorithm,
    jwk: Jwk,
    key_id: String,
    at_jwt_header: String,
    jwt_header: String,
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "SigningKey({}, {}, [redacted])",
            self.algorithm.as_str(),
            self.key_id
        )
    }
}

impl SigningKey {
    /// Parses a PKCS#8 private key. Its key ID is its RFC 7638 thumbprint, hence unique across tenants.
    pub fn from_pkcs8(algorithm: Algorithm, der: &[u8]) -> Result<Self, KeyError> {
        let rejected = KeyError::Rejected(algorithm.as_str());
        let pair = Pair::from_pkcs8(algorithm, der).ok_or(rejected)?;
        let public = pair.public_key().ok_or(rejected)?;
        let mut jwk = Jwk {
            common: CommonParameters {
                public_key_use: Some(PublicKeyUse::Signature),
                key_algorithm: Some(match algorithm {
                    Algorithm::Es256 => KeyAlgorithm::ES256,
                    Algorithm::Rs256 => KeyAlgorithm::RS256,
                    Algorithm::EdDsa => KeyAlgorithm::EdDSA,
                }),
                ..CommonParameters::default()
            },
            algorithm: pair.public_parameters().ok_or(rejected)?,
        };
        let key_id = jwk
            .thumbprint(ThumbprintHash::SHA256)
            .map_err(|_| rejected)?;
        jwk.common.key_id = Some(key_id.clone());
        let header = |typ: &str| {
            let algorithm = algorithm.as_str();
            URL_SAFE_NO_PAD.encode(format!(
                r#"{{"typ":"{typ}","alg":"{algorithm}","kid":"{key_id}"}}"#
            ))
        };
        Ok(Self {
            pair,
            public,
            algorithm,
            jwk,
            at_jwt_header: header("at+jwt"),
            jwt_header: header("JWT"),
            key_id,
        })
    }

    /// `kid`: the RFC 7638 thumbprint.
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    /// The algorithm it signs with.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The public half.
    pub fn jwk(&self) -> &Jwk {
        &self.jwk
    }

    /// A compact JWS (RFC 7515 §3.1) of an access token's claims.
    ///
    /// Fails only if the cryptographic library does.
    pub fn sign_access_token(&self, typ: AccessTokenType, claims: &[u8]) -> Option<String> {
        self.sign(self.access_token_header(typ), claims)
    }

    /// A compact JWS of an ID token's claims (OIDC Core §2): `typ` is `JWT`.
    ///
    /// Fails only if the cryptographic library does.
    pub fn sign_id_token(&self, claims: &[u8]) -> Option<String> {
        self.sign(&self.jwt_header, claims)
    }

    /// The encoded header of the access tokens of this type that this key signs.
    pub fn access_token_header(&self, typ: AccessTokenType) -> &str {
        match typ {
            AccessTokenType::AtJwt => &self.at_jwt_header,
            AccessTokenType::Jwt => &self.jwt_header,
        }
    }

    /// The encoded header of the ID tokens that this key signs.
    pub fn id_token_header(&self) -> &str {
        &self.jwt_header
    }

    /// Whether this key made the signature over this message.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        self.public.verify_sig(message, signature).is_ok()
    }

    fn sign(&self, header: &str, claims: &[u8]) -> Option<String> {
        // The longest signature is RSA's: 256 bytes, 342 characters.
        let capacity = header.len() + claims.len().div_ceil(3) * 4 + 346;
        let mut token = String::with_capacity(capacity);
        token.push_str(header);
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(claims, &mut token);
        self.append_signature(&mut token)?;
        Some(token)
    }

    fn append_signature(&self, token: &mut String) -> Option<()> {
        let random = SystemRandom::new();
        let message = token.as_bytes();
        match &self.pair {
            Pair::Ec(pair) => {
                // Looked at where it lies: the library keeps room for signatures of several kilobytes in it.
                let signature = pair.sign(&random, message);
                append(token, signature.as_ref().ok()?.as_ref());
            }
            Pair::Ed(pair) => append(token, pair.sign(message).as_ref()),
            Pair::Rsa(pair) => {
                let mut longest = [0; 512];
                let signature = &mut longest[..pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, message, signature)
                    .ok()?;
                append(token, signature);
            }
        }
        Some(())
    }
}

fn append(token: &mut String, signature: &[u8]) {
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(signature, token);
}

impl Pair {
    fn from_pkcs8(algorithm: Algorithm, der: &[u8]) -> Option<Self> {
        match algorithm {
            Algorithm::Es256 => EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der)
                .ok()
                .map(Self::Ec),
            Algorithm::EdDsa => Ed25519KeyPair::from_pkcs8(der).ok().map(Self::Ed),
            Algorithm::Rs256 => RsaKeyPair::from_pkcs8(der)
                .ok()
                .filter(|pair| (256..=512).contains(&pair.public_modulus_len()))
                .map(Self::Rsa),
        }
    }

    fn public_key(&self) -> Option<ParsedPublicKey> {
        match self {
            Self::Ec(pair) => ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, pair.public_key()),
            Self::Ed(pair) => ParsedPublicKey::new(&ED25519, pair.public_key()),
            Self::Rsa(pair) => ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, pair.public_key()),
        }
        .ok()
    }

    fn public_parameters(&self) -> Option<AlgorithmParameters> {
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        Some(match self {
            Self::Ec(pair) => {
                // SEC 1 §2.3.3, uncompressed: 04 ‖ x ‖ y.
                let (x, y) = pair
                    .public_key()
                    .as_ref()
                    .strip_prefix(&[4])?
                    .split_at_checked(32)?;
                AlgorithmParameters::EllipticCurve(EllipticCurveKeyParameters {
                    key_type: EllipticCurveKeyType::EC,
                    curve: EllipticCurve::P256,
                    x: encode(x),
                    y: encode(y),
                })
            }
            Self::Ed(pair) => AlgorithmParameters::OctetKeyPair(OctetKeyPairParameters {
                key_type: OctetKeyPairType::OctetKeyPair,
                curve: EllipticCurve::Ed25519,
                x: encode(pair.public_key().as_ref()),
            }),
            Self::Rsa(pair) => AlgorithmParameters::RSA(RSAKeyParameters {
                key_type: RSAKeyType::RSA,
                n: encode(
                    pair.public_key()
                        .modulus()
                        .big_endian_without_leading_zero(),
                ),
                e: encode(
                    pair.public_key()
                        .exponent()
                        .big_endian_without_leading_zero(),
                ),
            }),
        })
    }
}

/// A signing key with the time from which it signs.
#[derive(Clone, Debug)]
pub struct ScheduledKey {
    /// The key.
    pub key: Arc<SigningKey>,
    /// It signs from then on, until a later key's time has come.
    pub activates_at: Timestamp,
    /// No token signed with it lives longer, so that the time of its removal is known.
    pub longest_lifetime: Duration,
}

/// The signing keys of a tenant, all published; of each algorithm one is active.
#[derive(Clone, Debug)]
pub struct SigningKeys(Vec<ScheduledKey>);

impl SigningKeys {
    /// The keys in order of activation; `None` if there is none.
    pub fn new(mut keys: Vec<ScheduledKey>) -> Option<Self> {
        keys.sort_by_key(|scheduled| scheduled.activates_at);
        (!keys.is_empty()).then_some(Self(keys))
    }

    /// The key that signs with this algorithm now: the last whose time has come, or the first if a clock lags
    /// behind all. None if the tenant has no key of the algorithm.
    pub fn active(&self, algorithm: Algorithm, now: Timestamp) -> Option<&ScheduledKey> {
        let of_algorithm = || {
            self.0
                .iter()
                .filter(move |scheduled| scheduled.key.algorithm() == algorithm)
        };
        of_algorithm()
            .rev()
            .find(|scheduled| scheduled.activates_at <= now)
            .or_else(|| of_algorithm().next())
    }

    /// All keys.
    pub fn iter(&self) -> impl Iterator<Item = &ScheduledKey> {
        self.0.iter()
    }

    /// Whether there is a key of the algorithm.
    pub fn has(&self, algorithm: Algorithm) -> bool {
        self.0.iter().any(|s| s.key.algorithm() == algorithm)
    }

    /// The JWK Set (RFC 7517 §5) of the keys of these algorithms, as published.
    ///
    /// # Panics
    /// Never: a JWK is representable in JSON.
    pub fn jwks(&self, published: &[Algorithm]) -> Vec<u8> {
        let keys = self.0.iter().map(|scheduled| &scheduled.key);
        let keys = keys.filter(|key| published.contains(&key.algorithm()));
        let keys = keys.map(|key| key.jwk().clone());
        serde_json::to_vec(&jsonwebtoken::jwk::JwkSet {
            keys: keys.collect(),
        })
        .expect("a JWK Set is representable in JSON")
    }
}
