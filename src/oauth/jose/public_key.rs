//! A public key of another party, by which its signatures are verified: a client's, or the cluster's.
//!
//! A key has one algorithm (RFC 8725 §3.1): what the header of a token says can only agree with it.

use std::fmt;

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, ParsedPublicKey,
    RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256, RsaParameters, RsaPublicKeyComponents,
    VerificationAlgorithm,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

/// The names of the algorithms with which clients may sign (RFC 7518 §3.1, RFC 8037 §3.1, RFC 9864 §2). The last
/// two are the same.
pub const ALGORITHMS: [&str; 6] = ["RS256", "PS256", "ES256", "ES384", "EdDSA", "Ed25519"];

/// How something is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// RSASSA-PSS with SHA-256.
    Ps256,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// ECDSA on P-384 with SHA-384.
    Es384,
    /// Ed25519.
    Ed25519,
}

impl Scheme {
    /// The scheme of a JOSE name.
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "RS256" => Self::Rs256,
            "PS256" => Self::Ps256,
            "ES256" => Self::Es256,
            "ES384" => Self::Es384,
            "EdDSA" | "Ed25519" => Self::Ed25519,
            _ => return None,
        })
    }
}

/// The members of a JWK (RFC 7517 §4, RFC 7518 §6, RFC 8037 §2) that a public key has.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[expect(missing_docs, reason = "named as in the RFCs")]
pub struct Jwk {
    pub kty: String,
    #[serde(rename = "use")]
    pub key_use: Option<String>,
    pub kid: Option<String>,
    pub alg: Option<String>,
    pub crv: Option<String>,
    pub x: Option<String>,
    pub y: Option<String>,
    pub n: Option<String>,
    pub e: Option<String>,
}

/// A public key, parsed once.
#[derive(Clone)]
pub struct PublicKey {
    jwk: Jwk,
    scheme: Scheme,
    parsed: ParsedPublicKey,
}

impl PublicKey {
    /// Parses a JWK. The error completes the sentence "the key …".
    pub fn new(jwk: Jwk) -> Result<Self, &'static str> {
        if jwk.key_use.as_deref().is_some_and(|usage| usage != "sig") {
            return Err("is not for signatures: its use must be sig, or absent");
        }
        let (scheme, parsed) = parse(&jwk)?;
        Ok(Self {
            jwk,
            scheme,
            parsed,
        })
    }

    /// `kid`.
    pub fn key_id(&self) -> Option<&str> {
        self.jwk.kid.as_deref()
    }

    /// The one algorithm that it verifies.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// Whether the holder of its private half signed this message.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        self.parsed.verify_sig(message, signature).is_ok()
    }
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.jwk == other.jwk
    }
}

impl Eq for PublicKey {}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({:?}, {:?})", self.scheme, self.jwk.kid)
    }
}

fn parse(jwk: &Jwk) -> Result<(Scheme, ParsedPublicKey), &'static str> {
    let (schemes, key): (&[Scheme], _) = match (&*jwk.kty, jwk.crv.as_deref()) {
        ("RSA", None) => return rsa(jwk),
        ("EC", Some("P-256")) => (&[Scheme::Es256], point(jwk, &ECDSA_P256_SHA256_FIXED, 32)),
        ("EC", Some("P-384")) => (&[Scheme::Es384], point(jwk, &ECDSA_P384_SHA384_FIXED, 48)),
        ("OKP", Some("Ed25519")) => (&[Scheme::Ed25519], ed25519(jwk)),
        _ => return Err("must be RSA, EC on P-256 or P-384, or OKP on Ed25519"),
    };
    let key = key.ok_or("is not a point of its curve: check x and y")?;
    Ok((scheme_of(jwk, schemes)?, key))
}

/// Unless the key says which, it is the first.
fn scheme_of(jwk: &Jwk, possible: &[Scheme]) -> Result<Scheme, &'static str> {
    let Some(alg) = &jwk.alg else {
        return Ok(possible[0]);
    };
    Scheme::from_name(alg)
        .filter(|scheme| possible.contains(scheme))
        .ok_or("has an alg that does not fit it: RS256 or PS256, ES256, ES384, EdDSA")
}

/// From 2048 to 4096 bits, and an exponent that is odd and more than 1.
fn rsa(jwk: &Jwk) -> Result<(Scheme, ParsedPublicKey), &'static str> {
    let scheme = scheme_of(jwk, &[Scheme::Rs256, Scheme::Ps256])?;
    let (Some(n), Some(e)) = (decode(jwk.n.as_ref()), decode(jwk.e.as_ref())) else {
        return Err("needs n and e in base64url");
    };
    let bits = n.len() * 8 - n.first().map_or(0, |byte| byte.leading_zeros() as usize);
    let exponent_is_sound =
        e.len() <= 4 && (e.last().is_some_and(|byte| byte & 1 == 1) && e != [1]);
    if n.first() == Some(&0) || e.first() == Some(&0) || !exponent_is_sound {
        return Err("needs n and e without leading zeros, and an odd e of more than 1");
    }
    if !(2048..=4096).contains(&bits) {
        return Err("must have between 2048 and 4096 bits");
    }
    let parameters: &'static RsaParameters = match scheme {
        Scheme::Ps256 => &RSA_PSS_2048_8192_SHA256,
        _ => &RSA_PKCS1_2048_8192_SHA256,
    };
    RsaPublicKeyComponents { n, e }
        .to_parsed_public_key(parameters)
        .map(|parsed| (scheme, parsed))
        .map_err(|_| "is not an RSA key: check n and e")
}

/// SEC 1 §2.3.3, uncompressed: 04 ‖ x ‖ y.
fn point(
    jwk: &Jwk,
    algorithm: &'static dyn VerificationAlgorithm,
    len: usize,
) -> Option<ParsedPublicKey> {
    let coordinate = |text| decode(text).filter(|bytes| bytes.len() == len);
    let (x, y) = (coordinate(jwk.x.as_ref())?, coordinate(jwk.y.as_ref())?);
    ParsedPublicKey::new(algorithm, [&[4], &*x, &*y].concat()).ok()
}

fn ed25519(jwk: &Jwk) -> Option<ParsedPublicKey> {
    let x = decode(jwk.x.as_ref()).filter(|bytes| bytes.len() == 32)?;
    ParsedPublicKey::new(&ED25519, x).ok()
}

fn decode(text: Option<&String>) -> Option<Vec<u8>> {
    let text = text.filter(|text| !text.is_empty() && text.len() <= 1024)?;
    URL_SAFE_NO_PAD.decode(text).ok()
}

#[cfg(test)]
mod tests;
