//! `spec.jwks`: the public keys of a client.

use kube::KubeSchema;
use schemars::{Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// A JWK Set (RFC 7517 section 5) of public keys.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
pub struct JsonWebKeySet {
    /// The keys. While a key is replaced there are two.
    #[schemars(schema_with = "keys")]
    pub keys: Vec<JsonWebKey>,
}

/// A public key (RFC 7517 section 4). Its schema is written below.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct JsonWebKey {
    /// The kind of key.
    pub kty: String,
    /// What it is for.
    #[serde(rename = "use", skip_serializing_if = "Option::is_none")]
    pub key_use: Option<String>,
    /// Its ID.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kid: Option<String>,
    /// The algorithm of its signatures.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alg: Option<String>,
    /// The curve.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub crv: Option<String>,
    /// The first coordinate, or the key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub x: Option<String>,
    /// The second coordinate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub y: Option<String>,
    /// The modulus.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub n: Option<String>,
    /// The exponent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub e: Option<String>,
}

/// The members that make a key private (RFC 7518 sections 6.2.2, 6.3.2 and 6.4.1). They are in the schema so that they can be
/// refused with a sentence.
const PRIVATE: [&str; 7] = ["d", "p", "q", "dp", "dq", "qi", "k"];

fn keys(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "array", "minItems": 1, "maxItems": 8, "items": key() })
}

fn key() -> Value {
    let mut members = json!({
        "kty": text("The kind of key: RSA (at least 2048 bits), EC (P-256 or P-384) or OKP (Ed25519).", 8, "self in ['RSA', 'EC', 'OKP']", "must be RSA, EC or OKP; a symmetric key is a secret and must not be in a manifest"),
        "use": text("What the key is for: sig.", 8, "self == 'sig'", "must be sig: the key verifies signatures"),
        "kid": text("The ID of the key, as the assertions name it.", 128, "self.matches('^[!-~]+$')", "must be of printable ASCII characters without spaces"),
        "alg": text("The algorithm of its signatures. Default: RS256, ES256, ES384 or EdDSA, as the key is.", 16, "self in ['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA', 'Ed25519']", "must be RS256, PS256, ES256, ES384, EdDSA or Ed25519"),
        "crv": text("The curve of an EC or OKP key.", 16, "self in ['P-256', 'P-384', 'Ed25519']", "must be P-256, P-384 or Ed25519"),
        "x": number("The first coordinate of an EC key, or an Ed25519 key, in base64url.", 88),
        "y": number("The second coordinate of an EC key, in base64url.", 88),
        "n": number("The modulus of an RSA key, in base64url.", 683),
        "e": number("The exponent of an RSA key, in base64url.", 6),
    });
    for name in PRIVATE {
        members[name] = json!({ "type": "string", "maxLength": 1024, "description": "Private, and always refused." });
    }
    let public = PRIVATE
        .map(|name| format!("!has(self.{name})"))
        .join(" && ");
    json!({
        "type": "object",
        "description": "A public key (RFC 7517 section 4).",
        "required": ["kty"],
        "properties": members,
        "x-kubernetes-validations": [
            { "rule": public, "message": "must be a public key: remove d, p, q, dp, dq, qi and k. What was private has now been sent to the API server; make a new key" },
            { "rule": "self.kty != 'RSA' || (has(self.n) && size(self.n) >= 342 && has(self.e) && !has(self.crv))", "message": "an RSA key needs n of at least 2048 bits, and e; in YAML, the name \"n\" needs quotes" },
            { "rule": "self.kty != 'EC' || (has(self.crv) && self.crv in ['P-256', 'P-384'] && has(self.x) && has(self.y))", "message": "an EC key needs crv P-256 or P-384, x and y; in YAML, the name \"y\" needs quotes" },
            { "rule": "self.kty != 'OKP' || (has(self.crv) && self.crv == 'Ed25519' && has(self.x))", "message": "an OKP key needs crv Ed25519, and x" },
            { "rule": "!has(self.alg) || self.alg in (self.kty == 'RSA' ? ['RS256', 'PS256'] : self.kty == 'OKP' ? ['EdDSA', 'Ed25519'] : has(self.crv) && self.crv == 'P-384' ? ['ES384'] : ['ES256'])", "message": "alg does not fit the key: RS256 or PS256 for RSA, ES256 for P-256, ES384 for P-384, EdDSA for Ed25519" },
        ],
    })
}

fn text(description: &str, longest: u16, rule: &str, message: &str) -> Value {
    json!({
        "type": "string",
        "minLength": 1,
        "maxLength": longest,
        "description": description,
        "x-kubernetes-validations": [{ "rule": rule, "message": message }],
    })
}

fn number(description: &str, longest: u16) -> Value {
    let base64url = "self.matches('^[A-Za-z0-9_-]+$')";
    text(
        description,
        longest,
        base64url,
        "must be in base64url without padding",
    )
}
